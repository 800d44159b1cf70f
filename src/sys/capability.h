#pragma once

/* Names of capabilities, capabilities(7). */

/* "CAP_NET_BIND_SERVICE", any case: its number. -EINVAL. */
int capability_from_string(const char *name);
/* The number of the highest the kernel has, /proc/sys/kernel/cap_last_cap. */
int capability_last(void);
