#pragma once

/* A POSIX extended regular expression (regex(7)) as a program of steps. Each step takes a byte, or none, and
 * leads to the next one, or also to one that lies "to" steps away: so any piece of a program is copied, or
 * moved, as it is. */

#include "basic/macro.h"

#define PATTERN_STEPS_MAX 2000U /* of a program, with all intervals written out */
#define PATTERN_REPEAT_MAX 1000U
#define PATTERN_NESTING_MAX 50U

typedef enum PatternStepKind {
        STEP_BYTE,  /* takes this byte */
        STEP_ANY,   /* takes any byte */
        STEP_SET,   /* takes a byte of the set */
        STEP_SPLIT, /* goes on with the next step, and also "to" steps away */
        STEP_JUMP,
        STEP_BEGIN, /* goes on at the beginning of the text only */
        STEP_END,
        STEP_MATCH,
} PatternStepKind;

typedef struct PatternStep {
        uint8_t kind;
        uint8_t byte;
        int16_t to; /* of a set: its index */
} PatternStep;

typedef struct PatternSet {
        uint8_t bits[32];
} PatternSet;

typedef struct PatternProgram {
        PatternStep *steps;
        PatternSet *sets;
        unsigned n_steps, n_sets, steps_room;
} PatternProgram;

static inline bool pattern_set_has(const PatternSet *set, unsigned char byte)
{
        return set->bits[byte / 8] & (1U << byte % 8);
}

/* -EINVAL (and *reason says why), -ENOMEM. */
int pattern_parse(const char *text, PatternProgram *program, const char **reason);
void pattern_program_done(PatternProgram *program);
