/*
 * Kill delivers and answers. Stop ends, and answers when the last scope is empty; should the kernel be
 * unable to kill somebody (a process in an uninterruptible sleep), it answers STOP_PATIENCE after the last
 * SIGKILL and says how many are left.
 */

#include "bus/stop.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "bus/selector.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/selector.h"
#include "core/session.h"

#define STOP_PATIENCE (5 * USEC_PER_SEC)

/* Whom a signal or a stop has reached. */
typedef struct Reached {
        char **ids;
        pid_t *pids;
        size_t n_pids;
} Reached;

static void reached_done(Reached *r)
{
        strv_free(r->ids);
        free(r->pids);
}

static int reached_add(Reached *reached, const Job *job, const pid_t *pids, size_t n)
{
        pid_t *grown = alloc_resize(reached->pids, reached->n_pids + n + 1, sizeof(pid_t));

        if (!grown)
                return -ENOMEM;
        if (n > 0)
                memcpy(grown + reached->n_pids, pids, n * sizeof(pid_t));
        reached->pids = grown;
        reached->n_pids += n;
        return strv_append(&reached->ids, job->id);
}

static int append_pids(sd_bus_message *m, const Reached *reached)
{
        static_assert(sizeof(pid_t) == sizeof(uint32_t), "au is made of pid_t");
        return sd_bus_message_append_array(m, 'u', reached->pids, reached->n_pids * sizeof(pid_t));
}

typedef enum Whom {
        WHOM_ALL,
        WHOM_MAIN,
        WHOM_PROCESS,
} Whom;

static int whom_from_string(const char *s, bool with_process, Whom *ret, Error *e)
{
        if (!s || streq(s, "all"))
                *ret = WHOM_ALL;
        else if (streq(s, "main"))
                *ret = WHOM_MAIN;
        else if (with_process && streq(s, "process"))
                *ret = WHOM_PROCESS;
        else
                return error_set(e, ERROR_INVALID_ARGS, "Whom: must be one of all|main%s",
                                 with_process ? "|process" : "");
        return 0;
}

static int check_signal(int32_t sig, const char *key, Error *e)
{
        if (sig < 1 || sig > 64)
                return error_set(e, ERROR_INVALID_ARGS, "%s: must be a signal from 1 to 64", key);
        return 0;
}

/* Who is gone before the signal gets there was not reached, and is no error. */
static int kill_one(Job *job, Whom whom, pid_t pid, int sig, Reached *reached)
{
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        if (whom == WHOM_PROCESS) {
                r = job_signal_process(job, pid, sig);
                return r < 0 ? (r == -ESRCH ? 0 : r) : reached_add(reached, job, &pid, 1);
        }
        r = job_signal(job, whom == WHOM_MAIN, sig, &pids, &n);
        if (r == -ESRCH || (r >= 0 && n == 0))
                return 0;
        return r < 0 ? r : reached_add(reached, job, pids, n);
}

static int read_whom(sd_bus_message *m, const JobSelector *selector, Whom *ret, Error *e)
{
        _cleanup_free_ char *whom = NULL;
        const DictKey keys[] = {{"Whom", SETTING_TYPE_STRING, &whom}};
        int r;

        r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r >= 0)
                r = whom_from_string(whom, true, ret, e);
        if (r >= 0 && *ret == WHOM_PROCESS && selector->pid == 0)
                return error_set(e, ERROR_INVALID_ARGS, "Whom: \"process\" needs PID in the selector");
        return r;
}

int bus_method_kill(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(job_selector_done) JobSelector selector = {0};
        _cleanup_(reached_done) Reached reached = {0};
        JobSet *jobs = &((Peer *) userdata)->server->manager->jobs;
        Error e = ERROR_NULL;
        Whom whom = WHOM_ALL;
        int32_t sig = 0;
        int r;

        r = bus_selector_read(m, jobs, &selector, &e);
        if (r >= 0)
                r = sd_bus_message_read(m, "i", &sig);
        if (r >= 0)
                r = check_signal(sig, "signal", &e);
        if (r >= 0)
                r = read_whom(m, &selector, &whom, &e);
        LIST_FOREACH (&jobs->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if (r >= 0 && job->announced && job_selector_match(&selector, job))
                        r = kill_one(job, whom, selector.pid, sig, &reached);
        }
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, reached.ids);
        if (r >= 0)
                r = append_pids(reply, &reached);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        return peer_send(userdata, reply);
}

