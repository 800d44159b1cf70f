/*
 * Everything that can fail is done before the clone, and everything that the child will need is in one
 * struct by then. What fails in the child comes back as {step, errno}; which of the contract's errors that
 * is, is decided here.
 */

#include "core/job-start.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/path.h"
#include "basic/strv.h"
#include "core/environment.h"
#include "core/job-set.h"
#include "core/job-stdio.h"
#include "core/job.h"
#include "core/notify.h"
#include "core/session.h"
#include "core/shell-state.h"
#include "sys/capability.h"
#include "sys/spawn.h"
#include "sys/userdb.h"
#include "unit/command.h"

/* What nearly every terminal of today understands. */
#define TERM_DEFAULT "xterm-256color"

/* What SpawnParameters points to, until the clone. */
typedef struct Preparation {
        UserRecord user;
        char **environment;
        gid_t *groups;
        char *script, *argv[4]; /* of a shell command */
        char **expanded;        /* argv of a unit's command */
        JobStdio stdio;
        int cgroup_fd;
} Preparation;

static void preparation_done(Preparation *p)
{
        user_record_done(&p->user);
        strv_free(p->environment);
        free(p->groups);
        free(p->script);
        strv_free(p->expanded);
        job_stdio_done(&p->stdio);
        fd_close(p->cgroup_fd);
}

int job_start_failed(Error *e, const char *step, int error)
{
        if (error == -ENOMEM)
                return error_no_memory(e);
        return error_set(e, ERROR_START_FAILED, "%s: %s (%d %s)", step, errno_text(error),
                         error < 0 ? -error : error, errno_name(error));
}

static int no_such_user(Error *e, SettingId id, const char *name, int r)
{
        if (r != -ESRCH && r != -EINVAL)
                return job_start_failed(e, "users", r);
        return error_set(e, ERROR_NO_SUCH_USER, "%s: \"%s\" is not known", settings[id].name, name);
}

static int append_group(gid_t **groups, size_t *n, gid_t gid)
{
        gid_t *g = alloc_resize(*groups, *n + 1, sizeof(gid_t));

        if (!g)
                return -ENOMEM;
        g[(*n)++] = gid;
        *groups = g;
        return 0;
}

static int prepare_groups(const Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        const ExecSpec *spec = &job->spec;
        int r;

        if (job->user && p->user.name) {
                r = userdb_groups("/", p->user.name, sp->gid, &p->groups, &sp->n_groups);
                if (r < 0)
                        return job_start_failed(e, "groups", r);
        }
        for (char **s = spec->supplementary_groups; s && *s; s++) {
                gid_t gid;

                r = userdb_group("/", *s, &gid);
                if (r < 0)
                        return no_such_user(e, SETTING_SUPPLEMENTARY_GROUPS, *s, r);
                r = append_group(&p->groups, &sp->n_groups, gid);
                if (r < 0)
                        return error_no_memory(e);
        }
        sp->groups = p->groups;
        /* Another user's process keeps none of reeve's own groups. */
        sp->set_groups = job->user || exec_spec_is_given(spec, SETTING_SUPPLEMENTARY_GROUPS);
        return 0;
}

/* Not to be freed. */
static JobBase base_of(const Job *job)
{
        const Session *s = job->session_of;

        if (job->base.environment)
                return job->base;
        return (JobBase){.environment = s->environment,
                         .working_directory = s->working_directory,
                         .group = s->group,
                         .umask = s->umask};
}

/* A user of its own brings its own group; one of the session's the session's. */
static int prepare_user(Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        const char *group = job->spec.group ?: job->spec.user ? job->spec.group : base_of(job).group;
        int r;

        if (job->user) {
                r = userdb_user("/", job->user, &p->user);
                if (r < 0)
                        return no_such_user(e, SETTING_USER, job->user, r);
                sp->set_user = sp->set_group = true;
                sp->uid = p->user.uid;
                sp->gid = p->user.gid;
        }
        if (group) {
                r = userdb_group("/", group, &sp->gid);
                if (r < 0)
                        return no_such_user(e, SETTING_GROUP, group, r);
                sp->set_group = true;
        }
        return prepare_groups(job, p, sp, e);
}

static int prepare_directory(Job *job, SpawnParameters *sp, Error *e)
{
        const char *base = base_of(job).working_directory, *given = job->spec.working_directory;

        free(job->working_directory);
        job->working_directory = given ? path_absolute(base, given) : str_copy(base);
        if (!job->working_directory)
                return error_no_memory(e);
        sp->working_directory = job->working_directory;
        return 0;
}

