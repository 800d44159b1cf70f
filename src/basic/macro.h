#pragma once

/* The few macros that every file may use: ownership by scope, ownership handed on, and the arithmetic that
 * C leaves to everybody. Plain C, no type of the project. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define _cleanup_(func) __attribute__((cleanup(func)))
#define _printf_(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define _pure_ __attribute__((pure))
#define _const_ __attribute__((const))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))
#define _must_check_ __attribute__((warn_unused_result))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

#define container_of(pointer, type, member) ((type *) ((char *) (pointer) - offsetof(type, member)))

#define MIN(a, b)                                                                                           \
        ({                                                                                                  \
                __typeof__(a) min_a_ = (a);                                                                 \
                __typeof__(b) min_b_ = (b);                                                                 \
                min_a_ < min_b_ ? min_a_ : min_b_;                                                          \
        })
#define MAX(a, b)                                                                                           \
        ({                                                                                                  \
                __typeof__(a) max_a_ = (a);                                                                 \
                __typeof__(b) max_b_ = (b);                                                                 \
                max_a_ > max_b_ ? max_a_ : max_b_;                                                          \
        })

/* Hands a pointer on: the variable is NULL afterwards, so that its cleanup leaves the object alone. */
#define TAKE_PTR(pointer)                                                                                   \
        ({                                                                                                  \
                __typeof__(pointer) *take_p_ = &(pointer);                                                  \
                __typeof__(pointer) take_v_ = *take_p_;                                                     \
                *take_p_ = NULL;                                                                            \
                take_v_;                                                                                    \
        })

/* The same for a descriptor: it is -EBADF afterwards. */
#define TAKE_FD(fd)                                                                                         \
        ({                                                                                                  \
                int *take_fd_p_ = &(fd);                                                                    \
                int take_fd_ = *take_fd_p_;                                                                 \
                *take_fd_p_ = -EBADF;                                                                       \
                take_fd_;                                                                                   \
        })

/* Makes NAMEp(TYPE *p), for _cleanup_, from a destructor that takes NULL. */
#define DEFINE_CLEANUP(type, destructor)                                                                    \
        static inline void destructor##p(type *p)                                                           \
        {                                                                                                   \
                if (*p)                                                                                     \
                        destructor(*p);                                                                     \
        }

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

/* NULL equals NULL only. */
static inline bool streq_ptr(const char *a, const char *b)
{
        return a && b ? streq(a, b) : a == b;
}

/* What follows prefix in s, or NULL when s does not start with it. */
static inline const char *startswith(const char *s, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool isempty(const char *s)
{
        return !s || !s[0];
}
