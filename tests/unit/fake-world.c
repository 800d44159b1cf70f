/* The manager's part, played by hand. */

#include "fake-world.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "journal/ring.h"
#include "sys/ring-memory.h"

void world_init_prepared(World *w, bool tree)
{
        static char *const environment[] = {(char *) "PATH=/bin:/usr/bin", (char *) "LANG=C.UTF-8", NULL};
        SessionSetConfig sessions;
        JobSetConfig config;

        *w = (World){
                        .n_fds = fake_count_fds(),
                        .tree = {.fd = tree ? 1 : -EBADF,
                                 .controllers = tree ? (1U << _CGROUP_CONTROLLER_MAX) - 1 : 0},
                        .nofile = {.rlim_cur = 1024, .rlim_max = 4096},
        };
        ck_assert_int_eq(sd_event_new(&w->event), 0);
        timer_queue_init(&w->timers, NULL);
        store_init(&w->store, (RingMemory){.map = ring_memory_map, .unmap = ring_memory_unmap},
                   UINT64_C(64) * 1024 * 1024);
        w->environment = strv_copy(environment);
        ck_assert_ptr_nonnull(w->environment);
        ck_assert_int_eq(scope_keeper_init(&w->keeper, w->event, &w->timers), 0);
        sessions = (SessionSetConfig){
                        .keeper = &w->keeper,
                        .timers = &w->timers,
                        .tree = &w->tree,
                        .environment = w->environment,
                        .working_directory = "/work",
                        .umask = 027,
        };
        ck_assert_int_eq(session_set_init(&w->sessions, &sessions), 0);
        config = (JobSetConfig){
                        .event = w->event,
                        .timers = &w->timers,
                        .store = &w->store,
                        .tree = &w->tree,
                        .keeper = &w->keeper,
                        .sessions = &w->sessions,
                        .program = "/usr/bin/reeve",
                        .report_address = "unix:abstract=here",
                        .nofile = &w->nofile,
                        .nice = 3,
                        .live_max = JOB_SET_LIVE_MAX,
                        .finished_max = JOB_SET_FINISHED_MAX,
        };
        ck_assert_int_eq(job_set_init(&w->jobs, &config), 0);
}

void world_init(World *w)
{
        alloc_fault_set(0, false);
        fake_reset();
        world_init_prepared(w, true);
}

void world_done(World *w)
{
        job_set_done(&w->jobs);
        session_set_done(&w->sessions);
        scope_keeper_done(&w->keeper);
        ck_assert_uint_eq(timer_queue_next(&w->timers), USEC_INFINITY);
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert_uint_eq(fake.n_slices, 0);
        ck_assert_uint_eq(fake.n_watches, 0);
        ck_assert_uint_eq(fake.mapped, 0);
        store_done(&w->store);
        strv_free(w->environment);
        sd_event_unref(w->event);
        fake_done();
        ck_assert_uint_eq(fake_count_fds(), w->n_fds);
}

bool world_event(World *w)
{
        return sd_event_get_state(w->event) != SD_EVENT_FINISHED && sd_event_run(w->event, 0) > 0;
}

void world_events(World *w)
{
        for (unsigned n = 0; world_event(w); n++)
                ck_assert_uint_lt(n, 10000);
}

void world_reap(World *w)
{
        ProcessEnd end;
        int r;

        while ((r = reaper_peek(0, &end)) > 0) {
                (void) job_set_child_ended(&w->jobs, &end);
                ck_assert_int_eq(reaper_reap(end.pid), 0);
        }
        job_set_orphan_reaped(&w->jobs);
        if (r == -ECHILD && w->shutdown)
                shutdown_children_gone(w->shutdown);
}

void world_timers(World *w)
{
        timer_queue_run(&w->timers, fake.monotonic);
}

void world_settle(World *w)
{
        unsigned n = 0;

        for (bool busy = true; busy;) {
                ck_assert_uint_lt(n++, 10000); /* something is never satisfied */
                busy = fake_has_zombies();
                if (busy)
                        world_reap(w);
                while (world_event(w))
                        busy = true;
                if (timer_queue_next(&w->timers) <= fake.monotonic) {
                        world_timers(w);
                        busy = true;
                }
        }
}

void world_pass(World *w, usec_t usec)
{
        usec_t end = fake.monotonic + usec, next;

        world_settle(w);
        while ((next = timer_queue_next(&w->timers)) <= end) {
                fake_clock_advance(next - fake.monotonic);
                world_settle(w);
        }
        fake_clock_advance(end - fake.monotonic);
}

void spec_init(ExecSpec *s)
{
        char *const argv[] = {(char *) "payload", (char *) "--flag", NULL};

        exec_spec_init(s);
        ck_assert_int_eq(exec_spec_set_argv(s, argv, NULL), 0);
}

void spec_set(ExecSpec *s, const char *name, const char *text)
{
        SettingId id = setting_by_key(name);
        const char *reason = NULL;
        SettingValue v;
        Error e;

        ck_assert_msg(id < _SETTING_MAX, "%s", name);
        ck_assert_msg(setting_parse(id, text, false, &v, &reason) == 0, "%s=%s: %s", name, text, reason);
        ck_assert_msg(exec_spec_set(s, id, &v, &e) == 0, "%s=%s: %s", name, text, e.message);
        setting_value_done(&v);
}

