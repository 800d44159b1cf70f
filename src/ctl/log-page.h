#pragma once

/* One answer of Job.ReadLog: records as src/journal knows them, so that its formats can be used. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "journal/format.h"

typedef struct Client Client;
typedef struct Properties Properties;

typedef struct LogRequest {
        const char *cursor; /* "" is the oldest record held */
        uint64_t lines;     /* the newest lines; UINT64_MAX: all */
        usec_t since;       /* CLOCK_REALTIME; 0: no such bound */
        unsigned streams;   /* STREAM_MASK() of each */
} LogRequest;

typedef struct LogPage {
        sd_bus_message *message; /* holds the bytes of the records */
        Record *records;
        size_t n;
        const char *next;
        uint64_t lost;
        bool eof;
} LogPage;

#define LOG_PAGE_INIT ((LogPage){0})

/* The cursor, and the options as a{sv}, of ReadLog or, with a format, of FollowLog. Negative errno. */
int log_request_append(sd_bus_message *m, const LogRequest *request, const char *format);

/* Says what goes wrong; 0 or FAILED. */
int log_page_read(Client *c, const char *path, const LogRequest *request, LogPage *ret);
void log_page_done(LogPage *p);

/* How many lines the records are; an unfinished one at the end counts. */
size_t log_page_lines(const LogPage *p) _pure_;

/* The last record carries the cursor of the page. `lost`: also what is lost before the first one. */
void log_page_format(const LogPage *p, LogFormat f, const LogContext *context, bool lost, Buffer *b);

/* The last lines of a log, as people read them, with what is lost of them, behind `before`; nothing at all
 * where it is empty. Says what goes wrong; 0 or FAILED. */
int log_page_append_tail(Client *c, const char *path, const Properties *job, const char *before, Buffer *b);

/* Whose log that is; points into the properties of the job, and to the host's name, read once. */
void log_context_init(const Properties *job, LogContext *ret);
