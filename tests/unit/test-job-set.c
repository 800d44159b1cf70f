/* All jobs: names, repeated requests, bounds, and what is kept of those that are over. */

#include "core/job-set.h"

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

/* Asks for a job; what comes of it. settings as of world_run(). */
static int ask(const char *id, const char *name, const char *text, Job **ret, bool *ret_existing, Error *e)
{
        ExecSpec spec;
        int r;

        spec_init(&spec);
        if (id)
                spec_set(&spec, "Id", id);
        if (name)
                spec_set(&spec, name, text);
        *e = ERROR_NULL;
        r = job_set_start(&w.jobs, &spec, ret, ret_existing, e);
        exec_spec_done(&spec);
        return r;
}

/* The same, which must be answered with that very job. */
static void ask_again(const char *id, const char *name, const char *text, const Job *known)
{
        bool existing = false;
        Job *job = NULL;
        Error e;

        ck_assert_msg(ask(id, name, text, &job, &existing, &e) == 0, "%s", e.message);
        ck_assert(existing);
        ck_assert_ptr_eq(job, known);
}

static void ask_refused(const char *id, const char *name, const char *text, ErrorKind kind, const char *word)
{
        Job *untouched = (Job *) &w, *job = untouched;
        bool existing;
        Error e;

        ck_assert_int_lt(ask(id, name, text, &job, &existing, &e), 0);
        ck_assert_msg(e.kind == kind, "%s", e.message);
        ck_assert_msg(strstr(e.message, word), "%s", e.message);
        ck_assert_ptr_eq(job, untouched);
}

START_TEST(names_that_nobody_gave)
{
        ExecSpec spec;

        world_init(&w);
        ck_assert_str_eq(world_run(&w, NULL)->id, "j1");
        ck_assert_str_eq(world_run(&w, NULL)->id, "j2");
        world_run(&w, "Id", "j3", NULL); /* taken, by somebody who likes it */
        spec_init(&spec);
        ck_assert_str_eq(world_start(&w, &spec)->id, "j4");
        ck_assert_ptr_null(job_set_get(&w.jobs, "j4")); /* on its way to exec */
        ck_assert_ptr_null(job_set_get(&w.jobs, "j5"));
        ck_assert_ptr_nonnull(job_set_get(&w.jobs, "j3"));
        ck_assert_uint_eq(job_set_count(&w.jobs), 3);
        ck_assert_uint_eq(job_set_count_running(&w.jobs), 3);
        ck_assert_uint_eq(w.jobs.n_live, 4);
        world_done(&w);
}
END_TEST

START_TEST(the_same_request_again)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "Id", "a", "Nice", "5", NULL);
        ask_again("a", "Nice", "5", job);
        ask_refused("a", NULL, NULL, ERROR_JOB_EXISTS, "\"a\"");
        ask_refused("a", "Nice", "6", ERROR_JOB_EXISTS, "\"a\"");
        ck_assert_uint_eq(fake.n_spawned, 1);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ask_again("a", "Nice", "5", job); /* known while its record is kept */
        ask_refused("a", "Nice", "6", ERROR_JOB_EXISTS, "\"a\"");
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        world_run(&w, "Id", "a", "Nice", "6", NULL);
        ck_assert_uint_eq(fake.n_spawned, 2);
        world_done(&w);
}
END_TEST

START_TEST(the_same_request_with_another_answer)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "Id", "a", "OutputMaxBytes", "100", NULL);
        ask_again("a", "OutputMaxBytes", "200", job);
        ask_again("a", "DrainTimeoutUSec", "1s", job);
        ask_again("a", "InitialOutputUSec", "1s", job);
        world_done(&w);
}
END_TEST

