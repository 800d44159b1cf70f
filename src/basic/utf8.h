#pragma once

/* UTF-8 as RFC 3629 defines it: no surrogates, nothing over U+10FFFF, shortest form only. */

#include <stddef.h>

#include "basic/macro.h"

/* Length (1 to 4) of the valid character at the start of s, 0 when there is none; *ret_incomplete (may be
 * NULL) says whether s ends within what so far could be a valid character. n >= 1. */
size_t utf8_character(const char *s, size_t n, bool *ret_incomplete);

/* How many of the last bytes of s (0 to 3) are the beginning of a character that is not complete yet. */
size_t utf8_incomplete_tail(const char *s, size_t n) _pure_;

bool utf8_is_valid(const char *s, size_t n) _pure_; /* NUL counts as valid here */

/* A NUL-terminated copy in which each byte that belongs to no character, and each NUL, is U+FFFD. NULL: no
 * memory. Given to free(). */
char *utf8_sanitize(const char *s, size_t n);
