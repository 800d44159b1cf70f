/* The wiring, over the fake: who gets which signal, who is reaped as what, and with which status reeve ends.
 * The event loop is run without waiting; its clock is far behind the fake one, so that timers are run by
 * hand. */

#include "core/manager.h"

#include <errno.h>
#include <signal.h>

#include "basic/strv.h"
#include "core/error.h"
#include "fake-world.h"
#include "sys/boot.h"
#include "test-main.h"

#define SECOND USEC_PER_SEC
#define S(text) ((char *) (text))

static Manager m;
static BootState boot;
static unsigned n_fds;

static void begin_as(bool is_pid1, bool is_machine)
{
        ManagerConfig config = {
                        .boot = &boot,
                        .environment = (char *const[]){S("A=1"), S("NOTIFY_SOCKET=/n"), NULL},
                        .live_max = 10,
                        .finished_max = 10,
                        .stop_timeout = 8 * SECOND,
                        .is_machine = is_machine,
        };

        fake_reset();
        fake.monotonic = UINT64_C(100000000) * SECOND;
        n_fds = fake_count_fds();
        boot = (BootState){
                        .is_pid1 = is_pid1,
                        .working_directory = S("/work"),
                        .nofile = {.rlim_cur = 1024, .rlim_max = 4096},
        };
        ck_assert_int_eq(manager_init(&m, &config), 0);
        ck_assert_str_eq(manager_state(&m), "starting");
        m.ready = true; /* as manager_run() */
}

static void begin(bool is_pid1)
{
        begin_as(is_pid1, false);
}

static void end(void)
{
        manager_done(&m);
        fake_done();
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert_uint_eq(fake_count_fds(), n_fds);
}

static void settle(void)
{
        unsigned n = 0;

        while (sd_event_get_state(m.event) != SD_EVENT_FINISHED && sd_event_run(m.event, 0) > 0)
                ck_assert_uint_lt(n++, 10000);
}

/* Time goes by. */
static void pass(usec_t usec)
{
        fake_clock_advance(usec);
        timer_queue_run(&m.timers, fake.monotonic);
        settle();
}

/* SIGCHLD names one of those that have ended; the others are found. */
static void children_ended(pid_t pid)
{
        fake_send_signal(SIGCHLD, pid, false);
        settle();
}

static FakeProcess *start_main(void)
{
        Error e = ERROR_NULL;

        ck_assert_msg(manager_start_main(&m, (char *const[]){S("payload"), NULL}, &e) == 0, "%s", e.message);
        return fake_newest();
}

static FakeProcess *run_main(void)
{
        FakeProcess *p = start_main();

        fake_exec(p);
        settle();
        ck_assert_int_eq(m.main_job->fsm.state, JOB_RUNNING);
        return p;
}

static Job *run_job(void)
{
        bool existing;
        ExecSpec spec;
        Job *job;

        spec_init(&spec);
        ck_assert_int_eq(job_set_start(&m.jobs, &spec, &job, &existing, NULL), 0);
        fake_exec(fake_newest());
        settle();
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        return job;
}

static bool is_over(int code)
{
        int given;

        if (sd_event_get_exit_code(m.event, &given) < 0)
                return false;
        ck_assert_int_eq(given, code);
        return true;
}

START_TEST(lives_until_told_to_stop)
{
        begin(true);
        settle();
        ck_assert_str_eq(manager_state(&m), "running");
        ck_assert_str_eq(manager_containment(&m), "cgroup");
        ck_assert(strv_equal(m.environment, (char *const[]){S("A=1"), NULL}));
        pass(3600 * SECOND);
        ck_assert(!is_over(0));
        fake_send_signal(SIGTERM, 0, true); /* docker stop */
        settle();
        ck_assert(is_over(0));
        ck_assert_str_eq(manager_state(&m), "stopping");
        end();
}
END_TEST

