#pragma once

/* reeve's own messages, one line each, to stderr. A write never blocks: a reader that hangs loses lines, and
 * the next one that gets through says how many. Libraries below core log at debug only. */

#include <stdarg.h>

#include "basic/macro.h"

typedef enum LogLevel { /* the numbers of syslog(3) */
                        LOG_LEVEL_ERROR = 3,
                        LOG_LEVEL_WARNING = 4,
                        LOG_LEVEL_NOTICE = 5,
                        LOG_LEVEL_INFO = 6,
                        LOG_LEVEL_DEBUG = 7,
} LogLevel;

/* Takes fd's file over for the log: by a non-blocking open file description of its own where the kernel
 * gives one (the flags of the inherited one are shared with the job and stay as they are), MSG_DONTWAIT for
 * a socket. Called once, early; before it, and when it failed, nothing is written. */
int log_open(int fd);
/* The same for the kernel's log, /dev/kmsg, which is taken over itself: one record a line, with its
 * priority. */
int log_open_kernel_take(int fd);
void log_close(void);
void log_set_level(LogLevel level);
LogLevel log_level(void);
/* Numbers 3 to 7 or err, warning, notice, info, debug. -EINVAL. */
int log_level_from_string(const char *s);

/* error: 0, or a negative errno whose text is appended as ": No such file or directory". Returns error. */
int log_full(LogLevel level, int error, const char *format, ...) _printf_(3, 4);

/* A line as it is, at any level. Async-signal-safe, for who cannot trust anything else any more. */
void log_raw(const char *line, size_t size);

#define log_message(level, error, ...)                                                                      \
        ({                                                                                                  \
                int log_e_ = (error);                                                                       \
                if ((level) <= log_level())                                                                 \
                        log_full((level), log_e_, __VA_ARGS__);                                             \
                log_e_;                                                                                     \
        })
#define log_error(...) log_message(LOG_LEVEL_ERROR, 0, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, 0, __VA_ARGS__)
#define log_notice(...) log_message(LOG_LEVEL_NOTICE, 0, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, 0, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, 0, __VA_ARGS__)
#define log_error_errno(error, ...) log_message(LOG_LEVEL_ERROR, error, __VA_ARGS__)
#define log_warning_errno(error, ...) log_message(LOG_LEVEL_WARNING, error, __VA_ARGS__)
#define log_debug_errno(error, ...) log_message(LOG_LEVEL_DEBUG, error, __VA_ARGS__)
