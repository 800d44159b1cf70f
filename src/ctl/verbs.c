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
                .name = "run",
                .operands = "COMMAND...",
                .help = "Run a shell command in a session",
                .notes = "What it leaves behind of the session's directory, environment and umask is the"
                         " session's from then on. Several words are one command, with blanks between them."
                         " The exit status is as with exec.",
                .options = run_options,
                .shared = run_job_options,
                .flags = VERB_TAKES_COMMAND | VERB_IS_COMMAND,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_run,
        },
        {
                .name = "list",
                .operands = "[ID...]",
                .help = "Show the jobs that run",
                .options = list_options,
                .shared = selector_options,
                .max_operands = SIZE_MAX,
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
                .name = "attach",
                .operands = "ID",
                .help = "Be in front of a job: its output, your input",
                .notes = "To leave it, press ^] three times within a second; it goes on. The exit status is"
                         " the command's, as that of exec; 0 when it was left.",
                .options = attach_options,
                .flags = VERB_IS_COMMAND,
                .min_operands = 1,
                .max_operands = 1,
                .run = verb_attach,
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
                .help = "Wait until jobs have ended, listen or say so",
                .notes = "Of several things the first counts. The exit status is 0 when that is reached,"
                         " whatever became of the job; 1 also when the job ended before it could listen, or"
                         " write that line; 124 when the time to wait is over.",
                .options = wait_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_wait,
        },
        {
                .name = "freeze",
                .operands = "[ID...]",
                .help = "Make jobs stand still",
                .options = freeze_options,
                .max_operands = SIZE_MAX,
                .run = verb_freeze,
        },
        {
                .name = "thaw",
                .operands = "[ID...]",
                .help = "Let jobs go on",
                .options = freeze_options,
                .max_operands = SIZE_MAX,
                .run = verb_thaw,
        },
        {
                .name = "detach",
                .operands = "ID...",
                .help = "Let jobs outlive their session",
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_detach,
        },
        {
                .name = "session open",
                .operands = "NAME",
                .help = "Make a session",
                .notes = "One that was opened alike before is that session.",
                .options = session_open_options,
                .shared = session_job_options,
                .min_operands = 1,
                .max_operands = 1,
                .run = verb_session_open,
        },
        {
                .name = "session list",
                .operands = "",
                .help = "Show sessions",
                .run = verb_session_list,
        },
        {
                .name = "session close",
                .operands = "SESSION...",
                .help = "End sessions with all their jobs",
                .notes = "The exit status is 1 when something of them lives still.",
                .options = session_close_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_session_close,
        },
        {
                .name = "session env",
                .operands = "SESSION [VARIABLE=VALUE...]",
                .help = "Set variables of a session, or show their names",
                .options = session_env_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_session_env,
        },
        {
                .name = "session cd",
                .operands = "SESSION [DIRECTORY]",
                .help = "Change the directory of a session, or show it",
                .min_operands = 1,
                .max_operands = 2,
                .run = verb_session_cd,
        },
        {
                .name = "unit list",
                .operands = "",
                .help = "Show units: services out of unit files",
                .run = verb_unit_list,
        },
        {
                .name = "unit status",
                .operands = "UNIT...",
                .help = "Show all about units",
                .notes = "The exit status is 3 when one of them is not active.",
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_unit_status,
        },
        {
                .name = "unit start",
                .operands = "UNIT...",
                .help = "Start units, and what they require",
                .notes = "UNIT is the name of its file; \".service\" may be left out. The ids of their"
                         " jobs are printed when all are active, or have been. The exit status is 1 when"
                         " one of them is not, and the end of its log is shown.",
                .options = unit_order_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_unit_start,
        },
        {
                .name = "unit stop",
                .operands = "UNIT...",
                .help = "Stop units, and what requires them",
                .notes = "Comes back when nothing of them is left.",
                .options = unit_order_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_unit_stop,
        },
        {
                .name = "unit restart",
                .operands = "UNIT...",
                .help = "Stop units, and start them",
                .notes = "What requires them is stopped, and started, too. All else is as with unit start.",
                .options = unit_order_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_unit_restart,
        },
        {
                .name = "unit reload",
                .operands = "UNIT...",
                .help = "Let units read their own configuration",
                .notes = "That is what ExecReload= of them does; for unit files see reevectl reload.",
                .options = unit_order_options,
                .min_operands = 1,
                .max_operands = SIZE_MAX,
                .run = verb_unit_reload,
        },
        {
                .name = "reload",
                .operands = "",
                .help = "Read unit files anew, show what is wrong in them",
                .notes = "Units that run go on by what they were started with. The exit status is 1 when"
                         " there are units that are refused.",
                .run = verb_reload,
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
                .name = "exit",
                .operands = "[STATUS]",
                .help = "Stop all, and reeve with it",
                .notes = "reeve exits with that status, or 0; the init of a machine says it on the console,"
                         " and powers off.",
                .max_operands = 1,
                .run = verb_shutdown,
        },
        {
                .name = "poweroff",
                .operands = "[STATUS]",
                .help = "Stop all, and power the machine off",
                .notes = "Only where reeve is the init of a machine. The status, or 0, is said on the"
                         " console.",
                .max_operands = 1,
                .run = verb_shutdown,
        },
        {
                .name = "reboot",
                .operands = "[STATUS]",
                .help = "Stop all, and start the machine anew",
                .notes = "Only where reeve is the init of a machine. The status, or 0, is said on the"
                         " console.",
                .max_operands = 1,
                .run = verb_shutdown,
        },
        {
                .name = "halt",
                .operands = "[STATUS]",
                .help = "Stop all, and leave the machine powered on",
                .notes = "Only where reeve is the init of a machine. The status, or 0, is said on the"
                         " console.",
                .max_operands = 1,
                .run = verb_shutdown,
        },
        {
                .name = "bridge",
                .operands = "",
                .help = "Connect stdin and stdout to reeve, for D-Bus",
                .notes = "For addresses such as unixexec:path=docker,argv1=exec,argv2=-i,argv3=NAME,"
                         "argv4=reevectl,argv5=bridge; descriptors are not carried.",
                .run = verb_bridge,
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

bool verb_is_in_group(const Verb *v, const char *group)
{
        const char *rest = startswith(v->name, group);

        return rest && *rest == ' ';
}

const Verb *verb_find(char *const *args, size_t *ret_n)
{
        for (size_t i = 0; i < n_verbs; i++) {
                bool grouped = args[0] && verb_is_in_group(&verbs[i], args[0]);

                if (grouped ? !args[1] || !streq(strchr(verbs[i].name, ' ') + 1, args[1])
                            : !args[0] || !streq(verbs[i].name, args[0]))
                        continue;
                if (ret_n)
                        *ret_n = grouped ? 2 : 1;
                return &verbs[i];
        }
        return NULL;
}
