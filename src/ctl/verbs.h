#pragma once

/* The table of verbs. What --help shows, of all and of each, is made from here and from the tables of
 * options. */

#include "basic/macro.h"
#include "ctl/option.h"

typedef struct Client Client;
typedef struct Verb Verb;

enum {
        VERB_TAKES_COMMAND = 1 << 0, /* options end at the first operand: what follows is a command's own */
        VERB_IS_COMMAND = 1 << 1, /* the exit status is the command's, and 125 where reevectl itself fails */
};

struct Verb {
        const char *name;               /* one word, or two: "session open" belongs to the group "session" */
        const char *operands;           /* as in "Usage: reevectl NAME [OPTION...] OPERANDS" */
        const char *help;               /* one line, at most 49 columns */
        const char *notes;              /* a paragraph more of its own --help; or NULL */
        const Option *options, *shared; /* its own; those of several verbs. Either may be NULL */
        unsigned flags;
        size_t min_operands;
        size_t max_operands;
        /* args: what follows the verb, NULL-terminated; the array may be reordered. The exit status, or one
         * of output.h. */
        int (*run)(const Verb *verb, Client *c, char **args);
};

extern const Verb verbs[];
extern const size_t n_verbs;

/* The verb whose words args begins with; *ret_n, which may be NULL: how many these are. NULL: there is none.
 */
const Verb *verb_find(char *const *args, size_t *ret_n);
/* Whether v is one of that group. */
bool verb_is_in_group(const Verb *v, const char *group);

/* One file each; options is the verb's own table. */
extern const Option exec_options[], start_options[], list_options[], logs_options[], kill_options[],
                stop_options[], wait_options[], attach_options[];
extern const Option run_options[], session_open_options[], session_close_options[], session_env_options[],
                freeze_options[], unit_order_options[];
int verb_exec(const Verb *verb, Client *c, char **args);
int verb_start(const Verb *verb, Client *c, char **args);
int verb_list(const Verb *verb, Client *c, char **args);
int verb_status(const Verb *verb, Client *c, char **args);
int verb_logs(const Verb *verb, Client *c, char **args);
int verb_attach(const Verb *verb, Client *c, char **args);
int verb_kill(const Verb *verb, Client *c, char **args);
int verb_stop(const Verb *verb, Client *c, char **args);
int verb_wait(const Verb *verb, Client *c, char **args);
int verb_run(const Verb *verb, Client *c, char **args);
int verb_session_open(const Verb *verb, Client *c, char **args);
int verb_session_list(const Verb *verb, Client *c, char **args);
int verb_session_close(const Verb *verb, Client *c, char **args);
int verb_session_env(const Verb *verb, Client *c, char **args);
int verb_session_cd(const Verb *verb, Client *c, char **args);
int verb_unit_list(const Verb *verb, Client *c, char **args);
int verb_unit_status(const Verb *verb, Client *c, char **args);
int verb_unit_start(const Verb *verb, Client *c, char **args);
int verb_unit_stop(const Verb *verb, Client *c, char **args);
int verb_unit_restart(const Verb *verb, Client *c, char **args);
int verb_unit_reload(const Verb *verb, Client *c, char **args);
int verb_reload(const Verb *verb, Client *c, char **args);
int verb_detach(const Verb *verb, Client *c, char **args);
int verb_freeze(const Verb *verb, Client *c, char **args);
int verb_thaw(const Verb *verb, Client *c, char **args);
int verb_monitor(const Verb *verb, Client *c, char **args);
int verb_settings(const Verb *verb, Client *c, char **args);
int verb_shutdown(const Verb *verb, Client *c, char **args);
int verb_bridge(const Verb *verb, Client *c, char **args);
int verb_version(const Verb *verb, Client *c, char **args);