/* While it starts it is the same one, too, and both hear how that went. */
START_TEST(the_same_request_while_it_starts)
{
        Diary first = {0}, second = {0};
        bool existing;
        Job *job, *same;
        Error e;

        for (unsigned fails = 0; fails < 2; fails++) {
                world_init(&w);
                ck_assert_int_eq(ask("a", NULL, NULL, &job, &existing, &e), 0);
                diary_start(&first, job);
                ask_again("a", NULL, NULL, job);
                diary_start(&second, job);
                ask_refused("a", "Nice", "1", ERROR_JOB_EXISTS, "\"a\"");
                if (fails)
                        fake_exec_fails(leader_of(job), SPAWN_EXEC, ENOENT, "/bin/payload");
                else
                        fake_exec(leader_of(job));
                world_settle(&w);
                ck_assert_str_eq(first.text, fails ? "failed removed" : "started");
                ck_assert_str_eq(second.text, first.text);
                world_done(&w);
        }

        /* After it failed nothing is known of it: the same request starts anew. */
        world_init(&w);
        ck_assert_int_eq(ask("a", NULL, NULL, &job, &existing, &e), 0);
        fake_exec_fails(leader_of(job), SPAWN_EXEC, ENOENT, NULL);
        world_settle(&w);
        ck_assert_int_eq(ask("a", NULL, NULL, &same, &existing, &e), 0);
        ck_assert(!existing);
        ck_assert_uint_eq(fake.n_spawned, 2);
        world_done(&w);
}
END_TEST

START_TEST(the_main_jobs_name)
{
        ExecSpec spec;
        Job *job = NULL;

        world_init(&w);
        spec_init(&spec);
        spec.input = EXEC_INPUT_INHERIT;
        ck_assert_int_eq(job_set_start_main(&w.jobs, &spec, &job, NULL), 0);
        ask_refused("main", NULL, NULL, ERROR_JOB_EXISTS, "\"main\"");
        world_done(&w);
}
END_TEST

START_TEST(so_many_may_live)
{
        Job *jobs[3];

        world_init(&w);
        w.jobs.config.live_max = 3;
        for (size_t i = 0; i < 3; i++)
                jobs[i] = world_run(&w, NULL);
        ask_refused(NULL, NULL, NULL, ERROR_LIMITS_EXCEEDED, "3 jobs");
        ck_assert_uint_eq(fake.n_spawned, 3);
        fake_fork(leader_of(jobs[0])); /* what outlives its leader counts */
        fake_exit(leader_of(jobs[0]), 0);
        world_settle(&w);
        ask_refused(NULL, NULL, NULL, ERROR_LIMITS_EXCEEDED, "3 jobs");
        fake_exit(leader_of(jobs[1]), 0);
        world_settle(&w);
        jobs[1] = world_run(&w, NULL);
        ask_refused(NULL, NULL, NULL, ERROR_LIMITS_EXCEEDED, "3 jobs");

        /* One that failed to start gives its place back. */
        fake_exit(leader_of(jobs[1]), 0);
        world_settle(&w);
        for (unsigned i = 0; i < 5; i++) {
                bool existing;
                Error e;

                ck_assert_int_eq(ask(NULL, NULL, NULL, &jobs[1], &existing, &e), 0);
                fake_exec_fails(leader_of(jobs[1]), SPAWN_CHDIR, ENOENT, NULL);
                world_settle(&w);
        }
        world_done(&w);
}
END_TEST

START_TEST(no_new_ones_when_closed)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "Id", "a", NULL);
        w.jobs.closed = true;
        ask_refused(NULL, NULL, NULL, ERROR_SHUTTING_DOWN, "shutting down");
        ask_again("a", NULL, NULL, job);
        world_done(&w);
}
END_TEST

START_TEST(a_log_larger_than_all_logs_may_be)
{
        world_init(&w);
        ask_refused(NULL, "LogMaxBytes", "1T", ERROR_INVALID_ARGS, "LogMaxBytes");
        world_done(&w);
}
END_TEST

static uint64_t log_max_of(const char *name, const char *text)
{
        RingStat stat;
        Job *job;

        world_init(&w);
        job = name ? world_run(&w, name, text, NULL) : world_run(&w, NULL);
        ring_stat(job->ring, &stat);
        ck_assert_uint_eq(stat.memory, 0); /* taken only as output comes */
        world_done(&w);
        return stat.memory_max;
}

