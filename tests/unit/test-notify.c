/* What a job says of itself, and what others say of it. */

#include "core/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

static const char *address_of(const Job *job)
{
        return env_get(leader_of(job)->parameters.environment, "NOTIFY_SOCKET");
}

static void say(const FakeProcess *p, const Job *job, const char *text)
{
        fake_notify(p, address_of(job), text);
        world_settle(&w);
}

static const char *status_of(const Job *job)
{
        return job->notify->status ?: "";
}

START_TEST(who_does_not_notify_is_ready_by_its_exec)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        ck_assert(job_is_ready(job));
        ck_assert_ptr_null(job->notify);
        ck_assert_ptr_null(env_get(leader_of(job)->parameters.environment, "NOTIFY_SOCKET"));
        ck_assert_ptr_null(env_get(leader_of(job)->parameters.environment, "WATCHDOG_USEC"));
        job = world_run(&w, "NotifyAccess", "none", NULL);
        ck_assert(job_is_ready(job));
        ck_assert_ptr_null(job->notify);
        world_done(&w);
}
END_TEST

START_TEST(ready_is_said)
{
        Chronicle c;
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        diary_start(&d, job);
        chronicle_start(&c, &w.jobs);
        ck_assert_str_eq(address_of(job), job->notify->address);
        ck_assert(!job_is_ready(job));
        say(leader_of(job), job, "READY=0\nX_READY=1");
        ck_assert(!job_is_ready(job));
        ck_assert_str_eq(d.text, "");
        ck_assert_str_eq(c.text, "");

        say(leader_of(job), job, "READY=1\nSTATUS=Here I am");
        ck_assert(job_is_ready(job));
        ck_assert_str_eq(status_of(job), "Here I am");
        ck_assert_str_eq(d.text, "ready");
        ck_assert_str_eq(c.text, "changed:j1");
        say(leader_of(job), job, "READY=1");
        ck_assert_str_eq(d.text, "ready");

        say(leader_of(job), job, "RELOADING=1\nMONOTONIC_USEC=1");
        ck_assert(!job_is_ready(job));
        say(leader_of(job), job, "READY=1");
        ck_assert(job_is_ready(job));
        say(leader_of(job), job, "STOPPING=1");
        ck_assert(!job_is_ready(job));
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING); /* by its own word alone nothing is ended */
        ck_assert_str_eq(d.text, "ready ready ready ready");
        job_watch_remove(&d.watch);
        job_set_unobserve(&c.observer);
        world_done(&w);
}
END_TEST

/* Before its exec is known nobody knows of the job; what it said by then counts after it. */
START_TEST(what_comes_early_counts_later)
{
        ExecSpec spec;
        Diary d = {0};
        Job *job;

        world_init(&w);
        spec_init(&spec);
        spec_set(&spec, "NotifyAccess", "main");
        job = world_start(&w, &spec);
        diary_start(&d, job);
        say(leader_of(job), job, "READY=1");
        ck_assert(!job_is_ready(job));
        ck_assert_str_eq(d.text, "");
        fake_exec(leader_of(job));
        world_settle(&w);
        ck_assert(job_is_ready(job));
        ck_assert_str_eq(d.text, "started ready");
        world_done(&w);
}
END_TEST

/* Also where its end is seen before its exec, and before its word. */
START_TEST(the_last_word_is_heard_before_the_end)
{
        ExecSpec spec;
        Diary d = {0};
        Job *job;

        world_init(&w);
        spec_init(&spec);
        spec_set(&spec, "NotifyAccess", "main");
        job = world_start(&w, &spec);
        diary_start(&d, job);
        fake_notify(leader_of(job), address_of(job), "READY=1\nSTATUS=bye");
        fake_exec(leader_of(job));
        fake_exit(leader_of(job), 3);
        world_reap(&w);
        ck_assert_str_eq(d.text, "started ready exited drained finished");
        ck_assert_str_eq(status_of(job), "bye");
        ck_assert(job_is_ready(job));
        ck_assert_int_lt(job->notify->fd, 0);
        world_settle(&w);
        world_done(&w);
}
END_TEST

START_TEST(main_is_the_leader_alone)
{
        FakeProcess *child, *stranger;
        Job *job, *other;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        other = world_run(&w, "NotifyAccess", "all", NULL);
        ck_assert_str_ne(address_of(job), address_of(other));
        child = fake_fork(leader_of(job));
        stranger = fake_stranger();
        say(child, job, "STATUS=child");
        say(stranger, job, "STATUS=stranger");
        say(NULL, job, "STATUS=elsewhere");
        say(leader_of(other), job, "STATUS=other");
        say(leader_of(job), other, "STATUS=wrong way");
        ck_assert_str_eq(status_of(job), "");
        ck_assert_str_eq(status_of(other), "");
        say(leader_of(job), job, "STATUS=leader");
        ck_assert_str_eq(status_of(job), "leader");
        world_done(&w);
}
END_TEST

