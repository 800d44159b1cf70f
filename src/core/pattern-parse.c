/*
 * The parser goes through the pattern once and writes the program as it goes: what repeats or is an
 * alternative has steps put before and behind it, an interval is so many copies. Nothing recurs: open groups
 * are on a stack of fixed depth. What POSIX leaves undefined is refused rather than guessed at.
 */

#include "core/pattern-parse.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>

#include "basic/alloc.h"

#define NO_ATOM UINT_MAX
#define NO_BOUND UINT_MAX

typedef struct Group {
        unsigned begin;       /* its first step */
        unsigned alternative; /* the first step of the alternative that is being read */
        unsigned last_jump; /* the end of the alternative before; a chain: each "to" is the distance back */
        bool has_jump;
} Group;

typedef struct Parser {
        const char *s;
        PatternProgram program;
        Group groups[PATTERN_NESTING_MAX + 1]; /* the first is the whole pattern */
        unsigned depth;
        unsigned atom; /* where begins what "*" would repeat, or NO_ATOM */
        const char *reason;
} Parser;

static int refuse(Parser *p, const char *reason)
{
        p->reason = reason;
        return -EINVAL;
}

/* Makes room for n steps at the position given. */
static int steps_insert(Parser *p, unsigned at, unsigned n)
{
        PatternProgram *g = &p->program;

        if (n > PATTERN_STEPS_MAX - g->n_steps)
                return refuse(p, "is too large");
        if (g->n_steps + n > g->steps_room) {
                unsigned room = MIN(2 * g->n_steps + n + 16, PATTERN_STEPS_MAX);
                PatternStep *steps = alloc_resize(g->steps, room, sizeof(PatternStep));

                if (!steps)
                        return -ENOMEM;
                g->steps = steps;
                g->steps_room = room;
        }
        memmove(g->steps + at + n, g->steps + at, (g->n_steps - at) * sizeof(PatternStep));
        g->n_steps += n;
        return 0;
}

static int step_insert(Parser *p, unsigned at, PatternStepKind kind, int to)
{
        int r = steps_insert(p, at, 1);

        if (r >= 0)
                p->program.steps[at] = (PatternStep){.kind = kind, .to = to};
        return r;
}

static int step_append(Parser *p, PatternStepKind kind, int to)
{
        return step_insert(p, p->program.n_steps, kind, to);
}

static int byte_append(Parser *p, char byte)
{
        int r;

        p->atom = p->program.n_steps;
        r = step_append(p, STEP_BYTE, 0);
        if (r >= 0)
                p->program.steps[p->atom].byte = (unsigned char) byte;
        return r;
}

static int set_append(Parser *p, const PatternSet *set, bool negated)
{
        PatternProgram *g = &p->program;
        PatternSet *sets = alloc_resize(g->sets, g->n_sets + 1, sizeof(PatternSet));

        if (!sets)
                return -ENOMEM;
        g->sets = sets;
        sets[g->n_sets] = *set;
        for (size_t i = 0; negated && i < sizeof(set->bits); i++)
                sets[g->n_sets].bits[i] ^= 0xff;
        p->atom = g->n_steps;
        return step_append(p, STEP_SET, g->n_sets++);
}

static void set_add(PatternSet *set, unsigned char byte)
{
        set->bits[byte / 8] |= 1U << byte % 8;
}

static void set_add_class(PatternSet *set, int (*is_in)(int))
{
        for (int byte = 0; byte < 128; byte++) /* those of the C locale */
                if (is_in(byte))
                        set_add(set, byte);
}

/* At the name in "[:name:]". */
static int read_class(Parser *p, PatternSet *set)
{
        static const struct {
                const char *name;
                int (*is_in)(int);
        } classes[] = {
                        {"alnum:]", isalnum}, {"alpha:]", isalpha}, {"blank:]", isblank},
                        {"cntrl:]", iscntrl}, {"digit:]", isdigit}, {"graph:]", isgraph},
                        {"lower:]", islower}, {"print:]", isprint}, {"punct:]", ispunct},
                        {"space:]", isspace}, {"upper:]", isupper}, {"xdigit:]", isxdigit},
        };

        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                size_t n = strlen(classes[i].name);

                if (strncmp(p->s, classes[i].name, n) == 0) {
                        p->s += n;
                        set_add_class(set, classes[i].is_in);
                        return 0;
                }
        }
        return refuse(p, "has an unknown character class");
}

