/*
 * The C library's matcher can be made to take minutes and gigabytes: it keeps every set of states that a
 * text leads it to. Here all the states that the bytes so far can lead to are walked side by side, and none
 * are kept: the price is at most the length of the text times the steps of the program, both bounded, in 16
 * KiB of the stack. Which part of the text matched is not asked for, so no more than that is needed.
 */

#include "core/pattern.h"

#include <errno.h>

#include "core/error.h"

typedef struct Walk {
        const PatternProgram *program;
        uint16_t seen[PATTERN_STEPS_MAX];  /* the round in which a step was last come to */
        uint16_t later[PATTERN_STEPS_MAX]; /* of splits: the other way; each step is in there once at most */
        uint16_t states[2][PATTERN_STEPS_MAX]; /* steps that wait for a byte: of this round, and the next */
        unsigned n_next;
        uint16_t *next;
        uint16_t round; /* one for each byte and one before: counted from 1 */
        bool at_end, matched;
} Walk;

static_assert(PATTERN_TEXT_MAX + 1 <= UINT16_MAX, "a round has a number of its own");

int pattern_compile(Pattern *p, const char *key, const char *text, Error *e)
{
        const char *reason = NULL;
        int r;

        if (strlen(text) > PATTERN_LENGTH_MAX)
                return error_set(e, ERROR_INVALID_ARGS, "%s: is longer than %u bytes", key,
                                 PATTERN_LENGTH_MAX);
        r = pattern_parse(text, &p->program, &reason);
        if (r == -ENOMEM)
                return error_no_memory(e);
        if (r < 0)
                return error_set(e, ERROR_INVALID_ARGS, "%s: %s", key, reason);
        p->compiled = true;
        return 0;
}

void pattern_done(Pattern *p)
{
        pattern_program_done(&p->program);
        p->compiled = false;
}

static void come_to(Walk *w, unsigned step, unsigned *n_later)
{
        if (w->seen[step] == w->round)
                return;
        w->seen[step] = w->round;
        w->later[(*n_later)++] = step;
}

/* All that the step given leads to without a byte. */
static void follow(Walk *w, unsigned first)
{
        unsigned n_later = 0;

        come_to(w, first, &n_later);
        while (n_later > 0) {
                unsigned at = w->later[--n_later];
                const PatternStep *step = &w->program->steps[at];

                switch (step->kind) {
                case STEP_SPLIT:
                        come_to(w, at + step->to, &n_later);
                        come_to(w, at + 1, &n_later);
                        break;
                case STEP_JUMP: come_to(w, at + step->to, &n_later); break;
                case STEP_BEGIN:
                        if (w->round == 1)
                                come_to(w, at + 1, &n_later);
                        break;
                case STEP_END:
                        if (w->at_end)
                                come_to(w, at + 1, &n_later);
                        break;
                case STEP_MATCH: w->matched = true; break;
                default: w->next[w->n_next++] = at;
                }
        }
}

static bool takes(const PatternProgram *program, const PatternStep *step, unsigned char byte)
{
        switch (step->kind) {
        case STEP_BYTE: return step->byte == byte;
        case STEP_SET: return pattern_set_has(&program->sets[step->to], byte);
        default: return true;
        }
}

bool pattern_match(const Pattern *p, const char *text)
{
        const PatternProgram *program = &p->program;
        size_t n = strnlen(text, PATTERN_TEXT_MAX);
        Walk w;

        w.program = program;
        w.matched = false;
        w.n_next = 0;
        memset(w.seen, 0, program->n_steps * sizeof(w.seen[0]));
        for (size_t i = 0;; i++) {
                const uint16_t *states = w.states[i % 2];
                unsigned n_states = w.n_next;

                w.next = w.states[(i + 1) % 2];
                w.n_next = 0;
                w.round = i + 1;
                w.at_end = i == n;
                for (unsigned k = 0; i > 0 && k < n_states && !w.matched; k++)
                        if (takes(program, &program->steps[states[k]], text[i - 1]))
                                follow(&w, states[k] + 1U);
                follow(&w, 0); /* a match may begin anywhere */
                if (w.matched)
                        return true;
                /* Nothing is under way, and nothing will begin. */
                if (i == n || (w.n_next == 0 && program->steps[0].kind == STEP_BEGIN))
                        return false;
        }
}
