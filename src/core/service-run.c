/*
 * What a service runs: requests made of its unit, for the main command and for those beside it, and what is
 * to be known of the file system before. All commands of a unit have its settings; "+" takes away those that
 * take privileges away.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/service.h"
#include "core/unit-set.h"
#include "core/unit-spec.h"
#include "sys/service-check.h"
#include "unit/environment-file.h"
#include "unit/problem.h"

static void drop_privilege_settings(ExecSpec *spec)
{
        static const SettingId ids[] = {SETTING_CAPABILITY_BOUNDING_SET, SETTING_SUPPLEMENTARY_GROUPS,
                                        SETTING_NO_NEW_PRIVILEGES};

        free(spec->user);
        free(spec->group);
        spec->user = spec->group = NULL;
        spec->supplementary_groups = strv_free(spec->supplementary_groups);
        spec->capability_bounding_set = strv_free(spec->capability_bounding_set);
        spec->no_new_privileges = false;
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                spec->given[ids[i] / 64] &= ~(UINT64_C(1) << (ids[i] % 64));
}

static int make_spec(const Service *s, const UnitCommand *c, ExecSpec *spec, Error *e)
{
        char *const name[] = {s->unit->name, NULL};
        int r;

        r = unit_fill_exec_spec(s->unit, spec, NULL, e);
        if (r >= 0)
                r = exec_spec_set_argv(spec, c ? c->argv : name, e);
        if (r < 0)
                return r;
        if (s->file_environment && strv_extend(&spec->environment, s->file_environment) < 0)
                return error_no_memory(e);
        if (!c)
                return 0;
        spec->program = str_copy(c->path);
        spec->expand = !c->no_variables;
        if (c->privileged)
                drop_privilege_settings(spec);
        return spec->program ? 0 : error_no_memory(e);
}

int service_make_job(Service *s, Error *e)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        const UnitCommand *c = s->unit->n_commands[UNIT_EXEC_START] > 0
                                               ? &s->unit->commands[UNIT_EXEC_START][0]
                                               : NULL;
        int r;

        exec_spec_init(&spec);
        if (s->job && !job_is_finished(s->job))
                return 0;
        r = make_spec(s, c, &spec, e);
        if (r >= 0)
                r = job_set_add_unit(s->set->jobs, s->unit->name, &spec, &s->service, &s->job, e);
        if (r < 0)
                return r;
        job_set_rest(s->job, JOB_REST_START);
        job_watch_add(s->job, &s->watch);
        return 0;
}

int service_run_main(Service *s, Error *e)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        int r;

        exec_spec_init(&spec);
        r = make_spec(s, &s->unit->commands[UNIT_EXEC_START][s->main_command], &spec, e);
        if (r >= 0)
                r = job_set_spec(s->job, &spec, e);
        return r >= 0 ? job_run(s->job, e) : r;
}

static int put(ExecSpec *spec, const char *name, const char *value)
{
        _cleanup_free_ char *assignment = str_printf("%s=%s", name, value);

        return assignment ? strv_append(&spec->environment, assignment) : -ENOMEM;
}

/* MAINPID, and once it is on its way down SERVICE_RESULT, EXIT_CODE, EXIT_STATUS: systemd.exec(5). */
static int add_variables(const Service *s, ExecSpec *spec)
{
        char number[32];
        int r = 0;

        if (!job_is_exited(s->job)) {
                snprintf(number, sizeof(number), "%d", (int) s->job->pid);
                r = put(spec, "MAINPID", number);
        }
        if (r < 0 || (s->kind != UNIT_EXEC_STOP && s->kind != UNIT_EXEC_STOP_POST))
                return r;
        r = put(spec, "SERVICE_RESULT", service_result(s));
        if (r < 0 || !job_is_exited(s->job) || s->job->exit_time == 0 ||
            (s->job->signal == 0 && s->job->exit_code < 0))
                return r;
        r = put(spec, "EXIT_CODE",
                s->job->signal == 0                      ? "exited"
                : s->job->result == JOB_RESULT_CORE_DUMP ? "dumped"
                                                         : "killed");
        snprintf(number, sizeof(number), "%d", s->job->exit_code);
        if (r >= 0)
                r = put(spec, "EXIT_STATUS",
                        s->job->signal > 0 ? signal_name(s->job->signal) + strlen("SIG") : number);
        return r;
}

