#pragma once

/*
 * The lines of a unit file, systemd.syntax(7): sections, assignments, comments, lines that go on behind a
 * backslash. What they mean is not looked at.
 */

#include <stddef.h>

#include "basic/macro.h"

#define UNIT_LINE_MAX ((size_t) 64 * 1024) /* bytes, with all that a line goes on with */

typedef struct UnitText {
        const char *text; /* need not end in NUL */
        size_t size, position;
        unsigned line; /* how many were read */
        char *current; /* what the item points into */
} UnitText;

#define UNIT_TEXT(text_, size_) ((UnitText){.text = (text_), .size = (size_)})

typedef enum UnitItemType {
        UNIT_ITEM_END,
        UNIT_ITEM_SECTION,    /* name */
        UNIT_ITEM_ASSIGNMENT, /* name, value: blanks at both ends are gone */
        UNIT_ITEM_BROKEN,     /* reason: the line is none of these */
} UnitItemType;

typedef struct UnitItem {
        UnitItemType type;
        unsigned line; /* the first, of one that goes on */
        const char *name, *value;
        const char *reason; /* a sentence, static */
} UnitItem;

/* What makes a text none that lines could be read from: NULL, or why (static), and in which line. */
const char *unit_text_check(const char *text, size_t size, unsigned *ret_line);

/* The next one; what it points to lives until the next call. 0 or -ENOMEM. The text was checked. */
int unit_text_next(UnitText *t, UnitItem *ret);
void unit_text_done(UnitText *t);
