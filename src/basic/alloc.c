/* Allocation that may fail. malloc(3) does the work; this file adds what PID 1 needs on top: one place
 * through which every allocation goes, so that a test can make any of them fail and see that only the one
 * request suffered. In production the price is one branch that is never taken. */

#include "basic/alloc.h"

#include <stdio.h>

/* countdown 0: off. */
static struct {
        unsigned countdown, period, hits;
} fault;

static bool fault_due(void)
{
        if (likely(fault.countdown == 0))
                return false;
        if (fault.countdown > 1) {
                fault.countdown--;
                return false;
        }

        fault.countdown = fault.period;
        fault.hits++;
        return true;
}

void alloc_fault_set(unsigned nth, unsigned period)
{
        fault.countdown = nth;
        fault.period = period;
        fault.hits = 0;
}

unsigned alloc_fault_hits(void)
{
        return fault.hits;
}

/* Never asks for 0 bytes: malloc(0) may answer NULL, which means "no memory" here. */
void *alloc_zero(size_t size)
{
        if (fault_due())
                return NULL;
        return calloc(1, MAX(size, (size_t) 1));
}

void *alloc_resize(void *block, size_t n, size_t size)
{
        size_t total;

        /* Not reallocarray(3): the sanitizers take an overflow there for a crime, and here it is an answer.
         */
        if (__builtin_mul_overflow(n, size, &total) || fault_due())
                return NULL;
        return realloc(block, MAX(total, (size_t) 1));
}

void *alloc_copy(const void *data, size_t size)
{
        void *copy;

        copy = alloc_resize(NULL, size, 1);
        if (copy && size > 0)
                memcpy(copy, data, size);
        return copy;
}

char *str_copy(const char *s)
{
        return alloc_copy(s, strlen(s) + 1);
}

char *str_copy_n(const char *s, size_t n)
{
        size_t length = strnlen(s, n);
        char *copy;

        copy = alloc_resize(NULL, length + 1, 1);
        if (!copy)
                return NULL;
        memcpy(copy, s, length);
        copy[length] = 0;
        return copy;
}

char *str_vprintf(const char *format, va_list ap)
{
        char *s;

        if (fault_due() || vasprintf(&s, format, ap) < 0)
                return NULL;
        return s;
}

char *str_printf(const char *format, ...)
{
        va_list ap;
        char *s;

        va_start(ap, format);
        s = str_vprintf(format, ap);
        va_end(ap);
        return s;
}
