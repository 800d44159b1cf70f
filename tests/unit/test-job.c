/* The lives of jobs that nobody interferes with: from exec to the last byte and the last process. */

#include "core/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;

static void check_output(const Job *job, Stream stream, const char *expected)
{
        _cleanup_free_ char *text = world_output(job, stream);

        ck_assert_str_eq(text, expected);
}

START_TEST(it_starts_writes_and_exits)
{
        Chronicle c;
        ExecSpec spec;
        Diary d = {0};
        Job *job;

        world_init(&w);
        chronicle_start(&c, &w.jobs);
        spec_init(&spec);
        job = world_start(&w, &spec);
        diary_start(&d, job);
        ck_assert(!job->announced && job_is_running(job) && !job_is_exited(job));
        ck_assert_ptr_null(job_set_get(&w.jobs, "j1")); /* nobody knows of it */
        world_settle(&w);
        ck_assert_str_eq(d.text, "");
        ck_assert_str_eq(c.text, "");

        fake_exec(leader_of(job));
        world_settle(&w);
        ck_assert_str_eq(d.text, "started");
        ck_assert_str_eq(c.text, "new:j1 changed:j1");
        ck_assert_ptr_eq(job_set_get(&w.jobs, "j1"), job);
        ck_assert_int_eq(job->result, JOB_RESULT_NONE);
        ck_assert_int_lt(job->status_fd, 0);
        ck_assert_int_eq(job->exit_code, -1);

        fake_print(leader_of(job), 1, "out\n");
        fake_print(leader_of(job), 2, "err\n");
        world_settle(&w);
        ck_assert_str_eq(d.text, "started output");
        check_output(job, STREAM_STDOUT, "out\n");
        check_output(job, STREAM_STDERR, "err\n");

        fake_clock_advance(USEC_PER_SEC);
        ck_assert(list_is_empty(&w.store.finished));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "started output exited drained finished");
        ck_assert_str_eq(c.text, "new:j1 changed:j1 exited:j1 changed:j1 finished:j1 idle");
        ck_assert(job_is_exited(job) && job_is_drained(job) && job_is_finished(job) && !job_is_running(job));
        ck_assert_int_eq(job->result, JOB_RESULT_SUCCESS);
        ck_assert_int_eq(job->exit_code, 0);
        ck_assert_int_eq(job->signal, 0);
        ck_assert_uint_eq(job->exit_time, job->start_time + USEC_PER_SEC);
        ck_assert_uint_eq(job->exit_monotonic, fake.monotonic);
        ck_assert_uint_eq(job->finish_time, job->exit_time);
        ck_assert(!pidref_is_set(&job->leader)); /* the number may be another's soon */
        ck_assert_ptr_null(job->scope);
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert(!list_is_empty(&w.store.finished)); /* its log may go when others need the room */
        world_done(&w);
        ck_assert_str_eq(d.text, "started output exited drained finished removed");
}
END_TEST

START_TEST(every_end_is_told_as_it_was)
{
        world_init(&w);
        for (int code = 0; code < 256; code++) {
                Job *job = world_run(&w, NULL);

                fake_exit(leader_of(job), code);
                world_settle(&w);
                ck_assert_int_eq(job->result, code == 0 ? JOB_RESULT_SUCCESS : JOB_RESULT_EXIT_CODE);
                ck_assert_int_eq(job->exit_code, code);
                ck_assert_int_eq(job->signal, 0);
                ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        }
        for (int sig = 1; sig <= 64; sig++) {
                Job *job = world_run(&w, NULL);

                fake_die(leader_of(job), sig, sig % 2 == 0);
                world_settle(&w);
                ck_assert_int_eq(job->result, sig % 2 == 0 ? JOB_RESULT_CORE_DUMP : JOB_RESULT_SIGNAL);
                ck_assert_int_eq(job->exit_code, -1);
                ck_assert_int_eq(job->signal, sig);
                ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        }
        world_done(&w);
}
END_TEST

START_TEST(the_words_of_the_results)
{
        static const char *const words[_JOB_RESULT_MAX] = {
                        "",         "success",   "exit-code",       "signal",   "core-dump", "timeout",
                        "oom-kill", "resources", "start-limit-hit", "watchdog", "protocol"};

        for (JobResult r = 0; r < _JOB_RESULT_MAX; r++)
                ck_assert_str_eq(job_result_to_string(r), words[r]);
}
END_TEST

static JobResult result_with_oom_kills(uint64_t oom_kills, int sig, int code)
{
        JobResult result;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        job->scope->usage.oom_kills = oom_kills;
        if (sig > 0)
                fake_die(leader_of(job), sig, false);
        else
                fake_exit(leader_of(job), code);
        world_settle(&w);
        result = job->result;
        ck_assert_uint_eq(job->usage.oom_kills, oom_kills);
        world_done(&w);
        return result;
}

