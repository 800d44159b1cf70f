/* Input of a job by pipe and by terminal, from its start to its end. */

#include "core/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

#define MSEC USEC_PER_MSEC

static World w;

static void begin(void)
{
        (void) signal(SIGPIPE, SIG_IGN); /* as reeve has it */
        world_init(&w);
}

static size_t give(Job *job, const void *data, size_t size, bool eof)
{
        Error e = ERROR_NULL;
        size_t accepted = SIZE_MAX;
        int r = input_write(&job->input, data, size, eof, &accepted, &e);

        ck_assert_msg(r == 0, "%s", e.message);
        ck_assert_uint_le(accepted, size);
        return accepted;
}

static void refuse(Job *job, bool eof, ErrorKind kind)
{
        size_t accepted = 77;
        Error e = ERROR_NULL;

        ck_assert_int_lt(input_write(&job->input, "x", 1, eof, &accepted, &e), 0);
        ck_assert_msg(e.kind == kind, "%s", e.message);
        ck_assert_uint_eq(accepted, 77);
}

/* What the leader reads; there must be something. */
static void check_read(const Job *job, const char *expected)
{
        char buf[64];
        ssize_t n = read(leader_of(job)->fds[0], buf, sizeof(buf));

        ck_assert_int_eq(n, strlen(expected));
        ck_assert_mem_eq(buf, expected, strlen(expected));
}

static void check_output(const Job *job, const char *expected)
{
        _cleanup_free_ char *text = world_output(job, STREAM_STDOUT);

        ck_assert_str_eq(text, expected);
}

START_TEST(pipe_and_its_end)
{
        Job *job;

        begin();
        job = world_run(&w, "StandardInput", "pipe", NULL);
        ck_assert(!(fcntl(leader_of(job)->fds[0], F_GETFL) & O_NONBLOCK));
        ck_assert_uint_eq(give(job, "one", 3, false), 3);
        ck_assert_uint_eq(give(job, "", 0, false), 0);
        check_read(job, "one");
        ck_assert_uint_eq(give(job, "two", 3, true), 3);
        check_read(job, "two");
        check_read(job, ""); /* the end */
        refuse(job, false, ERROR_INPUT_CLOSED);
        refuse(job, true, ERROR_INPUT_CLOSED);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        world_done(&w);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
        static char data[300000];
        size_t all = 0, n;
        char buf[4096];
        Job *job;

        begin();
        job = world_run(&w, "StandardInput", "pipe", NULL);
        n = give(job, data, sizeof(data), true);
        ck_assert(n > 0 && n < sizeof(data));
        ck_assert_uint_eq(give(job, data, sizeof(data) - n, true), 0);
        for (all = n; all < sizeof(data);) {
                ck_assert_int_eq(read(leader_of(job)->fds[0], buf, sizeof(buf)), sizeof(buf));
                all += give(job, data, sizeof(data) - all, true);
        }
        refuse(job, false, ERROR_INPUT_CLOSED); /* with the last of it came the end */
        world_done(&w);
}
END_TEST

START_TEST(nobody_reads_any_more)
{
        unsigned fds;
        Job *job;

        begin();
        job = world_run(&w, "StandardInput", "pipe", NULL);
        fake_close(leader_of(job), 0);
        fds = fake_count_fds();
        refuse(job, false, ERROR_INPUT_CLOSED);
        ck_assert_uint_eq(fake_count_fds(), fds - 1); /* let go */
        refuse(job, false, ERROR_INPUT_CLOSED);
        world_done(&w);
}
END_TEST

START_TEST(jobs_without)
{
        Error e = ERROR_NULL;
        Job *job;

        begin();
        job = world_run(&w, NULL, NULL);
        refuse(job, false, ERROR_INPUT_CLOSED);
        ck_assert_int_eq(input_resize(&job->input, 1, 1, &e), -ENOTTY);
        ck_assert_int_eq(e.kind, ERROR_NOT_A_TTY);
        job = world_run(&w, "StandardInput", "data", "StandardInputText", "x", NULL);
        refuse(job, true, ERROR_INPUT_CLOSED);
        job = world_run(&w, "StandardInput", "pipe", NULL);
        ck_assert_int_eq(input_resize(&job->input, 1, 1, &e), -ENOTTY);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        ck_assert_int_lt(job->input.fd, 0);
        refuse(job, false, ERROR_INPUT_CLOSED);
        world_done(&w);
}
END_TEST