START_TEST(all_is_who_is_of_the_job)
{
        FakeProcess *child, *stranger;
        Job *job, *other;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "all", NULL);
        other = world_run(&w, NULL);
        child = fake_fork(leader_of(job));
        stranger = fake_stranger();
        say(stranger, job, "READY=1");
        say(leader_of(other), job, "READY=1");
        say(NULL, job, "READY=1");
        ck_assert(!job_is_ready(job));
        say(child, job, "READY=1");
        ck_assert(job_is_ready(job));
        say(fake_fork(child), job, "STATUS=grandchild");
        ck_assert_str_eq(status_of(job), "grandchild");
        world_done(&w);
}
END_TEST

/* Of an orphan nothing is to be seen any more once it was reaped. */
START_TEST(orphans_are_heard_before_they_are_reaped)
{
        FakeProcess *orphan;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "all", NULL);
        orphan = fake_fork(leader_of(job));
        orphan->parent = NULL;
        fake_notify(orphan, address_of(job), "READY=1");
        fake_exit(orphan, 0);
        world_reap(&w);
        ck_assert(job_is_ready(job));

        /* Its parent was faster. */
        orphan = fake_fork(leader_of(job));
        fake_notify(orphan, address_of(job), "STATUS=gone");
        fake_exit(orphan, 0);
        world_settle(&w);
        ck_assert_str_eq(status_of(job), "");

        /* But the kernel knows. */
        fake.gone_are_known = true;
        orphan = fake_fork(leader_of(job));
        fake_exit(orphan, 0);
        say(orphan, job, "STATUS=gone");
        ck_assert_str_eq(status_of(job), "gone");
        orphan = fake_fork(leader_of(world_run(&w, NULL)));
        fake_exit(orphan, 0);
        say(orphan, job, "STATUS=forged");
        ck_assert_str_eq(status_of(job), "gone");
        world_done(&w);
}
END_TEST

START_TEST(what_is_broken_is_dropped)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        ck_assert_int_eq(fake_notify_raw(leader_of(job), address_of(job), "READY=1\0X", 9, false), 0);
        ck_assert_int_eq(fake_notify_raw(leader_of(job), address_of(job), "READY=1\n", 8, true), 0);
        ck_assert_int_eq(fake_notify_raw(leader_of(job), address_of(job), "", 0, false), 0);
        world_settle(&w);
        ck_assert(!job_is_ready(job));
        say(leader_of(job), job, "MAINPID=x\nERRNO=99999\nREADY=1\nERRNO=2\nFDSTORE=1\nFDNAME=x\nBARRIER=1");
        ck_assert(job_is_ready(job)); /* the rest of it counts */
        world_done(&w);
}
END_TEST

START_TEST(a_status_is_text)
{
        char big[NOTIFY_MESSAGE_MAX];
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        say(leader_of(job), job,
            "STATUS=gr\xc3\xb6\xc3\x9f"
            "er \xff\xc3");
        ck_assert_str_eq(status_of(job), "gr\xc3\xb6\xc3\x9f"
                                         "er \xef\xbf\xbd\xef\xbf\xbd");
        say(leader_of(job), job, "STATUS=");
        ck_assert_str_eq(status_of(job), "");

        memset(big, 'a', sizeof(big));
        memcpy(big, "STATUS=", 7);
        ck_assert_int_eq(fake_notify_raw(leader_of(job), address_of(job), big, sizeof(big), false), 0);
        world_settle(&w);
        ck_assert_uint_eq(strlen(status_of(job)), sizeof(big) - 7);
        say(leader_of(job), job, "STATUS=small");

        alloc_fault_set(1, 1);
        fake_notify(leader_of(job), address_of(job), "STATUS=lost");
        world_events(&w);
        alloc_fault_set(0, false);
        ck_assert_str_eq(status_of(job), "small");
        world_done(&w);
}
END_TEST

