/* Who waits for ports, over the fake kernel, with time as the test says. */

#include "core/port-watch.h"

#include <errno.h>

#include "basic/alloc.h"
#include "core/job-ports.h"
#include "fake-world.h"
#include "test-main.h"

static World w;
static PortWatch watch;

typedef struct Waiter {
        PortWait wait;
        unsigned n_looks;
        int last; /* what it was told */
        struct Waiter *removes;
} Waiter;

static void on_looked(PortWait *pw, int r)
{
        Waiter *waiter = container_of(pw, Waiter, wait);

        ck_assert(waiter->last != 1); /* once it is over, it is over */
        waiter->n_looks++;
        waiter->last = r;
        if (waiter->removes)
                port_wait_remove(&waiter->removes->wait);
}

static void waiter_add(Waiter *waiter, Job *job, const uint16_t *ports, size_t n)
{
        *waiter = (Waiter){.wait = {.job = job, .ports = ports, .n_ports = n, .looked = on_looked}};
        port_wait_add(&watch, &waiter->wait);
}

static void begin(void)
{
        world_init(&w);
        port_watch_init(&watch, &w.timers);
}

static void end(void)
{
        ck_assert(list_is_empty(&watch.waits));
        ck_assert(!timer_is_armed(&watch.timer));
        ck_assert_ptr_null(watch.listeners);
        port_watch_done(&watch);
        world_done(&w);
}

static const uint16_t http[] = {80}, both[] = {80, 443};

START_TEST(nobody_waits)
{
        begin();
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_run(&w, NULL);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(fake.n_net_looks, 0);
        end();
}
END_TEST

START_TEST(open_already)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_hold_files(leader_of(job), 3);
        fake_listen(leader_of(job), 80);
        waiter_add(&waiter, job, http, 1);
        ck_assert_uint_eq(fake.n_net_looks, 0); /* not from in there */
        world_settle(&w);
        ck_assert_uint_eq(waiter.n_looks, 1);
        ck_assert_int_eq(waiter.last, 1);
        ck_assert_uint_eq(fake.net_port, 80); /* the kernel chose */
        end();
}
END_TEST

/* Quickly at first, then rarer, and going on; descriptors are not looked at while nothing listens. */
START_TEST(looks)
{
        Waiter waiter;
        unsigned n_looks;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_add(&waiter, job, http, 1);
        world_pass(&w, 30 * USEC_PER_MSEC);
        ck_assert_uint_ge(waiter.n_looks, 4);
        world_pass(&w, 10 * USEC_PER_SEC);
        n_looks = fake.n_net_looks;
        world_pass(&w, 10 * USEC_PER_SEC);
        ck_assert_uint_eq(fake.n_net_looks - n_looks, 10 * USEC_PER_SEC / PORT_DELAY_MAX_USEC);
        ck_assert_uint_eq(fake.n_walks, 0);
        fake_listen(fake_fork(leader_of(job)), 80);
        world_pass(&w, PORT_DELAY_MAX_USEC);
        ck_assert_int_eq(waiter.last, 1);
        end();
}
END_TEST

START_TEST(of_others)
{
        Job *job, *other;
        Waiter waiter;

        begin();
        job = world_run(&w, NULL);
        other = world_run(&w, NULL);
        fake_listen(leader_of(other), 80);
        fake_listen(NULL, 443);
        waiter_add(&waiter, job, http, 1);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(waiter.last, 0);
        ck_assert_uint_gt(fake.n_walks, 0);
        port_wait_remove(&waiter.wait);
        port_wait_remove(&waiter.wait);
        end();
}
END_TEST

/* A socket that somebody else made, and handed on. */
START_TEST(inherited)
{
        uint64_t inode;
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        inode = fake_listen(NULL, 80);
        fake_hold_socket(fake_fork(leader_of(job)), inode);
        waiter_add(&waiter, job, http, 1);
        world_settle(&w);
        ck_assert_int_eq(waiter.last, 1);
        end();
}
END_TEST

