#pragma once

/*
 * Records as text, for people and programs; the fields are those of Job.FollowLog.
 *      raw    the bytes of the output; no notes
 *      short  2026-11-22T22:09:02.123456+0000 HOST NAME[PID]: MESSAGE, as `journalctl -o short-iso-precise`;
 *             colours are taken out, unprintable bytes are shown as it does there
 *      json   one object a line, as `journalctl -o json`: values are strings; MESSAGE is an array of byte
 *             values when it is not UTF-8 or holds control characters
 *      export the same fields in the Journal Export Format, which systemd-journal-remote reads
 */

#include "basic/macro.h"
#include "journal/cursor.h"
#include "journal/record.h"

typedef struct Buffer Buffer;

typedef enum LogFormat {
        LOG_FORMAT_RAW,
        LOG_FORMAT_SHORT,
        LOG_FORMAT_JSON,
        LOG_FORMAT_EXPORT,
        _LOG_FORMAT_MAX,
} LogFormat;

const char *log_format_to_string(LogFormat f);
int log_format_from_string(const char *s); /* -EINVAL */

/* Whose records these are. */
typedef struct LogContext {
        const char *job, *session, *hostname;
        const char *identifier; /* the last path component of argv[0] */
        uint32_t pid;           /* 0: not shown */
} LogContext;

/* cursor: the text of the place behind the record; NULL leaves __CURSOR out. Adds nothing where the format
 * shows nothing. */
void log_format_record(LogFormat f, const LogContext *c, const Record *record, const char *cursor,
                       Buffer *b);
/* Where and when something is said of the log that is no record of it. */
typedef struct LogPlace {
        const char *cursor;         /* NULL leaves __CURSOR out */
        usec_t realtime, monotonic; /* monotonic 0: not known */
} LogPlace;

/* A loss, in its place in the stream: short "[N bytes lost]", json and export an entry with
 * REEVE_EVENT=lost, raw nothing. */
void log_format_lost(LogFormat f, const LogContext *c, uint64_t bytes, uint64_t records,
                     const LogPlace *place, Buffer *b);

/* How the job ended: in json and export an entry with REEVE_EVENT=end, else nothing. */
typedef struct LogEnd {
        const char *result; /* as the property Result */
        int exit_code, signal;
} LogEnd;
void log_format_end(LogFormat f, const LogContext *c, const LogEnd *end, const LogPlace *place, Buffer *b);
