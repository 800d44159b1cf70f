#pragma once

/*
 * An entry of a journal, field by field, in either of the forms that journalctl writes for programs:
 *      json     {"NAME":"value",…} and a newline; a value that is no text is an array of its bytes
 *      export   NAME=value and a newline for each; of a value that is no text, or has newlines, NAME and a
 *               newline, its length in 64 bits, little-endian, its bytes, a newline; an empty line at the
 * end
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;

typedef struct Entry {
        Buffer *buffer;
        bool json;
        bool begun;
} Entry;

void entry_field(Entry *e, const char *name, const char *value, size_t size);
void entry_text(Entry *e, const char *name, const char *value);
void entry_number(Entry *e, const char *name, int64_t value);
void entry_end(Entry *e);

/* UTF-8 without control characters, except tabs and newlines. */
bool is_clean_text(const char *s, size_t n);
