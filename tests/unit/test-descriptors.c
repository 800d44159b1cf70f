/* Descriptors of the caller's: the job has them, and nobody else; and Tee, which writes to them beside the
 * log. */

#include "core/tee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "core/error.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;
static int ends[2]; /* of a pipe: what the caller keeps, what it gives */

/* The spec has a copy of its own, as of a message. */
static void spec_give(ExecSpec *s, SettingId id, int fd)
{
        SettingValue v = {.type = SETTING_TYPE_FD, .fd = fd_dup(fd)};

        ck_assert_int_eq(exec_spec_set(s, id, &v, NULL), 0);
        setting_value_done(&v);
}

static void spec_tee(ExecSpec *s, SettingId id)
{
        SettingValue v = {.type = SETTING_TYPE_BOOL, .boolean = true};

        spec_give(s, id, ends[1]);
        ck_assert_int_eq(exec_spec_set(s, SETTING_TEE, &v, NULL), 0);
}

static void begin(void)
{
        world_init(&w);
        ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void end(void)
{
        for (unsigned i = 0; i < fake.n_tees; i++)
                fake.tee_fds[i] = fd_close(fake.tee_fds[i]);
        fd_close(ends[0]);
        fd_close(ends[1]);
        world_done(&w);
}

static Job *run(ExecSpec *spec)
{
        Job *job = world_start(&w, spec);

        fake_exec(fake_newest());
        world_settle(&w);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        return job;
}

static Job *run_teed(const char *name, const char *text)
{
        ExecSpec spec;

        spec_init(&spec);
        spec_tee(&spec, SETTING_STANDARD_OUTPUT_FD);
        if (name)
                spec_set(&spec, name, text);
        return run(&spec);
}

static bool same_file(int a, int b)
{
        struct stat x, y;

        ck_assert(fstat(a, &x) == 0 && fstat(b, &y) == 0);
        return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void check_notes(const Job *job, const char *expected)
{
        _cleanup_free_ char *text = world_output(job, STREAM_NOTE);

        ck_assert_str_eq(text, expected);
}

static void check_tee(unsigned tee, const char *expected)
{
        char buf[64];
        size_t n = fake_tee_take(tee, buf, sizeof(buf));

        ck_assert_uint_eq(n, strlen(expected));
        ck_assert_mem_eq(buf, expected, n);
        world_settle(&w);
}

START_TEST(the_job_has_them_alone)
{
        FakeProcess *p;
        unsigned fds, plain;
        ExecSpec spec;
        Job *job;

        begin();
        fds = fake_count_fds();
        spec_init(&spec);
        job = world_start(&w, &spec);
        plain = fake_count_fds() - fds;

        fds = fake_count_fds();
        spec_init(&spec);
        spec_give(&spec, SETTING_STANDARD_INPUT_FD, ends[0]);
        spec_give(&spec, SETTING_STANDARD_OUTPUT_FD, ends[1]);
        job = world_start(&w, &spec);
        p = fake_newest();
        ck_assert(same_file(p->fds[0], ends[0]) && same_file(p->fds[1], ends[1]));
        ck_assert_uint_eq(fake_count_fds() - fds, plain - 1); /* as any other, less our end of stdout */
        ck_assert(job->spec.fds[0] < 0 && job->spec.fds[1] < 0);
        fake_exec(p);
        world_settle(&w);
        fake_print(p, 1, "there");
        fake_print(p, 2, "here\n");
        fake_exit(p, 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        end();
}
END_TEST

/* With none of its streams taken there is nothing to drain. */
START_TEST(all_three)
{
        ExecSpec spec;
        Job *job;

        begin();
        spec_init(&spec);
        for (SettingId id = SETTING_STANDARD_INPUT_FD; id <= SETTING_STANDARD_ERROR_FD; id++)
                spec_give(&spec, id, ends[1]);
        job = run(&spec);
        ck_assert(job_is_drained(job));
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        end();
}
END_TEST

START_TEST(merged_into_one)
{
        ExecSpec spec;
        Job *job;

        begin();
        spec_init(&spec);
        spec_give(&spec, SETTING_STANDARD_OUTPUT_FD, ends[1]);
        spec_set(&spec, "MergeOutput", "yes");
        job = run(&spec);
        ck_assert(same_file(leader_of(job)->fds[1], ends[1]) && same_file(leader_of(job)->fds[2], ends[1]));
        end();
}
END_TEST

START_TEST(no_two_are_the_same)
{
        bool existing;
        ExecSpec spec;
        Error e = ERROR_NULL;
        Job *job;

        begin();
        for (unsigned i = 0; i < 2; i++) {
                spec_init(&spec);
                spec_set(&spec, "Id", "one");
                spec_give(&spec, SETTING_STANDARD_INPUT_FD, ends[0]);
                ck_assert_int_eq(job_set_start(&w.jobs, &spec, &job, &existing, &e), i == 0 ? 0 : -EEXIST);
                exec_spec_done(&spec);
        }
        ck_assert_int_eq(e.kind, ERROR_JOB_EXISTS);
        spec_init(&spec);
        spec_set(&spec, "Id", "one");
        ck_assert_int_eq(job_set_start(&w.jobs, &spec, &job, &existing, &e), -EEXIST);
        exec_spec_done(&spec);
        end();
}
END_TEST

/* Whatever goes wrong: what was the caller's is still his, and once. */
START_TEST(failures_leave_them)
{
        bool failed = true;

        begin();
        for (unsigned n = 1; failed; n++) {
                bool existing;
                ExecSpec spec;
                Error e = ERROR_NULL;
                Job *job;

                ck_assert_uint_lt(n, 1000);
                spec_init(&spec);
                spec_tee(&spec, SETTING_STANDARD_OUTPUT_FD);
                fake.n_tees = 0;
                alloc_fault_set(n, false);
                failed = job_set_start(&w.jobs, &spec, &job, &existing, &e) < 0;
                alloc_fault_set(0, false);
                if (failed) {
                        ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
                        ck_assert_int_ge(fcntl(spec.fds[1], F_GETFD), 0);
                }
                exec_spec_done(&spec);
                for (unsigned i = 0; failed && i < fake.n_tees; i++)
                        fake.tee_fds[i] = fd_close(fake.tee_fds[i]);
                while (failed && fake_has_zombies()) /* one whose job was let go at once */
                        world_settle(&w);
        }
        end();
}
END_TEST

START_TEST(tee_gets_what_the_log_gets)
{
        Diary d = {0};
        Job *job;

        begin();
        job = run_teed(NULL, NULL);
        diary_start(&d, job);
        fake_print(leader_of(job), 1, "one\n");
        fake_print(leader_of(job), 2, "error\n");
        world_settle(&w);
        check_tee(0, "one\n");
        fake_print(leader_of(job), 1, "two\nthree");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_str_eq(d.text, "output exited"); /* the tee has not taken all */
        check_tee(0, "two\nthree");
        ck_assert(!job_is_drained(job));
        check_tee(0, ""); /* it was told of the end */
        ck_assert_str_eq(d.text, "output exited drained finished");
        check_notes(job, "");
        job_watch_remove(&d.watch);
        end();
}
END_TEST

/* No more than a window is on its way; what comes of it is in order, each byte once. */
START_TEST(tee_window)
{
        static char line[1000], got[400000];
        size_t size = 0, n;
        Job *job;

        begin();
        job = run_teed("LogMaxBytes", "4M");
        memset(line, 'x', sizeof(line) - 1);
        for (unsigned i = 0; i < 300; i++) {
                snprintf(line, 8, "%07u", i);
                line[7] = ' ';
                line[999] = '\n';
                fake_write(leader_of(job), 1, line, sizeof(line));
                world_pass(&w, 2 * USEC_PER_MSEC);
        }
        ck_assert_uint_eq(job->tees[0]->n_sent, TEE_WINDOW);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        while ((n = fake_tee_take(0, got + size, 7777)) > 0) {
                size += n;
                world_settle(&w);
                ck_assert_uint_le(job->tees[0]->n_sent - job->tees[0]->n_taken, TEE_WINDOW);
        }
        ck_assert_uint_eq(size, 300000);
        for (unsigned i = 0; i < 300; i++)
                ck_assert_uint_eq(strtoul(got + i * 1000, NULL, 10), i);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        check_notes(job, "");
        end();
}
END_TEST

START_TEST(tee_that_does_not_keep_up)
{
        static char block[32768];
        char notes[256];
        Job *job;

        begin();
        job = run_teed("LogMaxBytes", "65536");
        memset(block, 'x', sizeof(block));
        block[sizeof(block) - 1] = '\n';
        for (unsigned i = 0; i < 5; i++) {
                fake_write(leader_of(job), 1, block, sizeof(block));
                world_settle(&w);
        }
        check_notes(job, "StandardOutputFileDescriptor does not keep up: from here on bytes are left out of "
                         "it\n");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(!job_is_drained(job));
        world_pass(&w, TEE_PATIENCE_USEC); /* nobody takes anything */
        ck_assert(job_is_finished(job));
        snprintf(notes, sizeof(notes),
                 "StandardOutputFileDescriptor does not keep up: from here on bytes are left out of it\n"
                 "%zu of %zu bytes were not taken by StandardOutputFileDescriptor\n",
                 5 * sizeof(block), 5 * sizeof(block));
        check_notes(job, notes);
        end();
}
END_TEST

/* As long as something is taken there is time. */
START_TEST(tee_that_is_slow)
{
        char buf[4];
        Job *job;

        begin();
        job = run_teed(NULL, NULL);
        fake_print(leader_of(job), 1, "abcdefghijkl\n");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        for (unsigned i = 0; i < 4; i++) {
                world_pass(&w, TEE_PATIENCE_USEC - 1);
                ck_assert_uint_gt(fake_tee_take(0, buf, sizeof(buf)), 0);
                world_settle(&w);
                ck_assert(!job_is_drained(job));
        }
        ck_assert_uint_eq(fake_tee_take(0, buf, sizeof(buf)), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        check_notes(job, "");
        end();
}
END_TEST

START_TEST(tee_that_fails)
{
        Job *job;

        begin();
        job = run_teed(NULL, NULL);
        fake_print(leader_of(job), 1, "one\n");
        world_settle(&w);
        check_tee(0, "one\n");
        fake_tee_end(0, EPIPE);
        world_settle(&w);
        check_notes(job, "StandardOutputFileDescriptor takes no more: Broken pipe (32 EPIPE)\n");
        fake_print(leader_of(job), 1, "two\n");
        world_settle(&w);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert(job_is_finished(job));
        check_notes(job, "StandardOutputFileDescriptor takes no more: Broken pipe (32 EPIPE)\n"
                         "4 of 8 bytes were not taken by StandardOutputFileDescriptor\n");
        end();
}
END_TEST

/* One of two that is done does not make the job so. */
START_TEST(tees_of_both)
{
        ExecSpec spec;
        Job *job;

        begin();
        spec_init(&spec);
        spec_tee(&spec, SETTING_STANDARD_OUTPUT_FD);
        spec_give(&spec, SETTING_STANDARD_ERROR_FD, ends[1]);
        job = run(&spec);
        fake_print(leader_of(job), 1, "out\n");
        fake_print(leader_of(job), 2, "err\n");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        check_tee(0, "out\n");
        check_tee(0, "");
        ck_assert(!job_is_drained(job));
        check_tee(1, "err\n");
        check_tee(1, "");
        ck_assert(job_is_finished(job));
        end();
}
END_TEST

START_TEST(tee_cannot_start)
{
        static const struct {
                int error;
                ErrorKind kind;
        } table[] = {{-EBADF, ERROR_INVALID_ARGS},
                     {-EAGAIN, ERROR_START_FAILED},
                     {-ENOMEM, ERROR_NO_MEMORY}};

        begin();
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                bool existing;
                ExecSpec spec;
                Error e = ERROR_NULL;
                Job *job;

                fake.tee_error = table[i].error;
                spec_init(&spec);
                spec_tee(&spec, SETTING_STANDARD_ERROR_FD);
                ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, &e), 0);
                ck_assert_msg(e.kind == table[i].kind, "%s", e.message);
                exec_spec_done(&spec);
        }
        end();
}
END_TEST

/* A job that is let go in the middle of it takes it along. */
START_TEST(tee_of_a_job_that_goes)
{
        Job *job;

        begin();
        job = run_teed(NULL, NULL);
        fake_print(leader_of(job), 1, "one\n");
        world_settle(&w);
        end();
}
END_TEST

TEST_MAIN("descriptors", the_job_has_them_alone, all_three, merged_into_one, no_two_are_the_same,
          failures_leave_them, tee_gets_what_the_log_gets, tee_window, tee_that_does_not_keep_up,
          tee_that_is_slow, tee_that_fails, tees_of_both, tee_cannot_start, tee_of_a_job_that_goes)