Job *world_start(World *w, ExecSpec *spec)
{
        Job *job = NULL;
        bool existing = true;
        Error e = ERROR_NULL;
        int r = job_set_start(&w->jobs, spec, &job, &existing, &e);

        ck_assert_msg(r == 0, "%s", e.message);
        ck_assert(!existing);
        ck_assert_ptr_null(spec->argv); /* taken over */
        return job;
}

Job *world_run(World *w, ...)
{
        const char *name;
        ExecSpec spec;
        va_list ap;
        Job *job;

        spec_init(&spec);
        va_start(ap, w);
        while ((name = va_arg(ap, const char *)))
                spec_set(&spec, name, va_arg(ap, const char *));
        va_end(ap);
        job = world_start(w, &spec);
        fake_exec(fake_newest());
        world_settle(w);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        return job;
}

FakeProcess *leader_of(const Job *job)
{
        FakeProcess *p = fake_process(job->pid);

        ck_assert_ptr_nonnull(p);
        return p;
}

char *world_output(const Job *job, Stream stream)
{
        Buffer b = BUFFER_INIT;
        RingReader rr;
        size_t size;
        Record record;

        ring_reader_seek(&rr, job->ring, NULL);
        while (ring_reader_next(&rr, &record))
                for (size_t i = 0; record.stream == stream && i < 2; i++)
                        buffer_append(&b, record.data[i].iov_base, record.data[i].iov_len);
        return buffer_take(&b, &size);
}

static void write_down(char *text, size_t size, const char *word, const char *id)
{
        size_t n = strlen(text);

        ck_assert_uint_lt(n + 64, size);
        snprintf(text + n, size - n, "%s%s%s%s", n > 0 ? " " : "", word, id ? ":" : "", id ?: "");
}

static bool ends_with(const char *text, const char *end)
{
        size_t n = strlen(text), n_end = strlen(end);

        return n >= n_end && streq(text + n - n_end, end);
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        static const char *const words[] = {
                        [JOB_MOMENT_STARTED] = "started",   [JOB_MOMENT_START_FAILED] = "failed",
                        [JOB_MOMENT_OUTPUT] = "output",     [JOB_MOMENT_EXITED] = "exited",
                        [JOB_MOMENT_DRAINED] = "drained",   [JOB_MOMENT_KILLED] = "killed",
                        [JOB_MOMENT_FINISHED] = "finished", [JOB_MOMENT_REMOVED] = "removed",
                        [JOB_MOMENT_FREEZER] = "freezer",   [JOB_MOMENT_READY] = "ready",
                        [JOB_MOMENT_MORE_TIME] = "more-time",
        };
        Diary *d = container_of(w, Diary, watch);
        RingPosition tail;

        ring_tail(job->ring, &tail);
        if (moment == JOB_MOMENT_OUTPUT && tail.seqnum > d->seqnum && !ends_with(d->text, "output"))
                write_down(d->text, sizeof(d->text), "output", NULL);
        if (moment == JOB_MOMENT_OUTPUT)
                d->seqnum = tail.seqnum;
        else
                write_down(d->text, sizeof(d->text), words[moment], NULL);
        if (moment != JOB_MOMENT_STARTED && moment != JOB_MOMENT_REMOVED)
                ck_assert_uint_eq(tail.seqnum, d->seqnum);
        if (moment == JOB_MOMENT_START_FAILED && d->error)
                *d->error = job->start_error;
        if (d->also)
                d->also(d, job, moment);
        if (moment == JOB_MOMENT_REMOVED || (d->leaves && d->leaves_at == moment))
                job_watch_remove(w);
}

void diary_start(Diary *d, Job *job)
{
        RingPosition tail;

        ring_tail(job->ring, &tail);
        d->seqnum = tail.seqnum;
        d->text[0] = '\0';
        d->watch.notify = on_moment;
        list_init(&d->watch.link);
        job_watch_add(job, &d->watch);
}

static void chronicle_write(Chronicle *c, const char *event, const Job *job)
{
        char changed[128];

        snprintf(changed, sizeof(changed), "changed:%s", job->id);
        if (!streq(event, "changed") || !ends_with(c->text, changed))
                write_down(c->text, sizeof(c->text), event, job->id);
}

#define CHRONICLE(event)                                                                                    \
        static void on_##event(JobObserver *o, Job *job)                                                    \
        {                                                                                                   \
                Chronicle *c = container_of(o, Chronicle, observer);                                        \
                                                                                                            \
                chronicle_write(c, #event, job);                                                            \
        }
CHRONICLE(new)
CHRONICLE(changed)
CHRONICLE(exited)
CHRONICLE(finished)
CHRONICLE(removed)

static void on_idle(JobObserver *o)
{
        Chronicle *c = container_of(o, Chronicle, observer);

        write_down(c->text, sizeof(c->text), "idle", NULL);
}

void chronicle_start(Chronicle *c, JobSet *set)
{
        static const JobObserverOps ops = {on_new, on_changed, on_exited, on_finished, on_removed, on_idle};

        *c = (Chronicle){.observer.ops = &ops};
        list_init(&c->observer.link);
        job_set_observe(set, &c->observer);
}