/* One byte, or a range of them. */
static int read_range(Parser *p, PatternSet *set, bool first)
{
        unsigned char low = *p->s, high = low;

        /* "a-c-e" is whatever an implementation likes. */
        if (low == '-' && !first && p->s[1] != ']')
                return refuse(p, "has a bad range");
        p->s++;
        if (p->s[0] == '-' && p->s[1] != ']' && p->s[1] != '\0') {
                high = p->s[1];
                if (high < low || (high == '[' && p->s[2] != '\0' && strchr(".=:", p->s[2])))
                        return refuse(p, "has a bad range");
                p->s += 2;
        }
        for (unsigned byte = low; byte <= high; byte++)
                set_add(set, byte);
        return 0;
}

/* After the "[". */
static int read_bracket(Parser *p)
{
        PatternSet set = {{0}};
        bool negated = *p->s == '^';
        int r;

        p->s += negated;
        for (bool first = true; first || *p->s != ']'; first = false) {
                if (*p->s == '\0')
                        return refuse(p, "has an unmatched [");
                if (p->s[0] == '[' && p->s[1] == ':') {
                        p->s += 2;
                        r = read_class(p, &set);
                        if (r >= 0 && p->s[0] == '-' && p->s[1] != ']')
                                r = refuse(p, "has a bad range");
                } else if (p->s[0] == '[' && (p->s[1] == '.' || p->s[1] == '=')) {
                        r = refuse(p, "has a collating element");
                } else {
                        r = read_range(p, &set, first);
                }
                if (r < 0)
                        return r;
        }
        p->s++;
        return set_append(p, &set, negated);
}

/* After the backslash. */
static int read_escape(Parser *p)
{
        PatternSet set = {{0}};
        char c = *p->s;

        if (c == '\0')
                return refuse(p, "ends with a backslash");
        p->s++;
        switch (c) {
        case 'w':
        case 'W':
                set_add_class(&set, isalnum);
                set_add(&set, '_');
                return set_append(p, &set, c == 'W');
        case 's':
        case 'S': set_add_class(&set, isspace); return set_append(p, &set, c == 'S');
        case '0' ... '9': return refuse(p, "has a back-reference");
        case 'a' ... 'r':
        case 't' ... 'v':
        case 'x' ... 'z':
        case 'A' ... 'R':
        case 'T' ... 'V':
        case 'X' ... 'Z':
        case '<': /* to the C library these are ends of words, and of the text */
        case '>':
        case '`':
        case '\'': return refuse(p, "has an unknown escape");
        default: return byte_append(p, c);
        }
}

/* More than PATTERN_REPEAT_MAX is told as PATTERN_REPEAT_MAX + 1. */
static unsigned read_number(Parser *p, unsigned otherwise)
{
        unsigned n = 0;

        if (!isdigit((unsigned char) *p->s))
                return otherwise;
        for (; isdigit((unsigned char) *p->s); p->s++)
                n = MIN(10 * n + (*p->s - '0'), PATTERN_REPEAT_MAX + 1);
        return n;
}

static int write_star(Parser *p, unsigned length)
{
        int r = step_insert(p, p->atom, STEP_SPLIT, length + 2);

        return r < 0 ? r : step_append(p, STEP_JUMP, -(int) (length + 1));
}

/* The atom, low times; then without a bound, or as often again as makes high: from each of those on, all
 * that are left may be passed over. (high is at least 1, and so there is a copy to begin with.) */
static int write_copies(Parser *p, unsigned length, unsigned low, unsigned high)
{
        bool unbound = high == NO_BOUND;
        unsigned copies = unbound ? low : high, splits = unbound ? 1 : high - low;
        unsigned at = p->atom + (low == 0), atom = at;
        PatternStep *steps;
        int r;

        if (copies * length + splits > PATTERN_STEPS_MAX - p->atom)
                return refuse(p, "repeats too much");
        r = steps_insert(p, p->atom, low == 0);
        if (r >= 0)
                r = steps_insert(p, p->program.n_steps, (copies - 1) * length + splits - (low == 0));
        if (r < 0)
                return r;
        steps = p->program.steps;
        if (low == 0)
                steps[p->atom] = (PatternStep){.kind = STEP_SPLIT, .to = copies * (length + 1)};
        for (unsigned i = 1; i < copies; i++) {
                at += length;
                if (i >= low)
                        steps[at++] = (PatternStep){.kind = STEP_SPLIT, .to = (copies - i) * (length + 1)};
                memcpy(steps + at, steps + atom, length * sizeof(PatternStep));
        }
        if (unbound)
                steps[at + length] = (PatternStep){.kind = STEP_SPLIT, .to = -(int) length};
        return 0;
}

