/* Who watches a job: what is told in which order, and who may go when; and what callers ask of a job. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "core/job.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;

START_TEST(watchers_leave_at_any_moment)
{
        static const struct {
                JobMoment moment;
                const char *text;
        } cases[] = {
                        {JOB_MOMENT_STARTED, "started"},
                        {JOB_MOMENT_OUTPUT, "started output"},
                        {JOB_MOMENT_EXITED, "started output exited"},
                        {JOB_MOMENT_DRAINED, "started output exited drained"},
                        {JOB_MOMENT_FINISHED, "started output exited drained finished"},
                        {JOB_MOMENT_REMOVED, "started output exited drained finished removed"},
        };
        Diary diaries[ELEMENTSOF(cases)] = {0}, stays = {0};
        ExecSpec spec;
        Job *job;

        world_init(&w);
        spec_init(&spec);
        job = world_start(&w, &spec);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                diaries[i].leaves = true;
                diaries[i].leaves_at = cases[i].moment;
                diary_start(&diaries[i], job);
                if (i == 2)
                        diary_start(&stays, job); /* in the middle of those that go */
        }
        fake_exec(leader_of(job));
        world_settle(&w);
        fake_print(leader_of(job), 1, "line\n");
        world_settle(&w);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_str_eq(diaries[i].text, cases[i].text);
        ck_assert_str_eq(stays.text, "started output exited drained finished removed");
        world_done(&w);
}
END_TEST

START_TEST(who_leaves_before_hears_nothing)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        job_watch_remove(&d.watch);
        job_watch_remove(&d.watch); /* twice does no harm */
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "");
        world_done(&w);
}
END_TEST

START_TEST(who_comes_late_hears_the_rest)
{
        Diary d = {0};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        diary_start(&d, job);
        fake_print(child, 1, "line\n");
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "output drained finished");
        world_done(&w);
}
END_TEST

/* A source of another job that is ready, too: then the heap of sd-event does not give equal ones in their
 * order. */
static void make_noise(Job **ret)
{
        *ret = world_run(&w, "Id", "noise", NULL);
        fake_print(leader_of(*ret), 1, "noise\n");
        fake_print(leader_of(*ret), 2, "noise\n");
}

/* Exec succeeded, something was written and the streams were closed, all in one turn of the loop. */
START_TEST(started_comes_first)
{
        for (unsigned noise = 0; noise < 2; noise++) {
                Job *job, *other;
                Diary d = {0};
                ExecSpec spec;

                world_init(&w);
                spec_init(&spec);
                job = world_start(&w, &spec);
                diary_start(&d, job);
                if (noise)
                        make_noise(&other);
                fake_exec(leader_of(job));
                fake_print(leader_of(job), 1, "line\n");
                fake_close(leader_of(job), 1);
                fake_close(leader_of(job), 2);
                world_events(&w);
                ck_assert_str_eq(d.text, "started output drained");
                world_done(&w);
        }
}
END_TEST

/* The same for one that fails: nobody hears of its streams (Start would answer that it is there). */
START_TEST(failed_comes_alone)
{
        for (unsigned noise = 0; noise < 2; noise++) {
                Job *job, *other;
                Diary d = {0};
                ExecSpec spec;

                world_init(&w);
                spec_init(&spec);
                job = world_start(&w, &spec);
                diary_start(&d, job);
                if (noise)
                        make_noise(&other);
                fake_exec_fails(leader_of(job), SPAWN_EXEC, ENOENT, "/bin/payload");
                world_events(&w); /* SIGCHLD has not come yet */
                ck_assert_str_eq(d.text, "failed removed");
                world_settle(&w);
                world_done(&w);
        }
}
END_TEST

/* Observers know of a job from new to removed, and not of one that never was. */
START_TEST(nobody_hears_of_a_failed_start)
{
        Chronicle c;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        chronicle_start(&c, &w.jobs);
        spec_init(&spec);
        job = world_start(&w, &spec);
        fake_exec_fails(leader_of(job), SPAWN_EXEC, ENOENT, NULL);
        world_settle(&w);
        ck_assert_str_eq(c.text, "idle");
        world_done(&w);
}
END_TEST

START_TEST(idle_when_the_last_one_has_gone)
{
        Chronicle c;
        Job *a, *b;

        world_init(&w);
        a = world_run(&w, "Id", "a", NULL);
        b = world_run(&w, "Id", "b", NULL);
        chronicle_start(&c, &w.jobs);
        fake_exit(leader_of(a), 0);
        world_settle(&w);
        ck_assert_ptr_null(strstr(c.text, "idle"));
        fake_exit(leader_of(b), 0);
        world_settle(&w);
        ck_assert_str_eq(c.text, "changed:a exited:a changed:a finished:a changed:b exited:b changed:b "
                                 "finished:b idle");
        job_set_unobserve(&c.observer);
        world_run(&w, NULL);
        ck_assert_str_eq(c.text + strlen(c.text) - 4, "idle"); /* nothing more */
        world_done(&w);
}
END_TEST