static int run_control(Service *s, const UnitCommand *c, Error *e)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        bool starting = s->kind == UNIT_EXEC_START_PRE || s->kind == UNIT_EXEC_START_POST;
        int r;

        exec_spec_init(&spec);
        r = make_spec(s, c, &spec, e);
        if (r < 0)
                return r;
        if (add_variables(s, &spec) < 0)
                return error_no_memory(e);
        spec.restart = RESTART_NO;
        spec.notify_access = NOTIFY_ACCESS_NONE; /* the main command's word is the unit's */
        spec.notify_ready = false;
        spec.watchdog = 0;
        spec.kill_on_exit = true;
        spec.runtime_max =
                        starting || s->kind == UNIT_EXEC_RELOAD ? s->unit->timeout_start : spec.timeout_stop;
        if (spec.runtime_max == 0)
                spec.runtime_max = USEC_INFINITY;
        r = job_set_run_control(s->set->jobs, s->job, &spec, &s->control, e);
        if (r >= 0)
                job_watch_add(s->control, &s->control_watch);
        return r;
}

static const char *const kind_names[_UNIT_COMMAND_KIND_MAX] = {
                [UNIT_EXEC_START_PRE] = "ExecStartPre",
                [UNIT_EXEC_START] = "ExecStart",
                [UNIT_EXEC_START_POST] = "ExecStartPost",
                [UNIT_EXEC_RELOAD] = "ExecReload",
                [UNIT_EXEC_STOP] = "ExecStop",
                [UNIT_EXEC_STOP_POST] = "ExecStopPost",
};

/* A command has ended, or could not be started (e). Whether the next one may run. */
static bool command_ended(Service *s, const Job *control, const Error *e)
{
        const UnitCommand *c = &s->unit->commands[s->kind][s->next_command - 1];
        RunEnd end = {.result = JOB_RESULT_RESOURCES, .exit_code = -1};

        if (control)
                end = (RunEnd){control->result, control->exit_code, control->signal, 0};
        if (end.result == JOB_RESULT_SUCCESS)
                return true;
        if (s->stopping && s->state == SERVICE_KILL && restart_is_success(&s->policy, &end))
                return true; /* it was told to */
        if (!control)
                job_note(s->job, "%s=%s cannot start: %s", kind_names[s->kind], c->path, e->message);
        else
                job_note(s->job, "%s=%s: %s %d%s", kind_names[s->kind], c->path,
                         job_result_to_string(end.result), end.signal > 0 ? end.signal : end.exit_code,
                         c->ignore_failure ? ", ignored" : "");
        if (c->ignore_failure)
                return true;
        service_fail(s, end.result, end.exit_code, end.signal);
        return false;
}

int service_next_command(Service *s)
{
        while (!s->control_failed && s->next_command < s->unit->n_commands[s->kind]) {
                const UnitCommand *c = &s->unit->commands[s->kind][s->next_command++];
                Error e = ERROR_NULL;

                if (run_control(s, c, &e) >= 0)
                        return 1;
                s->control = NULL;
                s->control_failed = !command_ended(s, NULL, &e);
        }
        return s->control_failed ? -ECANCELED : 0;
}

void service_run_commands(Service *s, UnitCommandKind kind)
{
        /* What the commands of the state before came to, and was not told yet, is nothing to those of this
         * one. */
        s->happened &= ~(unsigned) (SERVICE_HAPPENED_COMMANDS_DONE | SERVICE_HAPPENED_CONTROL);
        if (s->control) { /* its state is over; it has to be, too */
                s->next_kind = kind;
                s->next_waits = true;
                service_end_control(s, s->control->spec.timeout_stop);
                return;
        }
        s->next_waits = s->control_failed = false;
        s->kind = kind;
        s->next_command = 0;
        if (service_next_command(s) <= 0)
                service_poke(s, SERVICE_HAPPENED_COMMANDS_DONE);
}

void service_end_control(Service *s, usec_t timeout)
{
        if (s->control)
                job_stop(s->control, 0, timeout);
}