/* Who asks for a large answer gets a log that can hold it, as far as the budget (64 MiB) goes. */
START_TEST(how_large_a_log)
{
        ck_assert_uint_eq(log_max_of(NULL, NULL), RING_BYTES_DEFAULT);
        ck_assert_uint_eq(log_max_of("LogMaxBytes", "128K"), 128 * 1024);
        ck_assert_uint_eq(log_max_of("OutputMaxBytes", "100"), RING_BYTES_DEFAULT);
        ck_assert_uint_eq(log_max_of("OutputMaxBytes", "2M"), 8 * 1024 * 1024);
        ck_assert_uint_eq(log_max_of("OutputMaxBytes", "16M"), 32 * 1024 * 1024);
}
END_TEST

static void finish(Job *job)
{
        fake_exit(leader_of(job), 0);
        world_settle(&w);
}

START_TEST(records_are_let_go_oldest_first)
{
        Job *live, *jobs[5];
        Chronicle c;

        world_init(&w);
        w.jobs.config.finished_max = 2;
        live = world_run(&w, "Id", "live", NULL);
        for (size_t i = 0; i < 5; i++)
                jobs[i] = world_run(&w, NULL); /* j1 to j5 */
        chronicle_start(&c, &w.jobs);
        finish(jobs[3]);
        finish(jobs[1]);
        ck_assert_ptr_null(strstr(c.text, "removed"));
        finish(jobs[4]);
        ck_assert(strstr(c.text, "removed:j4")); /* what finished first */
        finish(jobs[0]);
        ck_assert(strstr(c.text, "removed:j2"));
        finish(jobs[2]);
        ck_assert_ptr_null(job_set_get(&w.jobs, "j5"));
        ck_assert_ptr_nonnull(job_set_get(&w.jobs, "j1"));
        ck_assert_ptr_nonnull(job_set_get(&w.jobs, "j3"));
        ck_assert_ptr_eq(job_set_get(&w.jobs, "live"), live);
        ck_assert_uint_eq(job_set_count(&w.jobs), 3);
        ck_assert_uint_eq(job_set_count_running(&w.jobs), 1);
        finish(live);
        ck_assert_ptr_null(job_set_get(&w.jobs, "j1"));
        ck_assert_ptr_nonnull(job_set_get(&w.jobs, "live"));
        world_done(&w);
}
END_TEST

/* Who follows its log has a moment to read the end of it. */
START_TEST(a_followed_one_stays_a_moment)
{
        Job *first;

        world_init(&w);
        w.jobs.config.finished_max = 0;
        first = world_run(&w, "Id", "a", NULL);
        first->n_followers = 1;
        fake_exit(leader_of(first), 0);
        world_settle(&w);
        ck_assert_ptr_eq(job_set_get(&w.jobs, "a"), first);
        fake_exit(leader_of(world_run(&w, "Id", "b", NULL)), 0); /* another does not wait for it */
        world_settle(&w);
        ck_assert_ptr_null(job_set_get(&w.jobs, "b"));
        world_pass(&w, USEC_PER_SEC);
        ck_assert_ptr_null(job_set_get(&w.jobs, "a"));
        world_done(&w);
}
END_TEST

START_TEST(no_record_is_kept)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        w.jobs.config.finished_max = 0;
        job = world_run(&w, NULL);
        world_run(&w, "Id", "live", NULL);
        diary_start(&d, job);
        finish(job);
        ck_assert_str_eq(d.text, "exited drained finished removed");
        ck_assert_uint_eq(job_set_count(&w.jobs), 1);
        job = world_run(&w, NULL);
        fake_exit(leader_of(job), 0);
        world_reap(&w); /* and reeve ends before that one is let go */
        ck_assert(timer_is_armed(&w.jobs.trim_timer));
        world_done(&w);
}
END_TEST

START_TEST(forgotten_on_request)
{
        Error e = ERROR_NULL;
        Diary d = {0};
        Chronicle c;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        fake_fork(leader_of(job));
        ck_assert_int_eq(job_set_forget(&w.jobs, job, &e), -EBUSY);
        ck_assert_int_eq(e.kind, ERROR_JOB_RUNNING);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), -EBUSY); /* something of it lives */
        fake_exit(fake_newest(), 0);
        world_settle(&w);
        diary_start(&d, job);
        chronicle_start(&c, &w.jobs);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, &e), 0);
        ck_assert_str_eq(d.text, "removed");
        ck_assert_str_eq(c.text, "removed:j1");
        ck_assert_uint_eq(job_set_count(&w.jobs), 0);
        ck_assert_uint_eq(fake.mapped, 0);
        world_done(&w);
}
END_TEST

