#pragma once

/*
 * The text of a unit's files into its Unit: the fragment first, then its drop-ins, then finish. What is
 * wrong is said with file, line and key; it refuses the unit, and the rest is read all the same, so that
 * everything is said at once.
 */

#include <stddef.h>

#include "basic/macro.h"
#include "unit/problem.h"
#include "unit/specifier.h"
#include "unit/unit.h"

typedef struct UnitParser {
        Unit *unit;
        UnitProblems *problems;
        SpecifierContext specifiers;
        UnitPlace place; /* what is being read */
        size_t n_words;  /* of all lists */
        bool timeout_start_given;
        UnitPlace second_command; /* of ExecStart; line 0: there is none */
} UnitParser;

/* hostname: %H, may be NULL; problems may be NULL. All of it must live as long as the parser, which owns
 * nothing. */
void unit_parser_init(UnitParser *p, Unit *u, const char *hostname, UnitProblems *problems);

/* One more file. 0 or -ENOMEM. */
int unit_parser_read(UnitParser *p, const char *path, const char *text, size_t size);

/* What is missing, what contradicts each other, and the defaults that depend on other keys. */
void unit_parser_finish(UnitParser *p);

/* Refuses the unit, for what stands at that place (line 0: for the file as a whole). */
void unit_refuse(Unit *u, UnitPlace place, UnitProblems *problems, const char *format, ...) _printf_(4, 5);
void unit_warn(const Unit *u, UnitPlace place, UnitProblems *problems, const char *format, ...)
                _printf_(4, 5);
