/* Any of several things at once: moments, ports and lines of a job, over the fake kernel. */

#include "core/job-wait.h"

#include <errno.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "fake-world.h"
#include "test-main.h"

static World w;
static PortWatch ports;
static LineWatch lines;

typedef struct Waiter {
        JobWait wait;
        int reached; /* -EAGAIN: it waits */
        unsigned n_done;
} Waiter;

static void on_done(JobWait *jw, int reached)
{
        Waiter *waiter = container_of(jw, Waiter, wait);

        ck_assert_int_eq(waiter->reached, -EAGAIN);
        waiter->reached = reached;
        waiter->n_done++;
        job_wait_done(jw); /* as the owner does: at once */
}

static void waiter_init(Waiter *waiter)
{
        *waiter = (Waiter){.reached = -EAGAIN};
        job_wait_init(&waiter->wait);
        waiter->wait.done = on_done;
}

static void want(Waiter *waiter, WaitKey key)
{
        waiter->wait.until[key] = true;
}

static void want_port(Waiter *waiter, uint16_t port)
{
        waiter->wait.ports[0] = alloc_copy(&port, sizeof(port));
        waiter->wait.n_ports[0] = 1;
        want(waiter, WAIT_PORT);
}

static void want_ports(Waiter *waiter, uint16_t one, uint16_t two)
{
        const uint16_t both[] = {one, two};

        waiter->wait.ports[1] = alloc_copy(both, sizeof(both));
        waiter->wait.n_ports[1] = 2;
        want(waiter, WAIT_PORTS);
}

static void want_line(Waiter *waiter, const char *pattern)
{
        ck_assert_int_eq(pattern_compile(&waiter->wait.lines.pattern, "LogPattern", pattern, NULL), 0);
        waiter->wait.lines.streams = STREAM_MASK_OUTPUT;
        want(waiter, WAIT_LOG_PATTERN);
}

static int start(Waiter *waiter, Job *job)
{
        int r = job_wait_start(&waiter->wait, job, &ports, &lines);

        ck_assert_uint_eq(waiter->n_done, 0); /* not from in there */
        waiter->reached = r;
        if (r != -EAGAIN)
                job_wait_done(&waiter->wait);
        return r;
}

static int ask(Waiter *waiter, Job *job)
{
        waiter->wait.once = true;
        (void) start(waiter, job);
        world_settle(&w);
        return waiter->reached;
}

static void begin(void)
{
        world_init(&w);
        port_watch_init(&ports, &w.timers);
        line_watch_init(&lines, &w.timers);
}

/* Nothing is left of any wait. */
static void end(void)
{
        ck_assert(list_is_empty(&ports.waits));
        ck_assert(list_is_empty(&lines.scans));
        ck_assert(!timer_is_armed(&ports.timer));
        ck_assert(!timer_is_armed(&lines.timer));
        world_done(&w);
}

START_TEST(words)
{
        ck_assert_str_eq(wait_key_to_string(WAIT_LOG_PATTERN), "LogPattern");
        ck_assert_str_eq(wait_key_to_string(WAIT_FINISHED), "Finished");
}
END_TEST

START_TEST(moments)
{
        static const WaitKey keys[] = {WAIT_EXITED, WAIT_DRAINED, WAIT_FINISHED};
        Waiter waiters[3], ready;
        FakeProcess *child;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&ready);
        want(&ready, WAIT_READY);
        want(&ready, WAIT_FINISHED);
        ck_assert_int_eq(start(&ready, job), WAIT_READY);
        for (size_t i = 0; i < 3; i++) {
                waiter_init(&waiters[i]);
                want(&waiters[i], keys[i]);
                ck_assert_int_eq(start(&waiters[i], job), -EAGAIN);
        }
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(waiters[0].reached, WAIT_EXITED);
        ck_assert_int_eq(waiters[1].reached, -EAGAIN);
        fake_close(child, 1);
        fake_close(child, 2);
        world_settle(&w);
        ck_assert_int_eq(waiters[1].reached, WAIT_DRAINED);
        ck_assert_int_eq(waiters[2].reached, -EAGAIN);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert_int_eq(waiters[2].reached, WAIT_FINISHED);
        end();
}
END_TEST

/* Whichever comes first ends all of it. */
START_TEST(first_of_several)
{
        Job *job;

        begin();
        for (unsigned variant = 0; variant < 4; variant++) {
                static const int expected[] = {WAIT_PORT, WAIT_PORTS, WAIT_LOG_PATTERN, WAIT_EXITED};
                Waiter waiter;

                job = world_run(&w, NULL);
                waiter_init(&waiter);
                want_port(&waiter, 80);
                want_ports(&waiter, 443, 8443);
                want_line(&waiter, "ready");
                want(&waiter, WAIT_EXITED);
                ck_assert_int_eq(start(&waiter, job), -EAGAIN);
                world_pass(&w, USEC_PER_SEC);
                ck_assert_uint_eq(waiter.n_done, 0);
                if (variant == 0)
                        fake_listen(leader_of(job), 80);
                if (variant == 1)
                        fake_listen(leader_of(job), 8443);
                if (variant == 1)
                        fake_listen(leader_of(job), 443);
                if (variant == 2)
                        fake_print(leader_of(job), 2, "ready\n");
                if (variant == 3)
                        fake_exit(leader_of(job), 0);
                world_pass(&w, USEC_PER_SEC);
                ck_assert_int_eq(waiter.reached, expected[variant]);
                ck_assert_uint_eq(waiter.n_done, 1);
        }
        end();
}
END_TEST