START_TEST(no_tree)
{
        fake_reset();
        begin(true);
        end();
        fake.no_tree = true;
        ck_assert_int_eq(manager_init(&m, &(ManagerConfig){.boot = &boot, .live_max = 1}), 0);
        ck_assert_str_eq(manager_containment(&m), "process-tree");
        ck_assert_uint_eq(m.store.budget, 1024 * 1024 * 1024 / 10);
        end();
}
END_TEST

START_TEST(who_is_reaped_as_what)
{
        FakeProcess *stranger, *child;
        Job *job;

        begin(true);
        job = run_job();
        child = fake_fork(leader_of(job));
        stranger = fake_stranger();
        fake_exit(stranger, 0);
        fake_exit(leader_of(job), 7);
        children_ended(leader_of(job)->pid);
        ck_assert_int_eq(job->exit_code, 7);
        ck_assert_uint_eq(m.n_reaped, 2);
        ck_assert_uint_eq(m.n_orphans_reaped, 1);
        fake_exit(child, 0);
        children_ended(0);
        ck_assert(job_is_finished(job));
        ck_assert_uint_eq(m.n_reaped, 3);
        ck_assert_uint_eq(m.n_orphans_reaped, 2);
        ck_assert(!fake_has_zombies());
        children_ended(4711); /* a name that means nobody */
        ck_assert_uint_eq(m.n_reaped, 3);
        end();
}
END_TEST

START_TEST(a_thousand_orphans)
{
        begin(true);
        for (unsigned i = 0; i < 1500; i++)
                fake_exit(fake_stranger(), 0);
        children_ended(FAKE_PIDS);
        ck_assert_uint_eq(m.n_orphans_reaped, 1500);
        ck_assert(!is_over(0));
        end();
}
END_TEST

START_TEST(reeve_ends_with_the_main_job)
{
        Job *other;

        begin(true);
        run_main();
        other = run_job();
        fake_exit(fake_process(m.main_job->pid), 42);
        children_ended(m.main_job->pid);
        ck_assert_uint_eq(fake_count_signals(leader_of(other), SIGTERM), 1);
        children_ended(0);
        ck_assert(is_over(42));
        end();
}
END_TEST

START_TEST(the_main_job_cannot_start)
{
        static const struct {
                int error, status;
        } cases[] = {{ENOENT, 127}, {EACCES, 126}, {ENOEXEC, 126}, {ENOMEM, 126}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FakeProcess *p;

                begin(true);
                p = start_main();
                fake_exec_fails(p, SPAWN_EXEC, cases[i].error, "/bin/payload");
                children_ended(p->pid);
                ck_assert(is_over(cases[i].status));
                ck_assert_ptr_null(m.main_job);
                end();
        }
}
END_TEST

START_TEST(signals_for_the_main_job)
{
        const int passed[] = {SIGHUP,  SIGUSR1, SIGUSR2, SIGWINCH, SIGQUIT,
                              SIGPIPE, SIGTTIN, SIGTTOU, SIGTSTP,  SIGCHLD};
        FakeProcess *leader, *child;

        begin(true);
        leader = run_main();
        child = fake_fork(leader);
        leader->manners = FAKE_IGNORES;
        for (size_t i = 0; i < ELEMENTSOF(passed); i++) {
                fake_send_signal(passed[i], 0, true);
                settle();
                ck_assert_uint_eq(fake_count_signals(leader, passed[i]), 1);
        }
        fake_send_signal(SIGPIPE, 1, true); /* reeve's own, for a write of its */
        settle();
        ck_assert_uint_eq(leader->n_signals, ELEMENTSOF(passed));
        ck_assert_uint_eq(child->n_signals, 0); /* the leader's alone */
        ck_assert_str_eq(manager_state(&m), "running");
        fake_send_signal(SIGINT, 0, false); /* ^C: what it is */
        settle();
        ck_assert_uint_eq(fake_count_signals(leader, SIGINT), 1);
        ck_assert_str_eq(manager_state(&m), "stopping");
        end();
}
END_TEST