START_TEST(all_of_several)
{
        Waiter two, one;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_add(&two, job, both, 2);
        waiter_add(&one, job, http, 1);
        world_settle(&w);
        ck_assert_uint_eq(fake.net_port, 0);
        fake_listen(leader_of(job), 80);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(one.last, 1);
        ck_assert_int_eq(two.last, 0);
        fake_listen(fake_fork(leader_of(job)), 443);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(two.last, 1);
        end();
}
END_TEST

/* One list a look, for all. */
START_TEST(many)
{
        static Waiter waiters[500];
        unsigned n_looks;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        for (size_t i = 0; i < ELEMENTSOF(waiters); i++)
                waiter_add(&waiters[i], job, http, 1);
        world_pass(&w, USEC_PER_SEC);
        n_looks = fake.n_net_looks;
        for (size_t i = 0; i < ELEMENTSOF(waiters); i++)
                ck_assert_uint_eq(waiters[i].n_looks, n_looks);
        fake_listen(leader_of(job), 80);
        world_pass(&w, USEC_PER_SEC);
        for (size_t i = 0; i < ELEMENTSOF(waiters); i++)
                ck_assert_int_eq(waiters[i].last, 1);
        end();
}
END_TEST

/* No turn looks at more than so many descriptors; and a look that took long has a long pause after it. */
START_TEST(bounded)
{
        Waiter waiter;
        usec_t start;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        for (unsigned i = 0; i < 20; i++)
                fake_hold_files(fake_fork(leader_of(job)), 1000);
        fake_listen(NULL, 80);
        fake.walk_step_usec = 10;
        waiter_add(&waiter, job, http, 1);
        start = fake.monotonic;
        while (waiter.n_looks == 0) {
                unsigned steps = fake.n_walk_steps;

                fake_clock_advance(1);
                world_timers(&w);
                ck_assert_uint_le(fake.n_walk_steps - steps, PORT_LINKS);
        }
        ck_assert_uint_gt(fake.n_walk_steps, 20000);
        ck_assert_uint_ge(watch.timer.deadline - fake.monotonic, 8 * (fake.monotonic - start));
        /* Not even a hint shortens that, or somebody new. */
        port_wait_hint(&waiter.wait);
        ck_assert_uint_ge(watch.timer.deadline - fake.monotonic, 8 * (fake.monotonic - start));
        port_wait_remove(&waiter.wait);
        end();
}
END_TEST

START_TEST(hints)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_add(&waiter, job, http, 1);
        world_pass(&w, 5 * USEC_PER_SEC);
        while (watch.timer.deadline - fake.monotonic < PORT_DELAY_MAX_USEC / 2)
                world_pass(&w, USEC_PER_MSEC);
        fake_listen(leader_of(job), 80);
        port_wait_hint(&waiter.wait);
        world_pass(&w, PORT_DELAY_MAX_USEC / 10);
        ck_assert_int_eq(waiter.last, 1);
        port_wait_hint(&waiter.wait); /* it does not wait any more */
        end();
}
END_TEST

/* Whoever is told may take anybody away, himself too, also in the middle of a walk. */
START_TEST(removal)
{
        Waiter a, b, c;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_listen(NULL, 80);
        waiter_add(&a, job, http, 1);
        waiter_add(&b, job, http, 1);
        waiter_add(&c, job, http, 1);
        a.removes = &b;
        c.removes = &c;
        world_settle(&w);
        ck_assert_uint_eq(a.n_looks, 1);
        ck_assert_uint_eq(b.n_looks, 0);
        ck_assert_uint_eq(c.n_looks, 1);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_gt(a.n_looks, 1);
        ck_assert_uint_eq(c.n_looks, 1);

        fake_hold_files(leader_of(job), 10000);
        fake_clock_advance(USEC_PER_SEC);
        world_timers(&w);
        ck_assert_ptr_eq(watch.walked, &a.wait);
        port_wait_remove(&a.wait);
        ck_assert_ptr_null(watch.walked);
        end();
}
END_TEST