/* A line written before the end is told, and not the end; also of a job that ended long ago. */
START_TEST(line_before_the_end)
{
        Waiter now, later, never;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&now);
        want_line(&now, "bye");
        want(&now, WAIT_EXITED);
        ck_assert_int_eq(start(&now, job), -EAGAIN);
        fake_print(leader_of(job), 1, "good bye\n");
        fake_exit(leader_of(job), 3);
        world_settle(&w);
        ck_assert_int_eq(now.reached, WAIT_LOG_PATTERN);

        waiter_init(&later);
        want_line(&later, "bye");
        want(&later, WAIT_FINISHED);
        ck_assert_int_eq(ask(&later, job), WAIT_LOG_PATTERN);
        waiter_init(&never);
        want_line(&never, "nothing");
        want(&never, WAIT_DRAINED);
        ck_assert_int_eq(ask(&never, job), WAIT_DRAINED);
        end();
}
END_TEST

/* What the job's end makes impossible ends with it. */
START_TEST(impossible)
{
        Waiter port, line, all;
        FakeProcess *child;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&port);
        want_port(&port, 80);
        waiter_init(&line);
        want_line(&line, "never");
        ck_assert_int_eq(start(&port, job), -EAGAIN);
        ck_assert_int_eq(start(&line, job), -EAGAIN);
        child = fake_fork(leader_of(job));
        fake_close(child, 1);
        fake_close(child, 2);
        fake_exit(leader_of(job), 1);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(port.n_done + line.n_done, 0); /* something of it lives */
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert_int_eq(port.reached, WAIT_FINISHED);
        ck_assert_int_eq(line.reached, WAIT_FINISHED);
        waiter_init(&all);
        want_line(&all, "never");
        want_port(&all, 80);
        ck_assert_int_eq(ask(&all, job), WAIT_FINISHED);
        waiter_init(&port);
        want_port(&port, 80);
        ck_assert_int_eq(start(&port, job), WAIT_FINISHED);
        end();
}
END_TEST

START_TEST(asking)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&waiter);
        want(&waiter, WAIT_EXITED);
        ck_assert_int_eq(ask(&waiter, job), -ETIMEDOUT);
        waiter_init(&waiter);
        want_port(&waiter, 80);
        want_line(&waiter, "ready");
        ck_assert_int_eq(ask(&waiter, job), -ETIMEDOUT);
        fake_print(leader_of(job), 1, "ready\n");
        world_settle(&w);
        waiter_init(&waiter);
        want_port(&waiter, 80);
        want_line(&waiter, "ready");
        ck_assert_int_eq(ask(&waiter, job), WAIT_LOG_PATTERN);
        fake_listen(leader_of(job), 80);
        waiter_init(&waiter);
        want_port(&waiter, 80);
        want_line(&waiter, "never");
        ck_assert_int_eq(ask(&waiter, job), WAIT_PORT);
        fake.net_error = -EMFILE;
        waiter_init(&waiter);
        want_port(&waiter, 80);
        ck_assert_int_eq(ask(&waiter, job), -EMFILE);
        end();
}
END_TEST

/* Who waits on is not put off by what will pass. */
START_TEST(what_passes)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_listen(leader_of(job), 80);
        fake.net_error = -EMFILE;
        waiter_init(&waiter);
        want_port(&waiter, 80);
        ck_assert_int_eq(start(&waiter, job), -EAGAIN);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(waiter.n_done, 0);
        fake.net_error = 0;
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(waiter.reached, WAIT_PORT);
        end();
}
END_TEST

START_TEST(time_out)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&waiter);
        want_port(&waiter, 80);
        want_line(&waiter, "x");
        ck_assert_int_eq(start(&waiter, job), -EAGAIN);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(job_wait_time_out(&waiter.wait), -ETIMEDOUT);
        job_wait_done(&waiter.wait);
        job_wait_done(&waiter.wait);
        end();
}
END_TEST

START_TEST(record_goes)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_init(&waiter);
        want_line(&waiter, "(x.*)+{9}y");
        want(&waiter, WAIT_EXITED);
        want_port(&waiter, 80);
        ck_assert_int_eq(start(&waiter, job), -EAGAIN);
        job_set_done(&w.jobs); /* reeve goes */
        ck_assert_int_eq(waiter.reached, -ENOENT);
        w.jobs = (JobSet){0};
        end();
}
END_TEST

START_TEST(no_memory)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "ready\n");
        world_settle(&w);
        for (unsigned nth = 1, hits = 1; hits > 0; nth++) {
                waiter_init(&waiter);
                want_line(&waiter, "ready");
                want_port(&waiter, 80);
                alloc_fault_set(nth, false);
                (void) ask(&waiter, job);
                hits = alloc_fault_hits();
                alloc_fault_set(0, false);
                ck_assert_int_eq(waiter.reached, hits ? -ENOMEM : (int) WAIT_LOG_PATTERN);
        }
        end();
}
END_TEST

TEST_MAIN("job-wait", words, moments, first_of_several, line_before_the_end, impossible, asking, what_passes,
          time_out, record_goes, no_memory)
