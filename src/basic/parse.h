#pragma once

/* Text into numbers, strictly: no leading blanks, no sign where none is meant, nothing after the number.
 * All return 0, -EINVAL (not such a thing) or -ERANGE (too large). */

#include <stdint.h>

#include "basic/macro.h"

int parse_bool(const char *s); /* yes/no, true/false, on/off, 1/0, y/n, t/f: 1 or 0, else -EINVAL */
int parse_i64(const char *s, int64_t *ret);
int parse_u64(const char *s, uint64_t *ret);
int parse_mode(const char *s, uint32_t *ret); /* octal, up to 07777 */
/* "4K", "1.5M", "2G", "infinity" (UINT64_MAX): base 1024, as systemd.resource-control(5). */
int parse_bytes(const char *s, uint64_t *ret);
/* "90", "1min 30s", "100ms", "infinity" (UINT64_MAX): a bare number is seconds, as systemd.time(7).
 * Microseconds. */
int parse_usec(const char *s, uint64_t *ret);
/* "TERM", "SIGTERM", "15", "RTMIN+3": the number 1 to 64. */
int parse_signal(const char *s, int *ret);
/* "SIGTERM", "RTMIN+3" as "SIGRTMIN+3"; NULL for what is no signal. A static string. */
const char *signal_name(int sig);
