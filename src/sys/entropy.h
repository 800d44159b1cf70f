#pragma once

#include <stddef.h>

/* getrandom(2) without waiting for entropy; where the kernel has none yet, the clock and our address stand
 * in: what it is for (identities) must differ, not be secret. */
void random_bytes(void *buf, size_t size);