int bus_job_method_kill(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(reached_done) Reached reached = {0};
        Error e = ERROR_NULL;
        const char *word;
        int32_t sig = 0;
        Whom whom = WHOM_ALL;
        int r;

        r = sd_bus_message_read(m, "si", &word, &sig);
        if (r < 0)
                return r;
        r = whom_from_string(word, false, &whom, &e);
        if (r >= 0)
                r = check_signal(sig, "signal", &e);
        if (r >= 0)
                r = kill_one(job, whom, 0, sig, &reached);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_pids(reply, &reached);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        return peer_send(peer, reply);
}

typedef struct PendingStop PendingStop;

typedef struct StopWatch {
        JobWatch watch;
        PendingStop *stop;
        Job *job; /* NULL: it is finished */
} StopWatch;

struct PendingStop {
        Pending pending;
        bool of_job; /* Job.Stop: no ids in the answer */
        Reached reached;
        size_t n_watches, n_left;
        StopWatch watches[];
};

static void stop_answer(PendingStop *s)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint32_t remaining = 0;
        int r;

        for (size_t i = 0; i < s->n_watches; i++)
                if (s->watches[i].job)
                        remaining += (uint32_t) job_count_processes(s->watches[i].job);
        r = sd_bus_message_new_method_return(s->pending.call, &m);
        if (r >= 0 && !s->of_job)
                r = sd_bus_message_append_strv(m, s->reached.ids);
        if (r >= 0)
                r = append_pids(m, &s->reached);
        if (r >= 0)
                r = sd_bus_message_append(m, "u", remaining);
        pending_reply(&s->pending, r < 0 ? NULL : m, s->reached.n_pids * sizeof(pid_t) + 256);
}

/* The patience is with the kernel, so it begins with the kill: who has been suspended for longer than all
 * timers first kills, and then waits. */
static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        StopWatch *sw = container_of(w, StopWatch, watch);

        if (moment == JOB_MOMENT_KILLED)
                pending_arm(&sw->stop->pending, usec_add(manager_now(), STOP_PATIENCE));
        if (moment != JOB_MOMENT_FINISHED && moment != JOB_MOMENT_REMOVED)
                return;
        job_watch_remove(w);
        sw->job = NULL;
        if (--sw->stop->n_left == 0)
                stop_answer(sw->stop);
}

static void on_timeout(Pending *p, usec_t now)
{
        stop_answer(container_of(p, PendingStop, pending));
}