START_TEST(out_of_memory_is_told_apart)
{
        ck_assert_int_eq(result_with_oom_kills(1, SIGKILL, 0), JOB_RESULT_OOM_KILL);
        ck_assert_int_eq(result_with_oom_kills(0, SIGKILL, 0), JOB_RESULT_SIGNAL);
        ck_assert_int_eq(result_with_oom_kills(SCOPE_UNKNOWN, SIGKILL, 0), JOB_RESULT_SIGNAL);
        /* It was a child that the kernel killed; what the leader made of it is its own. */
        ck_assert_int_eq(result_with_oom_kills(1, 0, 1), JOB_RESULT_EXIT_CODE);
        ck_assert_int_eq(result_with_oom_kills(1, 0, 0), JOB_RESULT_SUCCESS);
}
END_TEST

/* The kernel ends what takes too much with SIGKILL, and with nothing else. */
START_TEST(another_signal_is_not_out_of_memory)
{
        ck_assert_int_eq(result_with_oom_kills(1, SIGTERM, 0), JOB_RESULT_SIGNAL);
        ck_assert_int_eq(result_with_oom_kills(1, SIGSEGV, 0), JOB_RESULT_SIGNAL);
}
END_TEST

/* Whoever is heard of first: the status pipe that was closed, or the zombie. */
START_TEST(it_dies_before_exec)
{
        for (unsigned reaper_first = 0; reaper_first < 2; reaper_first++) {
                ExecSpec spec;
                Diary d = {0};
                Job *job;

                world_init(&w);
                spec_init(&spec);
                job = world_start(&w, &spec);
                diary_start(&d, job);
                fake_die(leader_of(job), SIGKILL, false);
                if (reaper_first)
                        world_reap(&w);
                else
                        world_events(&w);
                world_settle(&w);
                ck_assert_int_eq(job->result, JOB_RESULT_SIGNAL);
                ck_assert_int_eq(job->signal, SIGKILL);
                ck_assert(startswith(d.text, "started"));
                ck_assert(job_is_finished(job));
                world_done(&w);
        }
}
END_TEST

START_TEST(others_hold_the_pipe)
{
        Diary d = {0};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        child = fake_fork(leader_of(job));
        fake_print(leader_of(job), 1, "last words");
        fake_exit(leader_of(job), 7);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited");
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        ck_assert(job_is_running(job) && !job_is_drained(job));
        ck_assert_uint_eq(job_count_processes(job), 1);
        ck_assert_int_eq(job->exit_code, 7);
        ck_assert_uint_eq(fake.n_watches, 1);

        /* It goes on writing, long after. */
        world_pass(&w, 3600 * USEC_PER_SEC);
        fake_print(child, 1, ", and more\n");
        world_settle(&w);
        check_output(job, STREAM_STDOUT, "last words, and more\n");
        ck_assert(!job_is_drained(job));

        /* The output ends before the process does. */
        fake_close(child, 1);
        fake_close(child, 2);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited output drained");
        ck_assert(job_is_running(job) && !job_is_finished(job));

        fake_exit(child, 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited output drained finished");
        ck_assert_int_eq(job->exit_code, 7);
        ck_assert_uint_eq(fake.n_watches, 0);
        world_done(&w);
}
END_TEST

/* Somebody outside of the scope has the pipe, and will have it for ever: nobody of the job is left to write.
 */
START_TEST(a_stranger_holds_the_pipe)
{
        Diary d = {0};
        FakeProcess *stranger;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        stranger = fake_fork(leader_of(job));
        stranger->scope = NULL;
        fake_print(leader_of(job), 1, "unfinished");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited output drained finished");
        check_output(job, STREAM_STDOUT, "unfinished");
        ck_assert(stranger->alive);
        world_done(&w);
}
END_TEST

START_TEST(what_was_written_last_is_there_before_it_is_exited)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        fake_fork(leader_of(job));
        diary_start(&d, job);
        fake_print(leader_of(job), 1, "a\nb\n");
        fake_print(leader_of(job), 2, "c\n");
        fake_exit(leader_of(job), 0);
        world_reap(&w); /* before any event of the pipes */
        ck_assert(strstr(d.text, "exited"));
        check_output(job, STREAM_STDOUT, "a\nb\n");
        check_output(job, STREAM_STDERR, "c\n");
        world_done(&w);
}
END_TEST

START_TEST(the_leader_closes_its_output_and_lives)
{
        Diary d = {0};
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        fake_close(leader_of(job), 1);
        world_settle(&w);
        ck_assert(!job_is_drained(job)); /* one of two */
        fake_close(leader_of(job), 2);
        world_settle(&w);
        ck_assert_str_eq(d.text, "drained");
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "drained exited finished");
        world_done(&w);
}
END_TEST

