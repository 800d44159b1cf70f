#pragma once

/*
 * What goes to stdout and stderr, and how a run of reevectl fails. A function that has told the user what
 * went wrong returns one of these; its callers hand it up to main(), which makes an exit status of it. All
 * of them are negative, and none is an errno.
 */

#include <stddef.h>

#include "basic/macro.h"
#include "basic/time.h"

typedef struct Buffer Buffer;
typedef struct Verb Verb;

enum {
        FAILED = -1001,  /* reevectl or reeve could not do it */
        MISUSED = -1002, /* the command line is wrong */
        CLOSED = -1003,  /* nobody reads our output any more; the only one that is not said */
};

/* From now on an error is a line of JSON, on stderr: {"error": NAME or null, "message": …, "hint": …}. */
void output_set_json(bool json);

/* "reevectl: MESSAGE", on stderr. Each returns FAILED; error is a negative errno whose text is added. */
int fail(const char *format, ...) _printf_(1, 2);
int fail_errno(int error, const char *format, ...) _printf_(2, 3);
/* name: that of an error of D-Bus, as on the wire, or NULL; hint: what to do about it, or NULL. */
int fail_bus(const char *name, const char *message, const char *hint);
/* With where to read how it is done: "reevectl VERB --help". verb may be NULL. Returns MISUSED. */
int misuse(const Verb *verb, const char *format, ...) _printf_(2, 3);

/* A remark for people, on stderr; nothing with JSON, where the answer itself says it. */
void remark(const char *format, ...) _printf_(1, 2);

/* All of it, to fd, which may be non-blocking. 0, FAILED, or CLOSED. */
int output_bytes(int fd, const void *data, size_t size);
/* To stdout. Also where a buffer's want of memory is noticed. */
int output_buffer(Buffer *b);

/* Until fd is ready for one of the events of poll(2), or nobody reads stdout any more. 0, FAILED, or CLOSED.
 */
int output_wait(int fd, short events);

/* Columns of the terminal that stdout is; 0: it is none, nothing is to be shortened. */
size_t output_columns(void);

/* CLOCK_REALTIME. */
usec_t now_realtime(void);
