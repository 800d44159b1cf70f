/*
 * The C library's matcher can be made to take minutes and gigabytes: it keeps every set of states that a
 * text leads it to. Here all the states that the bytes so far can lead to are walked side by side, and none
 * are kept: the price is at most the length of the text times the steps of the program, both bounded, in 16
 * KiB of the stack. Which part of the text matched is not asked for, so no more than that is needed.
 *
 * As nothing but the states of the moment matters, a text may come in pieces, and be left in the middle of
 * one. What waits for the end of the text waits among the states, for that the end is near is not known
 * before. While no match is under way, bytes that none can begin with are passed over: most of what is
 * matched against is text in which nothing is found.
 */

#include "core/pattern.h"

#include <errno.h>

#include "basic/alloc.h"
#include "core/error.h"

/* In the units of pattern_run_feed(). */
#define COST_STATE 4U
#define COST_ROUND 8U

typedef struct Walk {
        const PatternProgram *program;
        uint16_t seen[PATTERN_STEPS_MAX];  /* the round in which a step was last come to */
        uint16_t later[PATTERN_STEPS_MAX]; /* of splits: the other way; each step is in there once at most */
        uint16_t states[2][PATTERN_STEPS_MAX]; /* steps that wait: of this round, and the next */
        unsigned n_next;
        uint16_t *next;
        unsigned n_visited;
        uint16_t round; /* one for each byte: counted from 1 */
        bool at_begin, at_end, matched;
} Walk;

static void walk_begin(Walk *w, const Pattern *p)
{
        w->program = &p->program;
        w->round = 0;
        w->n_next = w->n_visited = 0;
        w->next = w->states[0];
        w->at_begin = w->at_end = w->matched = false;
        memset(w->seen, 0, p->program.n_steps * sizeof(w->seen[0]));
}

static void walk_round(Walk *w)
{
        if (w->round == UINT16_MAX) {
                memset(w->seen, 0, w->program->n_steps * sizeof(w->seen[0]));
                w->round = 0;
        }
        w->round++;
        w->n_next = 0;
}

static void come_to(Walk *w, unsigned step, unsigned *n_later)
{
        if (w->seen[step] == w->round)
                return;
        w->seen[step] = w->round;
        w->n_visited++;
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
                        if (w->at_begin)
                                come_to(w, at + 1, &n_later);
                        break;
                case STEP_END:
                        if (w->at_end)
                                come_to(w, at + 1, &n_later);
                        else
                                w->next[w->n_next++] = at;
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
        case STEP_ANY: return true;
        default: return false;
        }
}

static void find_first(Pattern *p)
{
        Walk w;

        walk_begin(&w, p);
        walk_round(&w);
        follow(&w, 0);
        memset(&p->first, 0, sizeof(p->first));
        for (unsigned byte = 0; byte < 256; byte++)
                for (unsigned k = 0; k < w.n_next; k++)
                        if (takes(&p->program, &p->program.steps[w.next[k]], (unsigned char) byte))
                                p->first.bits[byte / 8] |= (uint8_t) (1U << byte % 8);
}

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
        find_first(p);
        p->compiled = true;
        return 0;
}

void pattern_done(Pattern *p)
{
        pattern_program_done(&p->program);
        p->compiled = false;
}

int pattern_run_init(PatternRun *run, const Pattern *p)
{
        uint16_t *states = alloc_array(uint16_t, p->program.n_steps);

        if (!states)
                return -ENOMEM;
        *run = (PatternRun){.states = states};
        return 0;
}

void pattern_run_done(PatternRun *run)
{
        free(run->states);
        *run = (PatternRun){0};
}

void pattern_run_reset(PatternRun *run)
{
        *run = (PatternRun){.states = run->states};
}

/* Where a text begins, before its first byte. */
static void begin(PatternRun *run, Walk *w)
{
        run->begun = true;
        w->at_begin = true;
        walk_round(w);
        follow(w, 0);
        w->at_begin = false;
        run->matched = w->matched;
        run->n_states = w->n_next;
}

/* One byte; the states of before are in one half of w->states, those after it come into the other. */
static void take_byte(PatternRun *run, Walk *w, unsigned char byte)
{
        const PatternProgram *program = w->program;
        const uint16_t *states = w->next;
        unsigned n_states = run->n_states;

        w->next = w->states[states == w->states[0]];
        walk_round(w);
        for (unsigned k = 0; k < n_states && !w->matched; k++)
                if (takes(program, &program->steps[states[k]], byte))
                        follow(w, states[k] + 1U);
        run->idle = w->n_next == 0;
        follow(w, 0); /* a match may begin anywhere */
        run->matched = w->matched;
        run->n_states = w->n_next;
        run->dead = w->n_next == 0 && !w->matched; /* nothing is under way, and nothing will begin */
}

static size_t skip(const Pattern *p, const unsigned char *bytes, size_t size, uint64_t *budget)
{
        size_t most = MIN((uint64_t) size, *budget), n = 0;

        while (n < most && !pattern_set_has(&p->first, bytes[n]))
                n++;
        *budget -= n;
        return n;
}

static void pay(Walk *w, unsigned n_states, uint64_t *budget)
{
        uint64_t cost = COST_ROUND + (uint64_t) COST_STATE * (w->n_visited + n_states);

        *budget -= MIN(*budget, cost);
        w->n_visited = 0;
}

size_t pattern_run_feed(PatternRun *run, const Pattern *p, const void *data, size_t size, uint64_t *budget)
{
        const unsigned char *bytes = data;
        size_t i = 0;
        Walk w;

        if (run->matched || run->dead) {
                run->n_bytes += size;
                return size;
        }
        walk_begin(&w, p);
        if (run->begun) {
                memcpy(w.next, run->states, run->n_states * sizeof(uint16_t));
        } else {
                begin(run, &w);
                pay(&w, run->n_states, budget);
        }
        while (i<size && * budget> 0) {
                unsigned n_states = run->n_states;

                if (run->matched || run->dead) {
                        i = size;
                        break;
                }
                if (run->idle)
                        i += skip(p, bytes + i, size - i, budget);
                if (i == size || *budget == 0)
                        break;
                take_byte(run, &w, bytes[i++]);
                pay(&w, n_states, budget);
        }
        memcpy(run->states, w.next, run->n_states * sizeof(uint16_t));
        run->n_bytes += i;
        return i;
}

bool pattern_run_end(PatternRun *run, const Pattern *p, uint64_t *budget)
{
        const PatternProgram *program = &p->program;
        Walk w;

        if (run->matched || run->dead)
                return run->matched;
        walk_begin(&w, p);
        w.at_end = true;
        w.at_begin = run->n_bytes == 0;
        walk_round(&w);
        if (!run->begun)
                follow(&w, 0);
        for (unsigned k = 0; run->begun && k < run->n_states && !w.matched; k++)
                if (program->steps[run->states[k]].kind == STEP_END)
                        follow(&w, run->states[k] + 1U);
        pay(&w, run->n_states, budget);
        return w.matched;
}

bool pattern_match(const Pattern *p, const char *text)
{
        uint16_t states[PATTERN_STEPS_MAX];
        PatternRun run = {.states = states};
        uint64_t budget = UINT64_MAX;

        pattern_run_feed(&run, p, text, strnlen(text, PATTERN_TEXT_MAX), &budget);
        return pattern_run_end(&run, p, &budget);
}
