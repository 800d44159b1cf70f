#pragma once

/*
 * What is wrong with unit files, for people: in which file, in which line, and whether the unit is refused
 * for it or the line merely has no effect. A list with a bound, since files may come from anybody: what is
 * beyond it is counted.
 */

#include <stdarg.h>
#include <stddef.h>

#include "basic/macro.h"

#define UNIT_PROBLEMS_MAX ((size_t) 1000)
#define UNIT_WARNINGS_MAX ((size_t) 750)              /* of these: what refuses is said first of all */
#define UNIT_PROBLEMS_BYTES_MAX ((size_t) 512 * 1024) /* of all texts */

typedef struct UnitProblem {
        char *file;    /* or a folder; never NULL */
        unsigned line; /* 0: the file as a whole */
        bool refused;  /* false: a warning */
        char *message; /* one line, UTF-8 */
} UnitProblem;

typedef struct UnitProblems {
        UnitProblem *list;
        size_t n, n_warnings, bytes;
        size_t n_refused; /* also those that were left out */
        size_t left_out;  /* no room, or no memory */
} UnitProblems;

#define UNIT_PROBLEMS_INIT ((UnitProblems){0})

void unit_problems_done(UnitProblems *p);
/* p NULL: nobody wants to know. Control characters and what is not UTF-8 are replaced in the text. */
void unit_problems_add(UnitProblems *p, const char *file, unsigned line, bool refused, const char *format,
                       ...) _printf_(5, 6);
void unit_problems_add_v(UnitProblems *p, const char *file, unsigned line, bool refused, const char *format,
                         va_list ap) _printf_(5, 0);