START_TEST(others_read_on_after_the_leader)
{
        FakeProcess *child;
        char buf[8];
        Job *job;

        begin();
        job = world_run(&w, "StandardInput", "pipe", NULL);
        child = fake_fork(leader_of(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_EXITED);
        ck_assert_uint_eq(give(job, "x", 1, true), 1);
        ck_assert_int_eq(read(child->fds[0], buf, sizeof(buf)), 1);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        world_done(&w);
}
END_TEST

START_TEST(terminal)
{
        FakeProcess *p;
        Error e;
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        p = leader_of(job);
        ck_assert(p->parameters.terminal);
        ck_assert_str_eq(env_get(p->parameters.environment, "TERM"), "xterm-256color");
        ck_assert(fake.tty_rows == 24 && fake.tty_columns == 80);
        ck_assert_uint_eq(give(job, "keys", 4, false), 4);
        check_read(job, "keys");
        ck_assert_int_eq(input_resize(&job->input, 50, 132, &e), 0);
        ck_assert(fake.tty_rows == 50 && fake.tty_columns == 132);
        fake_print(p, 1, "out\n");
        fake_print(p, 2, "err\n");
        world_settle(&w);
        check_output(job, "out\nerr\n");

        job = world_run(&w, "TTY", "yes", "TTYRows", "10", "TTYColumns", "20", "Term", "vt100",
                        "Environment", "A=1", "User", "alice", NULL);
        ck_assert(fake.tty_rows == 10 && fake.tty_columns == 20);
        ck_assert_str_eq(env_get(leader_of(job)->parameters.environment, "TERM"), "vt100");
        ck_assert_uint_eq(fake.given_to, 1000);
        job = world_run(&w, "TTY", "yes", "Environment", "TERM=dumb", NULL);
        ck_assert_str_eq(env_get(leader_of(job)->parameters.environment, "TERM"), "dumb");
        job = world_run(&w, NULL, NULL);
        ck_assert_ptr_null(env_get(leader_of(job)->parameters.environment, "TERM"));
        ck_assert(!leader_of(job)->parameters.terminal);
        world_done(&w);
}
END_TEST

START_TEST(terminal_shows_a_prompt_at_once)
{
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        fake_print(leader_of(job), 1, "$ ");
        world_settle(&w);
        check_output(job, "");
        world_pass(&w, 4 * MSEC);
        check_output(job, "");
        world_pass(&w, 1 * MSEC);
        check_output(job, "$ ");
        world_done(&w);
}
END_TEST

START_TEST(terminal_eof)
{
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        ck_assert_uint_eq(give(job, "ab", 2, true), 2);
        check_read(job, "ab\x04");
        ck_assert_uint_eq(give(job, "", 0, true), 0);
        check_read(job, "\x04");
        fake.tty_has_no_eof = true;
        refuse(job, true, ERROR_NOT_SUPPORTED);
        ck_assert_uint_eq(give(job, "c", 1, false), 1); /* nothing was closed by all this */
        check_read(job, "c");
        world_done(&w);
}
END_TEST

/* Full: the last byte waits with the character; the character alone is told. */
START_TEST(terminal_eof_without_room)
{
        static char data[1 << 20];
        size_t accepted = 77;
        Error e = ERROR_NULL;
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        ck_assert_uint_lt(give(job, data, sizeof(data), false), sizeof(data));
        while (give(job, data, 1, false) > 0)
                ;
        ck_assert_uint_eq(give(job, data, 1, true), 0);
        ck_assert_int_eq(input_write(&job->input, "", 0, true, &accepted, &e), -EDQUOT);
        ck_assert_int_eq(e.kind, ERROR_LIMITS_EXCEEDED);
        ck_assert_uint_eq(accepted, 77);
        world_done(&w);
}
END_TEST

/* reeve holds the other side until then. */
START_TEST(terminal_stays_while_the_leader_lives)
{
        FakeProcess *p;
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        p = leader_of(job);
        for (int fd = 0; fd < 3; fd++)
                fake_close(p, fd);
        world_settle(&w);
        ck_assert(!job_is_drained(job));
        ck_assert_uint_eq(give(job, "x", 1, false), 1);
        fake_exit(p, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        refuse(job, false, ERROR_INPUT_CLOSED);
        world_done(&w);
}
END_TEST

START_TEST(terminal_outlives_the_leader)
{
        FakeProcess *child;
        Diary d = {0};
        Error e;
        Job *job;

        begin();
        job = world_run(&w, "TTY", "yes", NULL);
        diary_start(&d, job);
        child = fake_fork(leader_of(job));
        fake_print(leader_of(job), 1, "last words");
        fake_exit(leader_of(job), 3);
        world_settle(&w);
        check_output(job, ""); /* taken, but no line yet */
        ck_assert_uint_eq(capture_held(&job->capture), 10);
        ck_assert_str_eq(d.text, "exited");
        fake_print(child, 1, "; later\n");
        world_settle(&w);
        check_output(job, "last words; later\n");
        ck_assert_int_eq(input_resize(&job->input, 5, 5, &e), 0);
        for (int fd = 0; fd < 3; fd++) /* lives on, without it */
                fake_close(child, fd);
        world_settle(&w);
        ck_assert(job_is_drained(job) && !job_is_finished(job));
        ck_assert_int_eq(input_resize(&job->input, 5, 5, &e), -ENOTTY);
        refuse(job, false, ERROR_INPUT_CLOSED);
        fake_exit(child, 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "exited output drained finished");
        job_watch_remove(&d.watch);
        world_done(&w);
}
END_TEST

static void check_start_fails(const char *name, const char *text, ErrorKind kind, const char *word)
{
        bool existing;
        Error e = ERROR_NULL;
        ExecSpec spec;
        Job *job;

        spec_init(&spec);
        spec_set(&spec, name, text);
        ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, &e), 0);
        ck_assert_msg(e.kind == kind && startswith(e.message, word), "%s", e.message);
        exec_spec_done(&spec);
}