/* Its last moment, or that of its failure to start. */
static void on_control_moment(JobWatch *w, Job *control, JobMoment moment)
{
        Service *s = container_of(w, Service, control_watch);

        if (moment != JOB_MOMENT_FINISHED && moment != JOB_MOMENT_START_FAILED &&
            moment != JOB_MOMENT_REMOVED)
                return;
        job_watch_remove(w);
        s->control = NULL;
        if (s->next_waits || moment == JOB_MOMENT_REMOVED)
                s->control_failed = true; /* nobody asks how it ended */
        else
                s->control_failed = !command_ended(s, moment == JOB_MOMENT_FINISHED ? control : NULL,
                                                   &control->start_error);
        service_poke(s, SERVICE_HAPPENED_CONTROL);
}

void service_init_control(Service *s)
{
        s->control_watch.notify = on_control_moment;
        list_init(&s->control_watch.link);
}

int service_ask_check(Service *s)
{
        const Unit *u = s->unit;
        _cleanup_free_ const char **paths = alloc_array(const char *, u->n_conditions + 1);
        _cleanup_free_ const char **files = alloc_array(const char *, u->n_environment_files + 1);
        ServiceCheck check = {.n_paths = u->n_conditions, .n_files = u->n_environment_files};

        s->file_environment = strv_free(s->file_environment);
        if (check.n_paths + check.n_files == 0) {
                service_poke(s, SERVICE_HAPPENED_CHECKED);
                return 0;
        }
        if (!paths || !files)
                return -ENOMEM;
        for (size_t i = 0; i < check.n_paths; i++)
                paths[i] = u->conditions[i].path;
        for (size_t i = 0; i < check.n_files; i++)
                files[i] = u->environment_files[i].path;
        check.paths = paths;
        check.files = files;
        return errand_start(&s->check, s->set->jobs, "reeve-check", service_check_work, &check,
                            u->timeout_start > 0 ? u->timeout_start : USEC_INFINITY,
                            check.n_paths + check.n_files * (SERVICE_FILE_MAX + 64));
}

/* All conditions have to hold, and of those with "|" one. */
static int read_conditions(const Unit *u, ServiceCheckReader *reader)
{
        bool holds = true, triggers = false, triggered = false;

        for (size_t i = 0; i < u->n_conditions; i++) {
                const UnitCondition *c = &u->conditions[i];
                int r = service_check_next_path(reader);

                if (r < 0)
                        return r;
                if (c->triggering) {
                        triggers = true;
                        triggered |= (r > 0) != c->negated;
                } else {
                        holds &= (r > 0) != c->negated;
                }
        }
        return holds && (!triggers || triggered);
}

static int read_files(Service *s, ServiceCheckReader *reader)
{
        _cleanup_(unit_problems_done) UnitProblems problems = UNIT_PROBLEMS_INIT;

        for (size_t i = 0; i < s->unit->n_environment_files; i++) {
                const UnitEnvironmentFile *f = &s->unit->environment_files[i];
                _cleanup_strv_ char **assignments = NULL;
                const char *text;
                size_t size;
                int r;

                r = service_check_next_file(reader, &text, &size);
                if (r < 0 && r != -EBADMSG && f->optional)
                        continue;
                if (r < 0) {
                        log_error("%s: EnvironmentFile=%s: %s", s->unit->name, f->path, errno_text(r));
                        return r == -ENOENT ? -ENODATA : r;
                }
                r = environment_file_parse(f->path, text, size, &assignments, &problems);
                if (r >= 0)
                        r = strv_extend(&s->file_environment, assignments);
                if (r < 0)
                        return r;
        }
        unit_set_say_problems(&problems);
        return 0;
}

int service_read_check(Service *s, int r, const void *data, size_t size)
{
        ServiceCheckReader reader = {.data = data, .size = size};

        if (r >= 0)
                r = read_conditions(s->unit, &reader);
        if (r < 0)
                return log_error_errno(r, "%s: what it needs could not be looked at", s->unit->name);
        if (r == 0)
                return 0;
        r = read_files(s, &reader);
        return r < 0 ? r : 1;
}
