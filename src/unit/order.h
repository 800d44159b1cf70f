#pragma once

/*
 * The order in which units start, by After= and Before=; they stop the other way round. Who is needed is no
 * question of order: Requires= and Wants= are not looked at.
 */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Unit Unit;
typedef struct UnitProblems UnitProblems;

/* Finds every circle among n units of different names, says it whole, and takes the one edge that closes it
 * out of their lists. 0 or -ENOMEM. */
int unit_order_break_circles(Unit *const *units, size_t n, UnitProblems *problems);

/* Sorts them in place: each behind all that it is to start after; those that are free in this go by name.
 * Edges to units that are not among them do not count. 0; -ENOMEM, and then nothing moved; -ELOOP: there is
 * a circle. */
int unit_order_sort(Unit **units, size_t n);

/* Whether a is to start after b, by what either of them says directly. */
bool unit_is_after(const Unit *a, const Unit *b) _pure_;