static int repeat(Parser *p, unsigned low, unsigned high)
{
        unsigned length = p->program.n_steps - p->atom;

        if (length == 0) /* "()*" */
                return 0;
        if (high == 0) {
                p->program.n_steps = p->atom;
                return 0;
        }
        if (low == 0 && high == NO_BOUND)
                return write_star(p, length);
        return write_copies(p, length, low, high);
}

/* After the "{". */
static int read_interval(Parser *p)
{
        bool comma_first = *p->s == ',';
        unsigned low = read_number(p, comma_first ? 0 : NO_BOUND), high = low;

        if (low == NO_BOUND)
                return refuse(p, "has a bad interval");
        if (*p->s == ',') {
                p->s++;
                high = read_number(p, NO_BOUND);
        }
        if (*p->s != '}' || low > high)
                return refuse(p, "has a bad interval");
        p->s++;
        if (low > PATTERN_REPEAT_MAX || (high > PATTERN_REPEAT_MAX && high != NO_BOUND))
                return refuse(p, "repeats too much");
        return repeat(p, low, high);
}

static int read_repetition(Parser *p, char c)
{
        if (p->atom == NO_ATOM)
                return refuse(p, "has nothing to repeat");
        switch (c) {
        case '*': return repeat(p, 0, NO_BOUND);
        case '+': return repeat(p, 1, NO_BOUND);
        case '?': return repeat(p, 0, 1);
        default: return read_interval(p);
        }
}

static int open_group(Parser *p)
{
        unsigned begin = p->program.n_steps;

        if (p->depth == PATTERN_NESTING_MAX)
                return refuse(p, "is nested too deeply");
        p->groups[++p->depth] = (Group){.begin = begin, .alternative = begin};
        p->atom = NO_ATOM;
        return 0;
}

/* At a "|": what was read of the group since the last one may be passed over, and jumps to its end. */
static int next_alternative(Parser *p)
{
        Group *g = &p->groups[p->depth];
        unsigned jump = p->program.n_steps + 1;
        int r;

        r = step_insert(p, g->alternative, STEP_SPLIT, jump + 1 - g->alternative);
        if (r >= 0)
                r = step_append(p, STEP_JUMP, g->has_jump ? jump - g->last_jump : 0);
        if (r < 0)
                return r;
        g->last_jump = jump;
        g->has_jump = true;
        g->alternative = p->program.n_steps;
        p->atom = NO_ATOM;
        return 0;
}

/* Now that its end is known, the jumps there are told. */
static void end_group(Parser *p)
{
        const Group *g = &p->groups[p->depth];
        unsigned jump = g->last_jump;
        int back = g->has_jump ? 1 : 0;

        while (back != 0) {
                PatternStep *step = &p->program.steps[jump];

                back = step->to;
                step->to = p->program.n_steps - jump;
                jump -= back;
        }
        p->atom = g->begin;
}

static int close_group(Parser *p)
{
        if (p->depth == 0)
                return refuse(p, "has an unmatched )");
        end_group(p);
        p->depth--;
        return 0;
}

static int read_one(Parser *p)
{
        char c = *p->s++;

        switch (c) {
        case '(': return open_group(p);
        case ')': return close_group(p);
        case '|': return next_alternative(p);
        case '*':
        case '+':
        case '?':
        case '{': return read_repetition(p, c);
        case '[': return read_bracket(p);
        case '\\': return read_escape(p);
        case '^':
        case '$': p->atom = NO_ATOM; return step_append(p, c == '^' ? STEP_BEGIN : STEP_END, 0);
        case '.': p->atom = p->program.n_steps; return step_append(p, STEP_ANY, 0);
        default: return byte_append(p, c);
        }
}

int pattern_parse(const char *text, PatternProgram *program, const char **reason)
{
        Parser p = {.s = text, .atom = NO_ATOM};
        int r = 0;

        while (r >= 0 && *p.s)
                r = read_one(&p);
        if (r >= 0 && p.depth > 0)
                r = refuse(&p, "has an unmatched (");
        if (r >= 0) {
                end_group(&p);
                r = step_append(&p, STEP_MATCH, 0);
        }
        if (r < 0) {
                *reason = p.reason;
                pattern_program_done(&p.program);
                return r;
        }
        *program = p.program;
        return 0;
}

void pattern_program_done(PatternProgram *program)
{
        free(program->steps);
        free(program->sets);
        *program = (PatternProgram){.steps = NULL};
}
