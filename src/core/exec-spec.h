#pragma once

/*
 * A request to run something, read and checked whole before anything happens: argv and every option of the
 * contract, typed. Where the options come from (a message, a unit file) is not its business: exec_spec_set()
 * takes a value of the settings table.
 */

#include <sys/resource.h>
#include <sys/types.h>

#include "basic/macro.h"
#include "basic/time.h"
#include "unit/settings.h"

typedef struct Error Error;

/* Restart=, systemd.service(5). In the order of the words in the settings table. */
typedef enum RestartWhen {
        RESTART_NO,
        RESTART_ON_FAILURE,
        RESTART_ON_ABNORMAL,
        RESTART_ALWAYS,
        RESTART_ON_SUCCESS,
} RestartWhen;

typedef enum ExecInput {
        EXEC_INPUT_NULL,
        EXEC_INPUT_DATA,
        EXEC_INPUT_PIPE,
        EXEC_INPUT_INHERIT, /* the main job: what reeve itself was given, and so for its output */
} ExecInput;

typedef enum NotifyAccess {
        NOTIFY_ACCESS_NONE,
        NOTIFY_ACCESS_MAIN, /* the leader */
        NOTIFY_ACCESS_ALL,  /* every process of the job */
} NotifyAccess;

/* 128 bits over the request that an Id stands for. */
typedef struct RequestDigest {
        uint64_t word[2];
} RequestDigest;

#define EXEC_INPUT_DATA_MAX (UINT64_C(16) * 1024 * 1024)
#define EXEC_OUTPUT_DEFAULT (UINT64_C(1024) * 1024)

typedef struct ExecSpec {
        char **argv;
        char *program;      /* where it is not argv[0]; NULL */
        bool expand;        /* $VARIABLES in argv are to be replaced, as in unit files */
        bool shell_command; /* argv is a session's shell, "-c" and the command (core/session-run.h) */
        uint64_t given[(_SETTING_MAX + 63) / 64]; /* bit id: the setting was given */

        char *id, *session, *description; /* NULL: default */
        char **labels;                    /* K=V */

        char *working_directory;
        char **environment, **unset_environment;
        char *user, *group;
        char **supplementary_groups;
        char **capability_bounding_set;
        uint64_t umask;
        int64_t nice, oom_score_adjust;
        bool no_new_privileges;
        uint64_t limits[RLIM_NLIMITS]; /* those that are given */

        ExecInput input;
        void *input_data;
        size_t input_size;
        int fds[3]; /* the caller's own for 0, 1, 2; -EBADF: not given, or the job has them */
        bool tee, merge_output;
        bool capture; /* of the main job, which has reeve's own: its output is kept as well */
        bool tty;
        uint64_t tty_rows, tty_columns; /* 0: default */
        char *term;                     /* NULL: default */

        usec_t runtime_max;  /* USEC_INFINITY: none */
        usec_t timeout_stop; /* USEC_INFINITY: none */
        int64_t kill_signal;
        bool kill_mixed, kill_on_exit, kill_on_disconnect, kill_on_cancel;
        uint64_t log_max_bytes; /* 0: default */

        NotifyAccess notify_access;
        bool notify_ready; /* Ready comes with READY=1; else with exec */
        usec_t watchdog;   /* 0: none */

        RestartWhen restart;
        usec_t restart_delay, restart_max_delay; /* the latter USEC_INFINITY: the pause stays what it is */
        uint64_t start_limit_burst;              /* 0: no limit */
        usec_t start_limit_interval;             /* likewise */

        /* How the caller wants its answer; no part of the request that an Id stands for. */
        usec_t initial_output; /* 0: none is waited for */
        usec_t drain_timeout;
        uint64_t output_max_bytes;
        bool text;
} ExecSpec;

void exec_spec_init(ExecSpec *s);
void exec_spec_done(ExecSpec *s);

static inline bool exec_spec_is_given(const ExecSpec *s, SettingId id)
{
        return s->given[id / 64] & (UINT64_C(1) << (id % 64));
}

/* Takes what it wants out of *value. Checks it (range, words, names); -EINVAL, -EOPNOTSUPP with the setting
 * named. The same setting twice is -EINVAL. */
int exec_spec_set(ExecSpec *s, SettingId id, SettingValue *value, Error *e);
/* argv is copied. */
int exec_spec_set_argv(ExecSpec *s, char *const *argv, Error *e);

/* After the last setting: what is missing or contradicts each other. start: for Start, not Exec. What is
 * wrong is told before what is not possible here. */
int exec_spec_check(const ExecSpec *s, bool start, Error *e);

/* Over argv and all settings but those that are SETTING_NEUTRAL. Tells mistakes apart, not forgeries:
 * FNV-1a, 128 bits. */
void exec_spec_digest(const ExecSpec *s, RequestDigest *ret);

/* Once the job has them: a copy here would keep open what the job closes. */
void exec_spec_close_descriptors(ExecSpec *s);
/* No two requests with descriptors are the same. */
bool exec_spec_has_descriptors(const ExecSpec *s);

/* Lets go of what only the start needed, secrets among it: environment, input. */
void exec_spec_trim(ExecSpec *s);

/* Who may notify: with a watchdog the leader can, also where it was not said that it may. */
NotifyAccess exec_spec_notify_access(const ExecSpec *s);

/* The setting that sets a resource limit, RLIMIT_…; -ENOENT. */
int exec_spec_limit_setting(int resource);

/* [A-Za-z0-9_.-]{1,64}: an Id, a session's name. */
bool job_name_is_valid(const char *s) _pure_;
