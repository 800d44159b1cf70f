/* A follower's life: what is in the pipe, when, and what is said of what is not. */

#include "follower-fixture.h"

START_TEST(lives)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_RAW, "", UINT64_MAX);
        check_taken(&fd, "");
        fake_print(leader_of(job), 1, "one\ntw");
        check_taken(&fd, "one\n");
        world_pass(&w, 100 * USEC_PER_MSEC);
        check_taken(&fd, "tw");
        fake_print(leader_of(job), 1, "o\n");
        check_taken(&fd, "o\n");
        ck_assert(!newest()->wants);
        fake_exit(leader_of(job), 0);
        check_taken(&fd, "");
        ck_assert_int_eq(fd, -EBADF);
        ck_assert_uint_eq(n_gone, 1);
        ck_assert_uint_eq(set.n, 0);
        end();
}
END_TEST

START_TEST(says_the_end)
{
        static const char tail[] =
                        "PRIORITY=5\nSYSLOG_IDENTIFIER=payload\nREEVE_JOB=j\nREEVE_SESSION=default\n"
                        "REEVE_EVENT=end\nREEVE_RESULT=exit-code\nREEVE_EXIT_CODE=3\nREEVE_SIGNAL=0\n"
                        "MESSAGE=[ended: exit-code, exit code 3]\n\n";
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        FakeProcess *child;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, "Id", "j", NULL);
        child = fake_fork(leader_of(job));
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        fake_exit(leader_of(job), 3);
        check_taken(&fd, ""); /* somebody still holds the output */
        ck_assert_int_ge(fd, 0);
        fake_print(child, 2, "late\n");
        fake_exit(child, 0);
        take(&fd, &b);
        ck_assert_int_eq(fd, -EBADF);
        text = buffer_take(&b, NULL);
        ck_assert_ptr_nonnull(strstr(text, "MESSAGE=late\n\n__CURSOR="));
        ck_assert_str_eq(text + strlen(text) - strlen(tail), tail);
        end();
}
END_TEST

/* Its streams end first: the end is said when it is known what it was. */
START_TEST(output_ends_first)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_RAW, "", UINT64_MAX);
        fake_print(leader_of(job), 1, "a\n");
        fake_close(leader_of(job), 1);
        fake_close(leader_of(job), 2);
        check_taken(&fd, "a\n");
        ck_assert_int_ge(fd, 0);
        fake_exit(leader_of(job), 0);
        check_taken(&fd, "");
        ck_assert_int_eq(fd, -EBADF);
        end();
}
END_TEST

START_TEST(starts_where_it_is_told)
{
        char cursor[CURSOR_TEXT_MAX];
        RingPosition tail;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "a\nb\n");
        world_settle(&w);
        ring_tail(job->ring, &tail);
        cursor_format(&job->log, &tail, cursor);
        fake_print(leader_of(job), 1, "c\nd\n");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        fd = follow(job, LOG_FORMAT_RAW, "", UINT64_MAX);
        check_taken(&fd, "a\nb\nc\nd\n");
        fd = follow(job, LOG_FORMAT_RAW, cursor, UINT64_MAX);
        check_taken(&fd, "c\nd\n");
        fd = follow(job, LOG_FORMAT_RAW, "tail", UINT64_MAX);
        check_taken(&fd, "");
        fd = follow(job, LOG_FORMAT_RAW, "", 3);
        check_taken(&fd, "b\nc\nd\n");
        fd = follow(job, LOG_FORMAT_RAW, cursor, 3);
        check_taken(&fd, "c\nd\n");
        fd = follow(job, LOG_FORMAT_RAW, "", 0);
        check_taken(&fd, "");
        end();
}
END_TEST

START_TEST(is_overtaken)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, "LogMaxBytes", "65536", NULL);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        flood(job, 1, 10000);
        ck_assert(newest()->wants);
        ck_assert_uint_lt(newest()->rest.allocated, 10 * 1024); /* that, and its pipe, is all it costs */
        for (unsigned i = 0; i < 8; i++) {
                char data[4096];
                ssize_t n = read(fd, data, sizeof(data));

                ck_assert_int_gt(n, 0);
                buffer_append(&b, data, (size_t) n);
                flood(job, 10000 + i * 3000, 10000 + (i + 1) * 3000); /* again, and again */
        }
        fake_exit(leader_of(job), 0);
        take(&fd, &b);
        ck_assert_int_eq(fd, -EBADF);
        text = buffer_take(&b, NULL);
        ck_assert_uint_gt(check_complete(text, 1, 34000), 0);
        end();
}
END_TEST

