#pragma once

/* Columns of text, as wide as they need to be; the last one gives way to the width of the terminal. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;

typedef struct Table {
        const char *const *headers; /* NULL-terminated */
        char **cells;               /* row by row, escaped */
        int error;                  /* 0, or -ENOMEM for ever */
} Table;

#define TABLE_INIT(headers_) ((Table){.headers = (headers_)})

void table_done(Table *t);
/* The next cell; what it holds is escaped. An empty one is shown as "-". */
void table_cell(Table *t, const char *format, ...) _printf_(2, 3);
/* columns 0: nothing is shortened. A want of memory goes into b->error. */
void table_format(const Table *t, size_t columns, Buffer *b);