START_TEST(what_cannot_be_seen)
{
        static const int errors[] = {-EMFILE, -ENOMEM};
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_listen(leader_of(job), 80);
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                fake.net_error = errors[i];
                waiter_add(&waiter, job, http, 1);
                world_settle(&w);
                ck_assert_int_eq(waiter.last, errors[i]);
                fake.net_error = 0;
                fake.walk_error = errors[i];
                world_pass(&w, USEC_PER_SEC);
                ck_assert_int_eq(waiter.last, errors[i]);
                fake.walk_error = 0;
                world_pass(&w, USEC_PER_SEC); /* he waits still */
                ck_assert_int_eq(waiter.last, 1);
        }
        end();
}
END_TEST

START_TEST(each_allocation)
{
        Waiter waiter;
        unsigned nth = 1;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_listen(leader_of(job), 80);
        for (bool hit = true; hit; nth++) {
                waiter_add(&waiter, job, http, 1);
                alloc_fault_set(nth, false);
                world_settle(&w);
                hit = alloc_fault_hits() > 0;
                alloc_fault_set(0, false);
                ck_assert_int_eq(waiter.last, hit ? -ENOMEM : 1);
                world_pass(&w, USEC_PER_SEC);
                ck_assert_int_eq(waiter.last, 1);
        }
        ck_assert_uint_gt(nth, 2);
        end();
}
END_TEST

/* The property. */
START_TEST(ports_of_a_job)
{
        uint16_t *ports = NULL;
        Job *job, *other;
        size_t n = 7;

        begin();
        job = world_run(&w, NULL);
        other = world_run(&w, NULL);
        ck_assert_int_eq(job_listening_ports(job, &ports, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_uint_eq(fake.n_walks, 0); /* nothing listens: nothing to look for */
        free(ports);
        fake_listen(leader_of(job), 443);
        fake_listen(fake_fork(leader_of(job)), 80);
        fake_listen(leader_of(job), 443); /* the other family */
        fake_listen(leader_of(other), 22);
        world_settle(&w);
        ck_assert_int_eq(job_listening_ports(job, &ports, &n), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_uint_eq(ports[0], 80);
        ck_assert_uint_eq(ports[1], 443);
        free(ports);

        for (unsigned nth = 1, hits = 1; hits > 0; nth++) {
                int r;

                world_settle(&w);
                ports = NULL;
                alloc_fault_set(nth, false);
                r = job_listening_ports(job, &ports, &n);
                hits = alloc_fault_hits();
                alloc_fault_set(0, false);
                ck_assert_int_eq(r, hits ? -ENOMEM : 0);
                free(ports);
        }
        fake_exit(leader_of(other), 0);
        world_settle(&w);
        ck_assert_int_eq(job_listening_ports(other, &ports, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_ptr_null(ports);

        /* It takes no longer than PID 1 may spare. */
        fake_hold_files(leader_of(job), 1000000);
        fake.n_walk_steps = fake.n_net_looks = 0;
        fake_listen(NULL, 25);
        world_settle(&w);
        for (unsigned i = 0; i < 10; i++) { /* one answer about many jobs */
                ck_assert_int_eq(job_listening_ports(job, &ports, &n), 0);
                free(ports);
        }
        ck_assert_uint_gt(fake.n_walk_steps, JOB_PORTS_LINKS / 2);
        ck_assert_uint_le(fake.n_walk_steps, JOB_PORTS_LINKS);
        ck_assert_uint_eq(fake.n_net_looks, 1);
        end();
}
END_TEST

TEST_MAIN("port-watch", nobody_waits, open_already, looks, of_others, inherited, all_of_several, many,
          bounded, hints, removal, what_cannot_be_seen, each_allocation, ports_of_a_job)
