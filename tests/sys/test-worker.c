/* Workers: what they write arrives, how they end, and what they have of us. */

#include "sys/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"
#include "sys/pidref.h"
#include "sys/service-check.h"

/* All that it writes, up to the end; how it ended is told by waitpid(2). */
static size_t answer(WorkerFunction *work, void *userdata, char *buffer, size_t size, int *ret_status)
{
        PidRef process = PIDREF_NULL;
        size_t n = 0;
        ssize_t r;
        int fd;

        ck_assert_int_eq(worker_start("worker", work, userdata, &process, &fd), 0);
        for (;;) {
                ck_assert_int_eq(rig_wait_readable(fd), 1);
                r = worker_read(fd, buffer + n, size - n);
                if (r == -EAGAIN)
                        continue;
                ck_assert_int_ge(r, 0);
                if (r == 0)
                        break;
                n += (size_t) r;
                ck_assert_uint_lt(n, size);
        }
        close(fd);
        ck_assert_int_eq(waitpid(process.pid, ret_status, 0), process.pid);
        pidref_done(&process);
        return n;
}

static int write_much(int fd, void *userdata)
{
        static char data[300000];

        memset(data, 'x', sizeof(data));
        return worker_write(fd, data, *(size_t *) userdata);
}

START_TEST(much_is_written)
{
        static char buffer[400000];
        size_t size = 300000; /* more than a pipe holds */
        int status;

        ck_assert_uint_eq(answer(write_much, &size, buffer, sizeof(buffer), &status), size);
        for (size_t i = 0; i < size; i++)
                if (buffer[i] != 'x')
                        ck_abort_msg("%zu", i);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static int go_wrong(int fd, void *userdata)
{
        (void) worker_write(fd, "half", 4);
        return -EIO;
}

START_TEST(one_that_fails)
{
        char buffer[16];
        int status;

        ck_assert_uint_eq(answer(go_wrong, NULL, buffer, sizeof(buffer), &status), 4);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}
END_TEST

static int tell_open(int fd, void *userdata)
{
        for (int i = 0; i < 64; i++)
                if (fcntl(i, F_GETFD) >= 0) {
                        char number = (char) i;

                        if (worker_write(fd, &number, 1) < 0)
                                return -EIO;
                }
        return 0;
}

START_TEST(nothing_of_ours_is_open)
{
        int ours = open("/dev/null", O_RDONLY | O_CLOEXEC), status;
        char buffer[64];

        ck_assert_int_ge(ours, 0);
        ck_assert_uint_eq(answer(tell_open, NULL, buffer, sizeof(buffer), &status), 4);
        for (int i = 0; i < 4; i++)
                ck_assert_int_eq(buffer[i], i);
        close(ours);
}
END_TEST

static int hang(int fd, void *userdata)
{
        while (getppid() > 0)
                pause();
        return 0;
}

START_TEST(one_that_hangs_is_killed)
{
        PidRef process = PIDREF_NULL;
        int fd, status;
        char c;

        ck_assert_int_eq(worker_start("worker", hang, NULL, &process, &fd), 0);
        ck_assert_int_eq(worker_read(fd, &c, 1), -EAGAIN); /* without waiting */
        ck_assert_int_eq(pidref_signal(&process, SIGKILL), 0);
        ck_assert_int_eq(rig_wait_readable(fd), 1);
        ck_assert_int_eq(worker_read(fd, &c, 1), 0);
        ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        pidref_done(&process);
        close(fd);
}
END_TEST

START_TEST(what_a_service_asks)
{
        static char buffer[2 * SERVICE_FILE_MAX];
        char path[256];
        const char *paths[] = {"/", "/no/such/path"}, *files[] = {path, "/no/such/file", "/", "/dev/null"};
        const ServiceCheck check = {.paths = paths, .n_paths = 2, .files = files, .n_files = 4};
        ServiceCheckReader reader = {.data = buffer};
        const char *text;
        size_t size, n;
        int fd, status;

        snprintf(path, sizeof(path), "%s/environment", rig_folder());
        fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        ck_assert_int_eq(write(fd, "A=1\n", 4), 4);
        close(fd);
        n = reader.size = answer(service_check_work, (void *) &check, buffer, sizeof(buffer), &status);
        ck_assert_int_eq(service_check_next_path(&reader), 1);
        ck_assert_int_eq(service_check_next_path(&reader), 0);
        ck_assert_int_eq(service_check_next_file(&reader, &text, &size), 0);
        ck_assert_uint_eq(size, 4);
        ck_assert(memcmp(text, "A=1\n", 4) == 0);
        ck_assert_int_eq(service_check_next_file(&reader, &text, &size), -ENOENT);
        ck_assert_int_eq(service_check_next_file(&reader, &text, &size), -EISDIR);
        ck_assert_int_eq(service_check_next_file(&reader, &text, &size), 0);
        ck_assert_uint_eq(size, 0);
        ck_assert_int_eq(service_check_next_file(&reader, &text, &size), -EBADMSG);
        /* An answer that is cut off says so, wherever that is. */
        for (size_t cut = 0; cut < n; cut++) {
                ServiceCheckReader r = {.data = buffer, .size = cut};
                bool bad = false;

                for (unsigned i = 0; i < 2; i++)
                        bad |= service_check_next_path(&r) == -EBADMSG;
                for (unsigned i = 0; i < 4; i++)
                        bad |= service_check_next_file(&r, &text, &size) == -EBADMSG;
                ck_assert(bad);
        }
        unlink(path);
}
END_TEST

TEST_MAIN("worker", much_is_written, one_that_fails, nothing_of_ours_is_open, one_that_hangs_is_killed,
          what_a_service_asks)