static int prepare_environment(Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        const EnvironmentRequest request = {
                        .session = base_of(job).environment,
                        .working_directory = job->spec.shell_command ? job->working_directory : NULL,
                        .user = job->spec.user ? &p->user : NULL,
                        .term = job->spec.tty ? job->spec.term ?: TERM_DEFAULT : NULL,
                        .job_id = job->id,
                        .session_name = job->session,
                        .notify_socket = job->notify ? job->notify->address : NULL,
                        .watchdog = job->notify ? job->notify->watchdog : 0,
                        .set = job->spec.environment,
                        .unset = job->spec.unset_environment,
        };

        if (environment_make(&request, &p->environment) < 0)
                return error_no_memory(e);
        sp->environment = p->environment;
        sp->search_path = env_get(p->environment, "PATH");
        sp->pid_slot = (char *) env_get(p->environment, "WATCHDOG_PID");
        if (sp->pid_slot && !streq(sp->pid_slot, ENVIRONMENT_PID_SLOT)) /* of the caller's own */
                sp->pid_slot = NULL;
        if (!job->spec.shell_command)
                return 0;
        job->shell_environment = strv_copy(p->environment);
        return job->shell_environment ? 0 : error_no_memory(e);
}

static void prepare_limits(const Job *job, SpawnParameters *sp)
{
        const ExecSpec *spec = &job->spec;

        /* reeve itself may open as many as it can; its jobs get what it was given. */
        sp->limits = 1U << RLIMIT_NOFILE;
        sp->limit[RLIMIT_NOFILE] = *job->set->config.nofile;
        for (int resource = 0; resource < (int) RLIM_NLIMITS; resource++) {
                int id = exec_spec_limit_setting(resource);

                if (id < 0 || !exec_spec_is_given(spec, (SettingId) id))
                        continue;
                sp->limits |= 1U << resource;
                sp->limit[resource].rlim_cur = sp->limit[resource].rlim_max = spec->limits[resource];
        }
}

static void prepare_credentials(Job *job, int nice, SpawnParameters *sp)
{
        const ExecSpec *spec = &job->spec;

        sp->set_umask = true;
        sp->umask = exec_spec_is_given(spec, SETTING_UMASK) ? (mode_t) spec->umask : base_of(job).umask;
        job->shell_umask = sp->umask;
        sp->set_nice = true;
        sp->nice = exec_spec_is_given(spec, SETTING_NICE) ? (int) spec->nice : nice;
        sp->set_oom_score = exec_spec_is_given(spec, SETTING_OOM_SCORE_ADJUST);
        sp->oom_score_adjust = (int) spec->oom_score_adjust;
        sp->no_new_privileges = spec->no_new_privileges;
        sp->set_capabilities = exec_spec_is_given(spec, SETTING_CAPABILITY_BOUNDING_SET);
        for (char **s = spec->capability_bounding_set; s && *s; s++)
                sp->capabilities |= UINT64_C(1) << capability_from_string(*s);
}

static int prepare_stdio(Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        int r;

        r = job_stdio_open(job, sp->set_user ? sp->uid : (uid_t) -1, &p->stdio, e);
        if (r < 0)
                return r;
        memcpy(sp->fds, p->stdio.child, sizeof(sp->fds));
        sp->terminal = p->stdio.terminal;
        sp->console = job->is_main && !sp->foreground;
        return 0;
}

/* $VARIABLES of a unit's command, by the environment that it is about to have. */
static int expand_argv(const Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        const UnitCommand command = {.path = job->spec.program, .argv = job->spec.argv};
        int r;

        r = unit_command_expand(&command, p->environment, &p->expanded);
        if (r == -ENOMEM)
                return error_no_memory(e);
        if (r < 0)
                return job_start_failed(e, "exec", r);
        sp->argv = p->expanded;
        return 0;
}

/* Others are told of the command alone; the shell gets a line before it. */
static int prepare_argv(const Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        const JobSetConfig *c = &job->set->config;

        sp->argv = job->spec.argv;
        sp->program = job->spec.program;
        if (job->spec.expand)
                return expand_argv(job, p, sp, e);
        if (!job->spec.shell_command)
                return 0;
        p->script = shell_state_script(c->program, c->report_address, job->spec.argv[2]);
        if (!p->script)
                return error_no_memory(e);
        p->argv[0] = job->spec.argv[0];
        p->argv[1] = job->spec.argv[1];
        p->argv[2] = p->script;
        sp->argv = p->argv;
        return 0;
}

static int prepare(Job *job, Preparation *p, SpawnParameters *sp, Error *e)
{
        int r;

        sp->foreground = job->is_main && !job->set->config.main_is_session;
        sp->foreground_fd = job->set->foreground_fd;
        prepare_limits(job, sp);
        prepare_credentials(job, job->set->config.nice, sp);
        r = prepare_user(job, p, sp, e);
        if (r >= 0)
                r = prepare_directory(job, sp, e);
        if (r >= 0)
                r = job_notify_open(job, e);
        if (r >= 0)
                r = prepare_environment(job, p, sp, e);
        if (r >= 0)
                r = prepare_argv(job, p, sp, e);
        if (r >= 0)
                r = prepare_stdio(job, p, sp, e);
        if (r < 0)
                return r;

        r = scope_new(job->set->config.tree, session_slice_folder(job->slice), job->id, &job->scope);
        if (r < 0)
                return job_start_failed(e, "cgroup", r);
        r = scope_open_fd(job->scope);
        if (r < 0 && r != -EBADF) /* -EBADF: a process group, which has none. Without it the job would run in
                                     our own cgroup */
                return job_start_failed(e, "cgroup", r);
        p->cgroup_fd = sp->cgroup_fd = r;
        return 0;
}

