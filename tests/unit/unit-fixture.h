#pragma once

/* A unit read from text, and what was said of it. */

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "unit/problem.h"
#include "unit/unit-parse.h"
#include "unit/unit.h"
#include "test-main.h"

typedef struct Parsed {
        Unit *unit;
        UnitProblems problems;
        char *said; /* "LINE: message\n" each, "LINE! message\n" for what refuses */
} Parsed;

static inline char *problems_text(const UnitProblems *p)
{
        Buffer b = BUFFER_INIT;

        for (size_t i = 0; i < p->n; i++)
                buffer_printf(&b, "%u%c %s\n", p->list[i].line, p->list[i].refused ? '!' : ':',
                              p->list[i].message);
        return buffer_take(&b, NULL);
}

static inline Parsed parse_text(const char *name, const char *text, size_t size)
{
        Parsed p = {.unit = unit_new(name)};
        UnitParser parser;

        unit_parser_init(&parser, p.unit, "hal", &p.problems);
        ck_assert_int_eq(unit_parser_read(&parser, "/u/x.service", text, size), 0);
        unit_parser_finish(&parser);
        p.said = problems_text(&p.problems);
        return p;
}

static inline Parsed parse(const char *name, const char *text)
{
        return parse_text(name, text, strlen(text));
}

static inline void parsed_done(Parsed *p)
{
        unit_free(p->unit);
        unit_problems_done(&p->problems);
        free(p->said);
}
#define _cleanup_parsed_ _cleanup_(parsed_done)
