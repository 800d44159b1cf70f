#pragma once

/* What is shown of an object: a label and how to read the value, in tables; what is empty, or not known, is
 * left out. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;
typedef struct Properties Properties;

typedef enum StatusKind {
        STATUS_STRING,
        STATUS_WORDS,
        STATUS_COMMAND,
        STATUS_NUMBER, /* 0 is shown */
        STATUS_COUNT,  /* 0 is left out */
        STATUS_BYTES,
        STATUS_NSEC,
        STATUS_TIME,
        STATUS_STATE, /* of a job: of several properties */
        STATUS_OUTCOME,
} StatusKind;

typedef struct StatusLine {
        const char *label, *property;
        StatusKind kind;
} StatusLine;

void status_lines_append(Buffer *b, const StatusLine *lines, size_t n, const Properties *p);
