#pragma once

/* The bytes of the output out of a Journal Export stream, as they were written, and what of them was lost.
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/buffer.h"

typedef struct LogRaw {
        Buffer pending; /* the beginning of an entry */
        uint64_t lost;  /* bytes, so far */
} LogRaw;

void log_raw_done(LogRaw *r);

/* The next piece of the stream; the output in it is added to b. -EBADMSG: it is no such stream; -ENOMEM. */
int log_raw_feed(LogRaw *r, const void *data, size_t size, Buffer *b);