static void on_destroy(Pending *p)
{
        PendingStop *s = container_of(p, PendingStop, pending);

        for (size_t i = 0; i < s->n_watches; i++)
                if (s->watches[i].job)
                        job_watch_remove(&s->watches[i].watch);
        reached_done(&s->reached);
        free(s);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

typedef struct StopOptions {
        int64_t sig; /* 0: the job's own */
        uint64_t timeout;
        bool timeout_given;
} StopOptions;

static int read_stop_options(sd_bus_message *m, StopOptions *o, Error *e)
{
        const DictKey keys[] = {
                        {"Signal", SETTING_TYPE_SIGNAL, &o->sig},
                        {"TimeoutStopUSec", SETTING_TYPE_USEC, &o->timeout},
        };
        uint64_t given = 0;
        int r;

        r = dict_read(m, keys, ELEMENTSOF(keys), &given, e);
        if (r < 0)
                return r;
        o->timeout_given = given & 2U;
        return given & 1U ? check_signal((int32_t) o->sig, "Signal", e) : 0;
}

static int stop_new(Peer *peer, sd_bus_message *m, size_t n, bool of_job, PendingStop **ret, Error *e)
{
        PendingStop *s = alloc_zero(sizeof(PendingStop) + n * sizeof(StopWatch));
        int r;

        if (!s)
                return error_no_memory(e);
        s->of_job = of_job;
        r = pending_init(&s->pending, &ops, peer, m, e);
        if (r < 0) {
                free(s);
                return r;
        }
        *ret = s;
        return 0;
}

/* First everybody is written down and watched, then everybody is told: what can fail has failed before
 * anything happens. */
static int stop_add(PendingStop *s, Job *job)
{
        StopWatch *w = &s->watches[s->n_watches];
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        r = job->scope ? scope_pids(job->scope, &pids, &n) : 0; /* none: it is between two runs */
        if (r >= 0)
                r = reached_add(&s->reached, job, pids, n);
        if (r < 0)
                return r;
        *w = (StopWatch){.watch.notify = on_moment, .stop = s, .job = job};
        list_init(&w->watch.link);
        job_watch_add(job, &w->watch);
        s->n_watches++;
        s->n_left++;
        return 0;
}

static int stop_tell(PendingStop *s, JobSet *jobs, const StopOptions *o)
{
        size_t n = s->n_watches;
        _cleanup_free_ Job **told = alloc_array(Job *, n);

        if (!told)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                told[i] = s->watches[i].job;
        /* A job may be finished by this, and the last one takes s with it. */
        for (size_t i = 0; i < n; i++) {
                if (told[i]->is_main && jobs->stop_main)
                        jobs->stop_main(jobs, (int) o->sig);
                else
                        job_stop(told[i], (int) o->sig,
                                 o->timeout_given ? o->timeout : told[i]->spec.timeout_stop);
        }
        return 0;
}

/* 1: they are told. 0: there was no memory for that, and the call is answered so. Negative: it is to be. */
static int stop_jobs(Peer *peer, sd_bus_message *m, Job *const *jobs, size_t n, bool of_job,
                     const StopOptions *o, Error *e)
{
        PendingStop *s = NULL;
        int r;

        r = stop_new(peer, m, n, of_job, &s, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n && r >= 0; i++)
                r = stop_add(s, jobs[i]);
        if (r >= 0 && n > 0)
                r = stop_tell(s, &peer->server->manager->jobs, o);
        if (r < 0) {
                Error no_memory;

                error_no_memory(&no_memory);
                pending_fail(&s->pending, &no_memory);
                return 0;
        }
        if (n == 0)
                stop_answer(s);
        return 1;
}

int bus_method_stop(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(job_selector_done) JobSelector selector = {0};
        JobSet *set = &((Peer *) userdata)->server->manager->jobs;
        _cleanup_free_ Job **jobs = NULL;
        StopOptions options = {0};
        Error e = ERROR_NULL;
        size_t n = 0;
        int r;

        r = bus_selector_read(m, set, &selector, &e);
        if (r >= 0)
                r = read_stop_options(m, &options, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        jobs = alloc_array(Job *, set->n_live + 1);
        if (!jobs)
                return -ENOMEM;
        LIST_FOREACH (&set->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if (!job_is_finished(job) && job_selector_match(&selector, job))
                        jobs[n++] = job;
        }
        r = stop_jobs(userdata, m, jobs, n, false, &options, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : 1;
}

int bus_method_close_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Manager *manager = ((Peer *) userdata)->server->manager;
        _cleanup_free_ Job **jobs = NULL;
        StopOptions options = {0};
        Error e = ERROR_NULL;
        Session *session;
        const char *name;
        size_t n = 0;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = read_stop_options(m, &options, &e);
        if (r >= 0)
                r = session_set_check_close(&manager->sessions, name, &session, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        jobs = alloc_array(Job *, session->n_live + 1);
        if (!jobs)
                return -ENOMEM;
        LIST_FOREACH (&session->jobs, link)
                if (!job_is_finished(container_of(link, Job, in_session)))
                        jobs[n++] = container_of(link, Job, in_session);
        r = stop_jobs(userdata, m, jobs, n, false, &options, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        if (r > 0)
                session_close(session);
        return 1;
}

int bus_job_method_stop(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        StopOptions options = {0};
        Error e = ERROR_NULL;
        int r;

        r = read_stop_options(m, &options, &e);
        if (r >= 0)
                r = stop_jobs(peer, m, &job, job_is_finished(job) ? 0 : 1, true, &options, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : 1;
}