START_TEST(a_flood_is_told_in_moderation)
{
        unsigned told = 0;
        Chronicle c;
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        chronicle_start(&c, &w.jobs);
        for (unsigned i = 0; i < 10000; i++) {
                char text[32];

                snprintf(text, sizeof(text), "STATUS=%u", i);
                say(leader_of(job), job, text);
                if (i % 10 == 9)
                        fake_clock_advance(USEC_PER_MSEC);
                told += c.text[0] != '\0';
                c.text[0] = '\0';
        }
        ck_assert_str_eq(status_of(job), "9999");
        ck_assert_uint_ge(told, 10); /* 1 s of it */
        ck_assert_uint_le(told, 12);
        c.text[0] = '\0';
        world_pass(&w, USEC_PER_SEC); /* the last one is told, too */
        ck_assert_str_eq(c.text, "changed:j1");
        world_pass(&w, USEC_PER_SEC);
        ck_assert_str_eq(c.text, "changed:j1");
        job_set_unobserve(&c.observer);
        world_done(&w);
}
END_TEST

static unsigned fill(const Job *job)
{
        unsigned n = 0;

        while (fake_notify_raw(leader_of(job), address_of(job), "X=1", 3, false) == 0)
                n++;
        return n;
}

/* One that says more than a turn takes waits like everybody else; its readiness comes all the same. */
START_TEST(a_flood_keeps_nobody_waiting)
{
        Job *job, *other;
        unsigned n;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", NULL);
        other = world_run(&w, NULL);
        n = fill(job);
        ck_assert_uint_gt(n, 100);
        fake_print(leader_of(other), 1, "hello\n");
        for (unsigned i = 0; i < 5; i++) {
                _cleanup_free_ char *output = NULL;

                ck_assert(world_event(&w));
                (void) fill(job);
                output = world_output(other, STREAM_STDOUT);
                if (i == 4)
                        ck_assert_str_eq(output, "hello\n");
        }
        ck_assert(job->notify->is_behind);
        world_settle(&w);
        ck_assert(!job->notify->is_behind);
        say(leader_of(job), job, "READY=1");
        ck_assert(job_is_ready(job));

        /* At its end as much is heard as can wait in the socket. */
        (void) fill(job);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(without_a_socket_it_does_not_start)
{
        unsigned before;

        world_init(&w);
        for (unsigned nth = 0; nth < 2; nth++) {
                Error e = ERROR_NULL;
                bool existing;
                ExecSpec spec;
                Job *job;

                spec_init(&spec);
                spec_set(&spec, "NotifyAccess", "all");
                before = fake.n_spawned;
                fake.notify_error = nth == 0 ? -EMFILE : -ENOMEM;
                ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, &e), 0);
                ck_assert_int_eq(e.kind, nth == 0 ? ERROR_START_FAILED : ERROR_NO_MEMORY);
                if (nth == 0)
                        ck_assert(startswith(e.message, "notify: "));
                ck_assert_uint_eq(fake.n_spawned, before);
                fake.notify_error = 0;
                exec_spec_done(&spec);
        }
        ck_assert(list_is_empty(&w.jobs.notified));
        world_done(&w);
}
END_TEST

/* Stopping */

START_TEST(time_to_stop_is_extended)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, "NotifyAccess", "main", "TimeoutStopSec", "10", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        diary_start(&d, job);
        say(leader_of(job), job, "EXTEND_TIMEOUT_USEC=60000000"); /* of what is over nothing is left */
        ck_assert_str_eq(d.text, "more-time");
        ck_assert_uint_eq(job->notify->more_time, fake.monotonic + 60 * USEC_PER_SEC);
        job_stop(job, 0, job->spec.timeout_stop);
        world_pass(&w, 9 * USEC_PER_SEC);
        say(leader_of(job), job, "EXTEND_TIMEOUT_USEC=500000"); /* less than there is */
        ck_assert_uint_eq(job->stop_timer.deadline, fake.monotonic + USEC_PER_SEC);
        say(leader_of(job), job, "EXTEND_TIMEOUT_USEC=20000000");
        world_pass(&w, 19 * USEC_PER_SEC);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 0);
        world_pass(&w, 2 * USEC_PER_SEC);
        ck_assert_uint_eq(fake_count_signals(leader_of(job), SIGKILL), 1);
        ck_assert(job_is_finished(job));
        job_watch_remove(&d.watch);
        world_done(&w);
}
END_TEST

TEST_MAIN("notify", who_does_not_notify_is_ready_by_its_exec, ready_is_said, what_comes_early_counts_later,
          the_last_word_is_heard_before_the_end, main_is_the_leader_alone, all_is_who_is_of_the_job,
          orphans_are_heard_before_they_are_reaped, what_is_broken_is_dropped, a_status_is_text,
          a_flood_is_told_in_moderation, a_flood_keeps_nobody_waiting, without_a_socket_it_does_not_start,
          time_to_stop_is_extended)