START_TEST(leader_and_children_end_at_once)
{
        Diary d = {0};
        FakeProcess *child;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        diary_start(&d, job);
        child = fake_fork(leader_of(job));
        fake_fork(child);
        fake_exit(leader_of(job), 0);
        fake_exit(child, 0);
        fake_exit(fake_newest(), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited drained finished");
        ck_assert_uint_eq(fake.n_watches, 0);
        world_done(&w);
}
END_TEST

/* Without a tree: emptiness is looked for when orphans have ended. */
START_TEST(a_process_group)
{
        FakeProcess *child;
        Job *job;

        fake_reset();
        world_init_prepared(&w, false);
        job = world_run(&w, NULL);
        ck_assert_str_eq(job->control_group, "");
        ck_assert_int_lt(leader_of(job)->parameters.cgroup_fd, 0);
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        ck_assert_uint_eq(fake.n_watches, 0);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(the_main_job)
{
        Error e = ERROR_NULL;
        Diary d = {0};
        ExecSpec spec;
        Job *job = NULL;

        world_init(&w);
        spec_init(&spec);
        spec.input = EXEC_INPUT_INHERIT;
        ck_assert_int_eq(job_set_start_main(&w.jobs, &spec, &job, &e), 0);
        diary_start(&d, job);
        ck_assert_str_eq(job->id, "main");
        ck_assert_str_eq(job->session, "system");
        ck_assert(job->is_main && leader_of(job)->parameters.foreground);
        for (size_t i = 0; i < 3; i++)
                ck_assert_int_lt(leader_of(job)->parameters.fds[i], 0);
        fake_exec(leader_of(job));
        world_settle(&w);
        ck_assert_str_eq(d.text, "started drained"); /* its output is not taken */
        fake_exit(leader_of(job), 3);
        world_settle(&w);
        ck_assert(strstr(d.text, "exited finished"));
        ck_assert_int_eq(job->exit_code, 3);
        world_done(&w);
}
END_TEST

/* All of it, in both streams, in whatever pieces it comes. */
START_TEST(bytes_end_in_the_ring_exactly)
{
        static unsigned char sent[2][600000];
        size_t n[2] = {0};
        uint64_t state = 42;
        RingReader rr;
        Record record;
        Job *job;

        world_init(&w);
        job = world_run(&w, "LogMaxBytes", "8M", NULL);
        while (n[0] < sizeof(sent[0]) || n[1] < sizeof(sent[1])) {
                size_t stream, size;

                state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                stream = (state >> 40) & 1;
                size = MIN((size_t) (state >> 48), sizeof(sent[0]) - n[stream]);
                for (size_t i = 0; i < size; i++) {
                        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                        sent[stream][n[stream] + i] =
                                        (state >> 60) == 0 ? '\n' : (unsigned char) (state >> 33);
                }
                if (size > 0)
                        fake_write(leader_of(job), stream == 0 ? 1 : 2, sent[stream] + n[stream], size);
                n[stream] += size;
                world_pass(&w, (state >> 20) % 50000);
        }
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));

        n[0] = n[1] = 0;
        ring_reader_seek(&rr, job->ring, NULL);
        while (ring_reader_next(&rr, &record))
                for (size_t i = 0; i < 2; i++) {
                        size_t *at = &n[record.stream - 1];

                        if (memcmp(sent[record.stream - 1] + *at, record.data[i].iov_base,
                                   record.data[i].iov_len) != 0)
                                ck_abort_msg("stream %d differs within %zu", record.stream, *at);
                        *at += record.data[i].iov_len;
                }
        ck_assert_uint_eq(n[0], sizeof(sent[0]));
        ck_assert_uint_eq(n[1], sizeof(sent[1]));
        world_done(&w);
}
END_TEST

/* One look at the tree an iteration; after the end, what was seen last. */
START_TEST(what_it_used)
{
        ScopeUsage usage;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        fake_fork(leader_of(job));
        job->scope->usage.cpu_nsec = 100;
        job_usage(job, &usage);
        ck_assert_uint_eq(usage.cpu_nsec, 100);
        ck_assert_uint_eq(usage.tasks_current, 2);
        ck_assert_uint_eq(usage.memory_peak, SCOPE_UNKNOWN);

        job->scope->usage.cpu_nsec = 200;
        job_usage(job, &usage);
        ck_assert_uint_eq(usage.cpu_nsec, 100);
        (void) world_event(&w);
        job_usage(job, &usage);
        ck_assert_uint_eq(usage.cpu_nsec, 200);

        job->scope->usage.cpu_nsec = 300;
        job->scope->usage.memory_peak = 4096;
        fake_exit(fake_newest(), 0);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        job_usage(job, &usage);
        ck_assert_uint_eq(usage.cpu_nsec, 300);
        ck_assert_uint_eq(usage.memory_peak, 4096);
        ck_assert_uint_eq(usage.tasks_current, 0);
        ck_assert_uint_eq(job_count_processes(job), 0);
        world_done(&w);
}
END_TEST

TEST_MAIN("job", it_starts_writes_and_exits, every_end_is_told_as_it_was, the_words_of_the_results,
          out_of_memory_is_told_apart, another_signal_is_not_out_of_memory, it_dies_before_exec,
          others_hold_the_pipe, a_stranger_holds_the_pipe,
          what_was_written_last_is_there_before_it_is_exited, the_leader_closes_its_output_and_lives,
          leader_and_children_end_at_once, a_process_group, the_main_job, bytes_end_in_the_ring_exactly,
          what_it_used)
