/* reevectl attach: be in front of a job that runs already. */

#include <errno.h>

#include "basic/alloc.h"
#include "basic/parse.h"
#include "ctl/args.h"
#include "ctl/attach.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

#define LINES_DEFAULT 10U

enum {
        OPTION_LINES = 1,
};

const Option attach_options[] = {
                {OPTION_LINES, 'n', "tail", "LINES",
                 "show its newest lines first (default: 10, or as many as the terminal has)"},
                {0},
};

typedef struct AttachOptions {
        uint64_t lines;
        bool lines_given;
} AttachOptions;

static int attach_set(void *object, const Verb *verb, int id, const char *value)
{
        AttachOptions *o = object;

        if (parse_u64(value, &o->lines) < 0)
                return misuse(verb, "--tail=%s: a number of lines is needed", value);
        o->lines_given = true;
        return 0;
}

static AttachKind kind_of(const Properties *job)
{
        const char *input = properties_string(job, "StandardInput");

        return streq(input, "tty") ? ATTACH_TTY : streq(input, "pipe") ? ATTACH_PIPE : ATTACH_OUTPUT;
}

static int attach_run(const AttachOptions *o, const Verb *verb, Client *c, const char *id)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_free_ char *path = NULL;
        AttachRequest request = {.id = id, .lines = o->lines};
        Terminal t = TERMINAL_NULL;
        unsigned rows, columns;
        int r;

        if (c->json)
                return misuse(verb,
                              "--json does not go with attach; follow the log instead: reevectl logs -f");
        r = client_job_path(c, id, &path);
        if (r >= 0)
                r = client_properties(c, path, BUS_INTERFACE_JOB, &job);
        if (r < 0)
                return r;
        request.path = path;
        request.kind = kind_of(&job);
        request.exited = properties_number(&job, "PID", 0) == 0;
        r = terminal_open(&t);
        if (r >= 0 && !o->lines_given)
                request.lines = terminal_size(&t, &rows, &columns) && request.kind == ATTACH_TTY
                                                ? rows
                                                : LINES_DEFAULT;
        if (r >= 0)
                r = attach(c, &t, &request);
        terminal_close(&t);
        return r;
}

int verb_attach(const Verb *verb, Client *c, char **args)
{
        AttachOptions o = {0};
        int r;

        r = args_parse(verb, c, args, attach_set, &o, &args);
        return r > 0 ? attach_run(&o, verb, c, args[0]) : r;
}