START_TEST(failures)
{
        begin();
        fake.pty_error = -ENOENT;
        check_start_fails("TTY", "yes", ERROR_NOT_SUPPORTED, "TTY: ");
        fake.pty_error = -ENOSPC;
        check_start_fails("TTY", "yes", ERROR_LIMITS_EXCEEDED, "TTY: ");
        fake.pty_error = -EMFILE;
        check_start_fails("TTY", "yes", ERROR_START_FAILED, "stdio: ");
        fake.pty_error = 0;
        fake.spawn_error = -EAGAIN;
        check_start_fails("TTY", "yes", ERROR_START_FAILED, "clone: ");
        check_start_fails("StandardInput", "pipe", ERROR_START_FAILED, "clone: ");
        fake.spawn_error = 0;
        fake.pipe_error = -EMFILE;
        check_start_fails("StandardInput", "pipe", ERROR_START_FAILED, "stdio: ");
        world_done(&w); /* nothing is left */
}
END_TEST

START_TEST(fails_to_exec)
{
        ExecSpec spec;

        begin();
        spec_init(&spec);
        spec_set(&spec, "TTY", "yes");
        (void) world_start(&w, &spec);
        fake_exec_fails(fake_newest(), SPAWN_EXEC, ENOENT, "payload");
        world_settle(&w);
        world_done(&w);
}
END_TEST

TEST_MAIN("input", pipe_and_its_end, no_more_than_there_is_room_for, nobody_reads_any_more, jobs_without,
          others_read_on_after_the_leader, terminal, terminal_shows_a_prompt_at_once, terminal_eof,
          terminal_eof_without_room, terminal_stays_while_the_leader_lives, terminal_outlives_the_leader,
          failures, fails_to_exec)
