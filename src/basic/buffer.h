#pragma once

/* Bytes that grow: what formatters write into. An error sticks, so that a writer checks once, at the end. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Buffer {
        char *data;
        size_t size, allocated;
        int error; /* 0, or -ENOMEM once and for ever */
} Buffer;

#define BUFFER_INIT ((Buffer){0})

void buffer_done(Buffer *b);
void buffer_append(Buffer *b, const void *data, size_t size);
void buffer_append_string(Buffer *b, const char *s);
void buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);
/* The bytes with a NUL behind them, given to free(); the buffer is empty afterwards. NULL after an error. */
char *buffer_take(Buffer *b, size_t *ret_size);