START_TEST(without_a_main_job_they_are_nobodys)
{
        Job *job;

        begin(true);
        job = run_job();
        fake_send_signal(SIGUSR1, 0, true);
        fake_send_signal(SIGHUP, 0, true);
        settle();
        ck_assert_uint_eq(leader_of(job)->n_signals, 0);
        ck_assert_str_eq(manager_state(&m), "running");
        end();
}
END_TEST

static unsigned n_rejoins;

static void on_rejoin(Manager *manager)
{
        ck_assert_ptr_eq(manager, &m);
        n_rejoins++;
}

/* SIGUSR1 without a main job, and not from a job. */
START_TEST(a_message_bus_is_to_be_rejoined)
{
        n_rejoins = 0;
        begin(true);
        m.rejoin = on_rejoin;
        fake_send_signal(SIGUSR1, 0, true);
        settle();
        ck_assert_uint_eq(n_rejoins, 1);
        fake_send_signal(SIGUSR1, leader_of(run_job())->pid, true);
        settle();
        ck_assert_uint_eq(n_rejoins, 1);
        (void) run_main();
        fake_send_signal(SIGUSR1, 0, true);
        settle();
        ck_assert_uint_eq(n_rejoins, 1);
        end();
}
END_TEST

/* `kill 1` in a sandbox stops nothing; `docker exec` and the main job may. */
START_TEST(whose_signals_are_orders)
{
        FakeProcess *leader, *main_leader;
        ExecSpec spec;
        bool existing;
        Job *job;

        begin(true);
        main_leader = run_main();
        main_leader->manners = FAKE_IGNORES;
        leader = leader_of(run_job());
        fake_send_signal(SIGTERM, leader->pid, true);
        fake_send_signal(SIGTERM, fake_fork(leader)->pid, true);
        fake_send_signal(SIGHUP, leader->pid, true);
        fake_send_signal(SIGTERM, 4711, true); /* gone: taken for a job's */
        settle();
        spec_init(&spec); /* one on its way to exec is a job's, too */
        ck_assert_int_eq(job_set_start(&m.jobs, &spec, &job, &existing, NULL), 0);
        fake_send_signal(SIGTERM, job->pid, true);
        settle();
        ck_assert_str_eq(manager_state(&m), "running");
        ck_assert_uint_eq(main_leader->n_signals, 0);

        fake_send_signal(SIGHUP, main_leader->pid, true);
        settle();
        ck_assert_uint_eq(fake_count_signals(main_leader, SIGHUP), 1);
        fake_send_signal(SIGTERM, fake_stranger()->pid, true);
        settle();
        ck_assert_str_eq(manager_state(&m), "stopping");
        end();

        begin(false); /* not as PID 1 the sender may be anybody */
        fake_send_signal(SIGTERM, 4711, true);
        settle();
        ck_assert_str_eq(manager_state(&m), "stopping");
        end();
}
END_TEST

START_TEST(a_second_order_kills)
{
        Job *job;

        begin(true);
        job = run_job();
        leader_of(job)->manners = FAKE_IGNORES;
        fake_send_signal(SIGTERM, 0, true);
        settle();
        ck_assert(leader_of(job)->alive);
        fake_send_signal(SIGINT, 0, true);
        settle();
        ck_assert(!leader_of(job)->alive);
        children_ended(job->pid);
        ck_assert(is_over(0));
        end();
}
END_TEST

START_TEST(a_stop_of_the_main_job_is_a_shutdown)
{
        FakeProcess *leader;

        begin(true);
        leader = run_main();
        leader->exits_with = 3;
        ck_assert_ptr_nonnull(m.jobs.stop_main);
        m.jobs.stop_main(&m.jobs, SIGHUP);
        ck_assert_int_eq(leader->signals[0], SIGHUP);
        children_ended(leader->pid);
        ck_assert(is_over(3));
        end();
}
END_TEST

/* One order is one order: that the main job did not come to exec is no second one. */
START_TEST(stopped_while_the_main_job_starts)
{
        FakeProcess *p;
        Job *other;

        begin(true);
        other = run_job();
        leader_of(other)->manners = FAKE_IGNORES;
        p = start_main();
        fake_send_signal(SIGTERM, 0, true);
        settle();
        ck_assert(!p->alive);
        children_ended(p->pid);
        ck_assert_ptr_null(m.main_job);
        ck_assert(leader_of(other)->alive); /* it has its time */
        pass(6 * SECOND);
        ck_assert(!leader_of(other)->alive);
        end();
}
END_TEST

