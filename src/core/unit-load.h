#pragma once

/*
 * Units made of a bundle of files: fragments and drop-ins by priority, instances of templates, what units
 * refer to, and that the whole has an order. Nothing here makes a system call.
 */

#include <stddef.h>

#include "basic/hashmap.h"
#include "unit/problem.h"
#include "unit/unit.h"

typedef struct UnitBundle UnitBundle;

#define UNITS_BYTES_MAX ((size_t) 32 * 1024 * 1024)
#define UNITS_MAX ((size_t) 1000) /* in a table; instances that refer to instances could go on for ever */

/* Owns its units. Refused ones are in it, too: they are listed, and StartUnit says what is wrong. */
typedef struct UnitTable {
        Unit **units; /* in the order of their names after unit_load_all() */
        size_t n;
        Hashmap by_name;
        size_t bytes; /* of all texts that were read for it, a template's once for each instance */
} UnitTable;

void unit_table_init(UnitTable *t);
void unit_table_done(UnitTable *t);
/* It is the caller's from now on. */
void unit_table_take(UnitTable *t, Unit *unit);
/* NULL: not loaded. */
Unit *unit_table_get(const UnitTable *t, const char *name);

/* Every unit of the bundle that is no template and not masked, and what they refer to. Circles of After= and
 * Before= are broken: the order of what is in the table can be had (unit/order.h). 0 or -ENOMEM, and then
 * *ret is untouched; what is wrong with a unit is among the problems, which may be NULL. */
int unit_load_all(const UnitBundle *b, UnitTable *ret, UnitProblems *problems);

/* The unit of that name, an instance of a template most of the time, with what it refers to, is added to the
 * table. 0, also when it was there; -EINVAL: not a name that a unit can have; -ENOENT: there is no file for
 * it; -ESHUTDOWN: masked; -EDQUOT: the table is full; -ENOMEM. On failure the table is as it was. */
int unit_load_one(const UnitBundle *b, const char *name, UnitTable *t, UnitProblems *problems);