/* A large record that a reader leaves alone is held once, and no larger than it is. */
START_TEST(large_records)
{
        static char line[32768];
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        memset(line, 1, sizeof(line) - 1); /* no text: "1," for each of them */
        line[sizeof(line) - 1] = '\n';
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_JSON, "", UINT64_MAX);
        ck_assert_int_eq(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
        for (unsigned i = 0; i < 8; i++) {
                fake_write(leader_of(job), 1, line, sizeof(line));
                world_pass(&w, 2 * USEC_PER_MSEC);
        }
        ck_assert_uint_gt(newest()->rest.size, 2 * 32768 - 4096);
        ck_assert_uint_lt(newest()->rest.allocated, 2 * 32768 + 1024);
        fake_exit(leader_of(job), 0);
        take(&fd, &b);
        text = buffer_take(&b, NULL);
        ck_assert_uint_gt(strlen(text), 8 * 2 * 32768);
        ck_assert_ptr_nonnull(strstr(text, "\"REEVE_SEQNUM\":\"8\""));
        ck_assert_ptr_nonnull(strstr(text, "\"REEVE_EVENT\":\"end\""));
        end();
}
END_TEST

START_TEST(lines_and_what_is_lost)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, "LogMaxBytes", "65536", NULL);
        flood(job, 1, 5000);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        fd = follow(job, LOG_FORMAT_SHORT, "", 1);
        world_settle(&w);
        ck_assert_uint_eq(set.n, 0);
        for (uint64_t lines = 1000; lines <= 5000; lines += 4000) {
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                fd_close(fd);
                fd = follow(job, LOG_FORMAT_SHORT, "", lines);
                take(&fd, &b);
                text = buffer_take(&b, NULL);
                /* a loss before the newest lines is none, unless it is why there are fewer */
                ck_assert_int_eq(strstr(text, "bytes lost]\n") != NULL, lines == 5000);
        }
        end();
}
END_TEST

/* Little fits: a write is short, or not possible at all, and nothing comes twice. */
START_TEST(small_writes)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        fake.write_max = 7;
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        ck_assert_int_eq(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
        flood(job, 1, 300);
        fake_exit(leader_of(job), 0);
        take(&fd, &b);
        text = buffer_take(&b, NULL);
        ck_assert_uint_eq(check_complete(text, 1, 300), 0);
        end();
}
END_TEST

/* Others have their turns while one has much to write. */
START_TEST(a_turn_is_bounded)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, "LogMaxBytes", "4M", NULL);
        flood(job, 1, 30000);
        fd = follow(job, LOG_FORMAT_RAW, "tail", UINT64_MAX);
        world_settle(&w);
        newest()->filter.streams = STREAM_MASK(STREAM_STDERR);
        newest()->position = (RingPosition){0};
        newest()->watch.notify(&newest()->watch, job, JOB_MOMENT_OUTPUT);
        while (newest()->position.seqnum ==
               0) /* then it has looked at 64 KiB of records, none of which it wants */
                ck_assert(world_event(&w));
        ck_assert_uint_gt(newest()->position.seqnum, 100);
        ck_assert_uint_lt(newest()->position.seqnum, 3000);
        world_settle(&w);
        ck_assert_uint_eq(newest()->position.seqnum, 29999);
        fd_close(fd);
        end();
}
END_TEST

START_TEST(reader_closes)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_RAW, "", UINT64_MAX);
        world_settle(&w);
        fd_close(fd); /* while there is nothing to write */
        world_settle(&w);
        ck_assert_uint_eq(set.n, 0);
        ck_assert(list_is_empty(&owner));

        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        flood(job, 1, 1000);
        fd_close(fd); /* while there is much */
        world_settle(&w);
        ck_assert_uint_eq(set.n, 0);
        ck_assert_uint_eq(n_gone, 2);
        ck_assert_int_eq(job->fsm.state, JOB_RUNNING);
        ck_assert(list_is_empty(&job->watches));
        end();
}
END_TEST

START_TEST(owner_goes)
{
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_RAW, "", UINT64_MAX);
        LIST_FOREACH_SAFE (&owner, link)
                list_remove(link);
        fake_print(leader_of(job), 1, "a\n");
        fake_exit(leader_of(job), 0);
        check_taken(&fd, "a\n");
        ck_assert_int_eq(fd, -EBADF);
        end();
}
END_TEST

TEST_MAIN("follower", lives, says_the_end, output_ends_first, starts_where_it_is_told, is_overtaken,
          large_records, lines_and_what_is_lost, small_writes, a_turn_is_bounded, reader_closes, owner_goes)