int job_start(Job *job, Error *e)
{
        _cleanup_(preparation_done) Preparation p = {
                        .stdio = JOB_STDIO_NULL,
                        .cgroup_fd = -EBADF,
        };
        SpawnParameters sp = {.fds = {-EBADF, -EBADF, -EBADF}, .cgroup_fd = -EBADF};
        int r;

        r = prepare(job, &p, &sp, e);
        if (r < 0)
                return r;
        /* The capture first: what it needs may fail, and there is no process yet to be ended for it. */
        if (p.stdio.terminal)
                capture_set_terminal(&job->capture);
        r = capture_start(&job->capture, p.stdio.captured);
        if (r < 0)
                return job_start_failed(e, "stdio", r);
        p.stdio.captured[0] = p.stdio.captured[1] = -EBADF;

        r = spawn(&sp, &job->leader, &job->status_fd);
        if (r < 0)
                return job_start_failed(e, spawn_step_to_string(SPAWN_CLONE), r);
        job->pid = job->leader.pid;
        scope_set_leader(job->scope, job->pid);
        return 0;
}

static int explain_exec(const Job *job, const SpawnFailure *failure, Error *e)
{
        const char *command = job->spec.program ?: job->spec.argv[0];

        switch (failure->error) {
        case ENOENT:
        case ENOTDIR:
                return error_set(e, ERROR_COMMAND_NOT_FOUND, "\"%s\": %s", command,
                                 strchr(command, '/') ? "no such file" : "not found in PATH");
        case EACCES:
        case ENOEXEC:
        case EISDIR:
        case ETXTBSY:
        case ELOOP:
                return error_set(e, ERROR_COMMAND_NOT_EXECUTABLE, "\"%s\": %s (%s)",
                                 isempty(failure->detail) ? command : failure->detail,
                                 errno_text(failure->error), errno_name(failure->error));
        default: return job_start_failed(e, spawn_step_to_string(SPAWN_EXEC), failure->error);
        }
}

/* The setting that a step is about, when it fails for want of privilege. */
static SettingId setting_of_step(const Job *job, const SpawnFailure *failure)
{
        switch (failure->step) {
        case SPAWN_OOM_SCORE: return SETTING_OOM_SCORE_ADJUST;
        case SPAWN_NICE: return SETTING_NICE;
        case SPAWN_CAPABILITIES: return SETTING_CAPABILITY_BOUNDING_SET;
        case SPAWN_USER: return SETTING_USER;
        case SPAWN_GROUP:
                return job->spec.group  ? SETTING_GROUP
                       : job->spec.user ? SETTING_USER
                                        : SETTING_SUPPLEMENTARY_GROUPS;
        case SPAWN_LIMITS: {
                int64_t resource;
                int id = parse_i64(failure->detail, &resource) < 0 ? -ENOENT
                                                                   : exec_spec_limit_setting((int) resource);

                return id < 0 ? _SETTING_MAX : (SettingId) id;
        }
        default: return _SETTING_MAX;
        }
}

int job_start_explain(const Job *job, const SpawnFailure *failure, Error *e)
{
        SettingId id = setting_of_step(job, failure);

        if (failure->step == SPAWN_EXEC)
                return explain_exec(job, failure, e);
        if (failure->step == SPAWN_INTERPRETER)
                return error_set(e, ERROR_COMMAND_NOT_EXECUTABLE,
                                 "\"%s\": its interpreter \"%s\" is missing",
                                 job->spec.program ?: job->spec.argv[0], failure->detail);
        if (failure->step == SPAWN_CHDIR)
                return error_set(e, ERROR_BAD_WORKING_DIRECTORY, "WorkingDirectory: \"%s\": %s (%s)",
                                 job->working_directory, errno_text(failure->error),
                                 errno_name(failure->error));
        if (id != _SETTING_MAX && exec_spec_is_given(&job->spec, id) &&
            (failure->error == EPERM || failure->error == EACCES))
                return error_set(e, ERROR_NOT_SUPPORTED, "%s: reeve has not the privilege here: %s (%s)",
                                 settings[id].name, errno_text(failure->error), errno_name(failure->error));
        return job_start_failed(e,
                                failure->step >= 0 && failure->step < _SPAWN_STEP_MAX
                                                ? spawn_step_to_string((SpawnStep) failure->step)
                                                : "spawn",
                                failure->error);
}
