/* The table of verbs, in the order in which one comes to need them. */

#include "ctl/verbs.h"

#include <stdint.h>

#include "ctl/options.h"
#include "ctl/selector.h"

/* clang-format off */
const Verb verbs[] = {
        {
                .name = "exec",
                .operands = "COMMAND [ARG...]",
                .help = "Run a command; pass on its output and exit status",
                .notes = "The exit status is the command's: 128 and the number of the signal that ended it,"
                         " 127 when it is not found, 126 when it cannot be executed, 124 when its time ran"
                         " out and it exited with 0; 125 when reevectl itself fails.",
                .options = exec_options,
                .shared = job_options,
                .flags = VERB_TAKES_COMMAND | VERB_IS_COMMAND,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_exec,
        },
        {
                .name = "start",
                .operands = "COMMAND [ARG...]",
                .help = "Run a command in the background, print its id",
                .options = start_options,
                .shared = job_options,
                .flags = VERB_TAKES_COMMAND,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_start,
        },
        {
                .name = "list",
                .operands = "",
                .help = "Show the jobs that run",
                .options = list_options,
                .shared = selector_options,
                .run = verb_list,
        },
        {
                .name = "status",
                .operands = "[ID...]",
                .help = "Show all about jobs, or about reeve",
                .max_operands = SIZE_MAX,
                .run = verb_status,
        },
        {
                .name = "logs",
                .operands = "ID",
                .help = "Show what a job wrote",
                .options = logs_options,
                .min_operands = 1,
                .max_operands = 1,
                .run = verb_logs,
        },
        {
                .name = "kill",
                .operands = "[ID...]",
                .help = "Send a signal to jobs",
                .options = kill_options,
                .shared = selector_options,
                .max_operands = SIZE_MAX,
                .run = verb_kill,
        },
        {
                .name = "stop",
                .operands = "[ID...]",
                .help = "End jobs with all that they started",
                .notes = "The exit status is 1 when something of them lives still.",
                .options = stop_options,
                .shared = selector_options,
                .max_operands = SIZE_MAX,
                .run = verb_stop,
        },
        {
                .name = "wait",
                .operands = "ID...",
                .help = "Wait until jobs have ended",
                .notes = "The exit status is 0 when that is reached, whatever became of the job; 124 when"
                         " the time to wait is over.",
                .options = wait_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_wait,
        },
        {
                .name = "monitor",
                .operands = "",
                .help = "Show what happens, until it is interrupted",
                .run = verb_monitor,
        },
        {
                .name = "settings",
                .operands = "",
                .help = "Show what exec -p and start -p take",
                .run = verb_settings,
        },
        {
                .name = "version",
                .operands = "",
                .help = "Show the versions of reevectl and reeve",
                .run = verb_version,
        },
};
/* clang-format on */

const size_t n_verbs = ELEMENTSOF(verbs);

const Verb *verb_find(const char *name)
{
        for (size_t i = 0; i < n_verbs; i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}