START_TEST(by_process)
{
        FakeProcess *child, *starting;
        ExecSpec spec;
        Job *a, *b;

        world_init(&w);
        a = world_run(&w, NULL);
        b = world_run(&w, NULL);
        child = fake_fork(leader_of(b));
        spec_init(&spec);
        world_start(&w, &spec);
        starting = fake_newest();
        ck_assert_ptr_eq(job_set_get_by_pid(&w.jobs, a->pid), a);
        ck_assert_ptr_eq(job_set_get_by_pid(&w.jobs, b->pid), b);
        ck_assert_ptr_eq(job_set_get_by_pid(&w.jobs, child->pid), b);
        ck_assert_ptr_null(job_set_get_by_pid(&w.jobs, starting->pid));
        ck_assert_ptr_null(job_set_get_by_pid(&w.jobs, fake_stranger()->pid));
        ck_assert_ptr_null(job_set_get_by_pid(&w.jobs, 1));
        ck_assert_ptr_null(job_set_get_by_pid(&w.jobs, 0));
        fake_exit(leader_of(b), 0);
        world_settle(&w);
        ck_assert_ptr_eq(job_set_get_by_pid(&w.jobs, child->pid), b);
        ck_assert_ptr_null(job_set_get_by_pid(&w.jobs, b->pid));
        world_done(&w);
}
END_TEST

START_TEST(whose_child_ended)
{
        ProcessEnd end;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        end = (ProcessEnd){.pid = fake_stranger()->pid};
        ck_assert(!job_set_child_ended(&w.jobs, &end));
        ck_assert(!job_is_exited(job));
        end.pid = job->pid;
        ck_assert(job_set_child_ended(&w.jobs, &end));
        ck_assert(job_is_exited(job));
        ck_assert(!job_set_child_ended(&w.jobs, &end)); /* the number may be another's by now */

        /* The child of a start that failed is nobody's orphan, whoever is heard of first. */
        for (unsigned reaper_first = 0; reaper_first < 2; reaper_first++) {
                spec_init(&spec);
                job = world_start(&w, &spec);
                end = (ProcessEnd){.pid = job->pid, .exit_code = 127};
                fake_write_failure(leader_of(job), SPAWN_EXEC, ENOENT, NULL);
                if (!reaper_first)
                        world_events(&w);
                ck_assert(job_set_child_ended(&w.jobs, &end));
                ck_assert(!job_set_child_ended(&w.jobs, &end));
        }
        world_done(&w);
}
END_TEST

/* Jobs as they go, in numbers: the map is not confused by numbers of processes and names that come again. */
START_TEST(many)
{
        char id[16];

        world_init(&w);
        w.jobs.config.finished_max = 10;
        for (unsigned i = 0; i < 2000; i++) {
                Job *job;

                snprintf(id, sizeof(id), "job-%u", i % 40);
                if (job_set_get(&w.jobs, id)) /* one of the last ten */
                        ck_abort_msg("%s is there", id);
                job = world_run(&w, "Id", id, NULL);
                fake_exit(leader_of(job), (int) (i % 256));
                world_settle(&w);
                if (job->exit_code != (int) (i % 256))
                        ck_abort_msg("%u: %d", i, job->exit_code);
        }
        ck_assert_uint_eq(job_set_count(&w.jobs), 10);
        ck_assert_uint_eq(w.jobs.n_live, 0);
        ck_assert_uint_eq(w.jobs.by_pid.n_entries, 0);
        ck_assert_uint_eq(w.jobs.by_id.n_entries, 10);
        world_done(&w);
}
END_TEST

TEST_MAIN("job-set", names_that_nobody_gave, the_same_request_again, the_same_request_with_another_answer,
          the_same_request_while_it_starts, the_main_jobs_name, so_many_may_live, no_new_ones_when_closed,
          a_log_larger_than_all_logs_may_be, how_large_a_log, records_are_let_go_oldest_first,
          a_followed_one_stays_a_moment, no_record_is_kept, forgotten_on_request, by_process,
          whose_child_ended, many)
