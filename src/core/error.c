/*
 * Errors carry a kind of the contract and a sentence that names what is wrong. They are values on the
 * caller's stack: the path that reports a failed allocation must not need one.
 */

#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const int error_numbers[_ERROR_KIND_MAX] = {
#define X(id, error) [ERROR_##id] = (error),
                ERROR_KINDS(X)
#undef X
};

int error_set(Error *e, ErrorKind kind, const char *format, ...)
{
        assert(kind > ERROR_NONE && kind < _ERROR_KIND_MAX);

        if (e) {
                va_list ap;

                e->kind = kind;
                va_start(ap, format);
                vsnprintf(e->message, sizeof(e->message), format, ap);
                va_end(ap);
        }
        return -error_numbers[kind];
}

int error_no_memory(Error *e)
{
        return error_set(e, ERROR_NO_MEMORY, "Out of memory");
}
