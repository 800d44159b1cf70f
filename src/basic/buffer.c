/* A growing buffer with a sticky error: a formatter of thirty appends has one place where memory can be
 * missing, its end. It doubles, so that a long text costs a logarithmic number of copies. */

#include "basic/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "basic/alloc.h"

#define BUFFER_MIN 256U

void buffer_done(Buffer *b)
{
        free(b->data);
        *b = BUFFER_INIT;
}

/* Room for `size` more bytes and the NUL that buffer_take() promises. */
static bool buffer_reserve(Buffer *b, size_t size)
{
        size_t needed, allocated;
        char *data;

        if (b->error)
                return false;
        if (__builtin_add_overflow(b->size, size, &needed) || needed >= SIZE_MAX / 2) {
                b->error = -ENOMEM;
                return false;
        }
        if (likely(needed < b->allocated))
                return true;

        allocated = MAX(b->allocated * 2, (size_t) BUFFER_MIN);
        allocated = MAX(allocated, needed + 1);
        data = alloc_resize(b->data, allocated, 1);
        if (!data) {
                b->error = -ENOMEM;
                return false;
        }
        b->data = data;
        b->allocated = allocated;
        return true;
}

void buffer_append(Buffer *b, const void *data, size_t size)
{
        if (size == 0 || !buffer_reserve(b, size))
                return;
        memcpy(b->data + b->size, data, size);
        b->size += size;
}

void buffer_append_string(Buffer *b, const char *s)
{
        buffer_append(b, s, strlen(s));
}

void buffer_printf(Buffer *b, const char *format, ...)
{
        va_list ap;
        int n;

        if (!buffer_reserve(b, 0))
                return;

        va_start(ap, format);
        n = vsnprintf(b->data + b->size, b->allocated - b->size, format, ap);
        va_end(ap);
        if (n < 0) {
                b->error = -ENOMEM;
                return;
        }

        if ((size_t) n >= b->allocated - b->size) {
                if (!buffer_reserve(b, n))
                        return;
                va_start(ap, format);
                vsnprintf(b->data + b->size, b->allocated - b->size, format, ap);
                va_end(ap);
        }
        b->size += n;
}

char *buffer_take(Buffer *b, size_t *ret_size)
{
        char *data = NULL;

        if (buffer_reserve(b, 0)) {
                data = TAKE_PTR(b->data);
                data[b->size] = 0;
                if (ret_size)
                        *ret_size = b->size;
        }

        free(b->data);
        *b = (Buffer){.error = b->error};
        return data;
}