static void check_signal(Job *job, bool leader_only, int sig, int expected, size_t n)
{
        pid_t *pids = NULL;
        size_t n_pids = 0;

        ck_assert_int_eq(job_signal(job, leader_only, sig, &pids, &n_pids), expected);
        ck_assert_uint_eq(n_pids, n);
        if (n > 0 && leader_only)
                ck_assert_int_eq(pids[0], job->pid);
        free(pids);
}

START_TEST(single_signals)
{
        FakeProcess *leader, *child, *stranger;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        leader = leader_of(job);
        child = fake_fork(leader);
        stranger = fake_stranger();
        leader->manners = child->manners = FAKE_IGNORES;
        check_signal(job, true, SIGUSR1, 0, 1);
        ck_assert_uint_eq(leader->n_signals, 1);
        ck_assert_uint_eq(child->n_signals, 0);
        check_signal(job, false, SIGUSR2, 0, 2);
        ck_assert_uint_eq(fake_count_signals(child, SIGUSR2), 1);
        ck_assert_int_eq(job_signal(job, true, SIGHUP, NULL, NULL), 0);
        ck_assert_uint_eq(fake_count_signals(leader, SIGHUP), 1);
        ck_assert_int_eq(job_signal_process(job, child->pid, SIGINT), 0);
        ck_assert_uint_eq(fake_count_signals(child, SIGINT), 1);
        ck_assert_uint_eq(fake_count_signals(leader, SIGINT), 0);
        ck_assert_int_eq(job_signal_process(job, stranger->pid, SIGINT),
                         -ESRCH); /* alive, but not of this job */
        ck_assert_uint_eq(stranger->n_signals, 0);
        ck_assert_int_eq(job_signal_process(job, 4711, SIGINT), -ESRCH);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING); /* never escalates */
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);

        fake_exit(leader, 0);
        world_settle(&w);
        check_signal(job, true, SIGUSR1, -ESRCH, 0);
        check_signal(job, false, SIGUSR1, 0, 1);
        fake_exit(child, 0);
        world_settle(&w);
        check_signal(job, false, SIGUSR1, -ESRCH, 0);
        ck_assert_int_eq(job_signal_process(job, child->pid, SIGUSR1), -ESRCH);
        world_done(&w);
}
END_TEST

static void check_cursor(const Job *job, const char *text, ErrorKind kind, uint64_t next_seqnum)
{
        Error e = ERROR_NULL;
        RingReader rr;
        Record record;
        int r;

        r = job_parse_cursor(job, text, &rr, &e);
        ck_assert_msg(e.kind == kind, "%s: %s", text, e.message);
        ck_assert_int_eq(r, kind == ERROR_NONE ? 0 : -EBADMSG);
        if (r < 0)
                return;
        ck_assert_int_eq(ring_reader_next(&rr, &record), next_seqnum > 0);
        if (next_seqnum > 0)
                ck_assert_uint_eq(record.seqnum, next_seqnum);
}

START_TEST(cursors)
{
        char first[CURSOR_TEXT_MAX], last[CURSOR_TEXT_MAX], wrong[CURSOR_TEXT_MAX];
        RingPosition position;
        Job *job, *other;

        world_init(&w);
        job = world_run(&w, NULL);
        other = world_run(&w, NULL);
        ck_assert_uint_ne(job->log.serial, other->log.serial);
        ck_assert(job->log.run[0] != 0 && job->log.run[1] != 0);
        check_cursor(job, "", ERROR_NONE, 0);
        fake_print(leader_of(job), 1, "a\n");
        world_settle(&w);
        ring_tail(job->ring, &position);
        cursor_format(&job->log, &position, first);
        fake_print(leader_of(job), 1, "b\nc\n");
        world_settle(&w);
        ring_tail(job->ring, &position);
        cursor_format(&job->log, &position, last);
        check_cursor(job, "", ERROR_NONE, 1);
        check_cursor(job, first, ERROR_NONE, 2);
        check_cursor(job, last, ERROR_NONE, 0);
        check_cursor(job, "tail", ERROR_NONE, 0);
        check_cursor(other, last, ERROR_BAD_CURSOR, 0);
        check_cursor(job, "Tail", ERROR_BAD_CURSOR, 0);
        check_cursor(job, "r=1;j=1", ERROR_BAD_CURSOR, 0);
        position.seqnum++; /* in the future */
        position.bytes++;
        position.records++;
        cursor_format(&job->log, &position, wrong);
        check_cursor(job, wrong, ERROR_BAD_CURSOR, 0);
        world_done(&w);
}
END_TEST

TEST_MAIN("job-moments", watchers_leave_at_any_moment, who_leaves_before_hears_nothing,
          who_comes_late_hears_the_rest, started_comes_first, failed_comes_alone,
          nobody_hears_of_a_failed_start, idle_when_the_last_one_has_gone, single_signals, cursors)