/* Its record may go while reeve stops; nobody holds on to it. */
START_TEST(the_main_jobs_record_goes)
{
        FakeProcess *leader;

        begin(true);
        leader = run_main();
        run_job();
        fake_newest()->manners = FAKE_IGNORES;
        fake_exit(leader, 1);
        children_ended(leader->pid);
        ck_assert_int_eq(job_set_forget(&m.jobs, m.main_job, NULL), 0);
        ck_assert_ptr_null(m.main_job);
        fake_send_signal(SIGUSR1, 0, true);
        settle();
        pass(6 * SECOND);
        children_ended(0);
        ck_assert(is_over(1));
        end();
}
END_TEST

/* A signal is an order about the machine, and the main job is told by its own kill signal. */
START_TEST(signals_to_a_machine)
{
        const struct {
                int signal;
                PowerAction power;
        } cases[] = {{SIGTERM, POWER_OFF},       {SIGINT, POWER_REBOOT},    {SIGPWR, POWER_OFF},
                     {SIGRTMIN + 3, POWER_HALT}, {SIGRTMIN + 4, POWER_OFF}, {SIGRTMIN + 5, POWER_REBOOT}};

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                FakeProcess *leader;

                begin_as(true, true);
                leader = run_main();
                ck_assert(!leader->parameters.foreground && leader->parameters.console);
                fake_send_signal(cases[i].signal, 0, false);
                settle();
                ck_assert_int_eq(m.shutdown.power, cases[i].power);
                ck_assert_uint_eq(fake_count_signals(leader, SIGTERM), 1);
                children_ended(0);
                ck_assert(is_over(128 + SIGTERM));
                end();
        }
}
END_TEST

START_TEST(a_machine_ends_with_its_main_job)
{
        begin_as(true, true);
        fake_exit(run_main(), 42);
        children_ended(m.main_job->pid);
        ck_assert(is_over(42));
        ck_assert_int_eq(m.shutdown.power, POWER_OFF);
        end();

        begin(true); /* a container */
        ck_assert_int_eq(m.shutdown.power, POWER_NONE);
        fake_send_signal(SIGRTMIN + 5, 0, true);
        settle();
        ck_assert(is_over(0));
        ck_assert_int_eq(m.shutdown.power, POWER_NONE);
        end();
}
END_TEST

START_TEST(who_started_it_is_told)
{
        begin(true);
        (void) start_main();
        settle();
        ck_assert_str_eq(fake_told(), ""); /* not before that runs */
        fake_exec(fake_newest());
        settle();
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|");
        fake_send_signal(SIGTERM, 0, true);
        settle();
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|STOPPING=1\nSTATUS=Stopping|");
        end();
        begin(true);
        m.units.booting = true; /* something is to be started yet */
        (void) run_main();
        ck_assert_str_eq(fake_told(), "");
        m.units.booting = false;
        m.units.up(&m.units);
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|");
        end();
        begin(true);
        fake_exec_fails(start_main(), SPAWN_EXEC, ENOENT, "payload");
        settle();
        ck_assert_str_eq(fake_told(), "STOPPING=1\nSTATUS=Stopping|");
        end();
}
END_TEST

TEST_MAIN("manager", lives_until_told_to_stop, no_tree, who_is_reaped_as_what, a_thousand_orphans,
          reeve_ends_with_the_main_job, the_main_job_cannot_start, signals_for_the_main_job,
          without_a_main_job_they_are_nobodys, a_message_bus_is_to_be_rejoined, whose_signals_are_orders,
          a_second_order_kills, a_stop_of_the_main_job_is_a_shutdown, stopped_while_the_main_job_starts,
          the_main_jobs_record_goes, signals_to_a_machine, a_machine_ends_with_its_main_job,
          who_started_it_is_told)
