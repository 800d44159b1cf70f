#pragma once

/* Every allocation of reeve's own goes through here. A failed one is an ordinary outcome (NULL, or -ENOMEM
 * from the caller): it fails the one request that needed it and nothing else. Tests make the nth fail. */

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "basic/macro.h"

/* All return NULL when there is no memory; what they return is given to free(). */
void *alloc_zero(size_t size) __attribute__((malloc, alloc_size(1)));
void *alloc_copy(const void *data, size_t size); /* never NULL for size 0 */
/* Like reallocarray(3); keeps the old block when it fails. */
void *alloc_resize(void *block, size_t n, size_t size);
char *str_copy(const char *s); /* s NULL: not allowed */
char *str_copy_n(const char *s, size_t n);
char *str_printf(const char *format, ...) _printf_(1, 2);
char *str_vprintf(const char *format, va_list ap) _printf_(1, 0);

#define alloc_new(type) ((type *) alloc_zero(sizeof(type)))
#define alloc_array(type, n) ((type *) alloc_resize(NULL, (n), sizeof(type)))

static inline void freep(void *p)
{
        free(*(void **) p);
}
#define _cleanup_free_ _cleanup_(freep)

/* Fault injection, for tests only: of the allocations made from now on, the nth (1 is the next) fails, and
 * with a period p every p-th after it, too: 1 is all of them, 0 none. nth 0 ends it. */
void alloc_fault_set(unsigned nth, unsigned period);
/* How many allocations were made to fail since alloc_fault_set(). */
unsigned alloc_fault_hits(void);
