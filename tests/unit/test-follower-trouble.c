/* Followers whose job, log, memory or reeve itself goes. */

#include "follower-fixture.h"

START_TEST(record_goes)
{
        static const LogFormat formats[] = {LOG_FORMAT_EXPORT, LOG_FORMAT_RAW};
        int fds[ELEMENTSOF(formats)], unread;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                fds[i] = follow(job, formats[i], "", UINT64_MAX);
        flood(job, 1, 20000);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        unread = follow(job, LOG_FORMAT_EXPORT, "tail", UINT64_MAX);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                take(&fds[i], &b);
                ck_assert_int_eq(fds[i], -EBADF);
                text = buffer_take(&b, NULL);
                if (formats[i] == LOG_FORMAT_EXPORT)
                        ck_assert_uint_eq(check_complete(text, 1, 20000), 1);
                else
                        ck_assert_int_eq(strncmp(text, "000000001\n000000002\n", 20), 0);
        }
        {
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                take(&unread, &b);
                text = buffer_take(&b, NULL);
                ck_assert_uint_eq(check_complete(text, 1, 1), 0); /* just the end */
        }
        ck_assert_uint_eq(set.n, 0);
        end();
}
END_TEST

/* As any loss: of both streams. */
START_TEST(record_goes_of_one_stream)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        flood(job, 1, 3);
        fake_print(leader_of(job), 2, "000000003\n");
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        newest()->filter.streams = STREAM_MASK(STREAM_STDERR);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        take(&fd, &b);
        text = buffer_take(&b, NULL);
        ck_assert_uint_eq(field(text, "REEVE_LOST_RECORDS="), 3);
        ck_assert_uint_eq(field(text, "REEVE_LOST_BYTES="), 30);
        end();
}
END_TEST

/* Its log was let go before its record was. */
START_TEST(log_goes)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        flood(job, 1, 2000);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ring_evict(job->ring);
        take(&fd, &b);
        text = buffer_take(&b, NULL);
        ck_assert_uint_eq(check_complete(text, 1, 2000), 1);
        end();
}
END_TEST

START_TEST(reeve_goes)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        flood(job, 1, 1000);
        followers_finish(&set);
        take(&fd, &b);
        ck_assert_int_eq(fd, -EBADF);
        text = buffer_take(&b, NULL);
        ck_assert_uint_eq(check_complete(text, 1, 1000), 0);
        ck_assert_ptr_nonnull(strstr(text, "REEVE_RESULT=\nREEVE_EXIT_CODE=-1\n"));
        end();
}
END_TEST

START_TEST(refusals)
{
        FollowRequest request = {
                        .cursor = "nonsense",
                        .filter.streams = STREAM_MASK_ALL,
                        .lines = UINT64_MAX,
        };
        Error e = ERROR_NULL;
        int fd = -12345;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        ck_assert_int_eq(follower_new(&set, job, &request, &owner, &fd, &e), -EBADMSG);
        ck_assert_int_eq(e.kind, ERROR_BAD_CURSOR);
        request.cursor = "";
        set.n = FOLLOWERS_MAX;
        ck_assert_int_eq(follower_new(&set, job, &request, &owner, &fd, &e), -EDQUOT);
        set.n = 0;
        fake.pipe_error = -EMFILE;
        ck_assert_int_eq(follower_new(&set, job, &request, &owner, &fd, &e), -EDQUOT);
        fake.pipe_error = 0;
        alloc_fault_set(1, 0);
        ck_assert_int_eq(follower_new(&set, job, &request, &owner, &fd, &e), -ENOMEM);
        alloc_fault_set(0, 0);
        ck_assert_int_eq(fd, -12345);
        ck_assert_uint_eq(n_gone, 0);
        ck_assert(list_is_empty(&job->watches));
        end();
}
END_TEST

/* Memory is missing at any one time, and for a while: it is only later that everything comes. */
START_TEST(no_memory)
{
        for (unsigned nth = 1; nth < 80; nth++) {
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;
                Job *job;
                int fd;

                begin();
                job = world_run(&w, NULL);
                fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
                flood(job, 1, 50);
                fake_print(leader_of(job), 1, "000000050\n000000051\n");
                alloc_fault_set(nth / 2 + 1, nth % 2); /* once, or from then on */
                world_settle(&w);
                world_pass(&w, USEC_PER_SEC);
                alloc_fault_set(0, 0);
                world_pass(&w, USEC_PER_SEC);
                fake_exit(leader_of(job), 0);
                take(&fd, &b);
                ck_assert_int_eq(fd, -EBADF);
                text = buffer_take(&b, NULL);
                ck_assert_uint_eq(check_complete(text, 1, 52), 0);
                end();
        }
}
END_TEST

/* For the last words, too; then they are not said, and nothing is cut in two. */
START_TEST(no_memory_for_the_last_words)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        Job *job;
        int fd;

        begin();
        job = world_run(&w, NULL);
        fd = follow(job, LOG_FORMAT_EXPORT, "", UINT64_MAX);
        flood(job, 1, 2000);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        newest()->rest.allocated = newest()->rest.size + 100; /* some of it would fit */
        alloc_fault_set(1, 1);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        alloc_fault_set(0, 0);
        take(&fd, &b);
        ck_assert_int_eq(fd, -EBADF);
        text = buffer_take(&b, NULL);
        ck_assert_ptr_null(strstr(text, "REEVE_EVENT"));
        ck_assert_str_eq(text + strlen(text) - 2, "\n\n");
        end();
}
END_TEST

TEST_MAIN("follower-trouble", record_goes, record_goes_of_one_stream, log_goes, reeve_goes, refusals,
          no_memory, no_memory_for_the_last_words)
