/* What comes in on a connection, piece by piece: where messages end, and whose the descriptors are. */

#include "core/inlet.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"
#include "sys/socket-data.h"

static int caller, ours, library;
static Inlet inlet;
static unsigned n_fds;

static unsigned count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static void begin(bool authenticated)
{
        int pair[2];

        n_fds = count_fds();
        ck_assert_int_eq(socket_pair(pair), 0);
        caller = pair[0];
        ours = pair[1];
        ck_assert_int_eq(inlet_init(&inlet, ours, &library), 0);
        inlet.begun = authenticated;
}

static void end(void)
{
        inlet_done(&inlet);
        fd_close(caller);
        fd_close(ours);
        fd_close(library);
        ck_assert_uint_eq(count_fds(), n_fds);
}

static void send_all(const void *data, size_t size, size_t n_descriptors)
{
        static const int zeros[64];

        ck_assert_int_eq(socket_send(caller, data, size, zeros, n_descriptors), size);
}

/* What the library reads. fds may be NULL, then none may come. */
static size_t library_reads(char *buf, size_t size, int *fds, size_t *n)
{
        size_t none = 0;
        ssize_t k = socket_receive(library, buf, size, fds, n ?: &none);

        return k == -EAGAIN ? 0 : (size_t) k;
}

/* A method call with so many bytes of body; no fields. */
static size_t message(char *buf, char endian, uint8_t type, uint8_t body)
{
        memset(buf, 0, 16 + body);
        buf[0] = endian;
        buf[1] = (char) type;
        buf[3] = 1;
        buf[endian == 'l' ? 4 : 7] = (char) body;
        return 16 + body;
}

START_TEST(stops_behind_begin)
{
        static const char hello[] = "\0AUTH EXTERNAL 30\r\nxBEGIN\r\nBEGINx\r\nBEGIN\r\n";
        char data[256], buf[256];
        size_t n = sizeof(hello) - 1;

        for (size_t cut = 1; cut < n; cut++) { /* in two pieces, wherever */
                begin(false);
                memcpy(data, hello, n);
                n += message(data + n, 'l', 1, 4);
                send_all(data, cut, 0);
                while (inlet_move(&inlet) > 0)
                        ;
                ck_assert(!inlet.begun && !inlet_is_idle(&inlet));
                send_all(data + cut, n - cut, 0);
                ck_assert_int_eq(inlet_move(&inlet), 1);
                ck_assert(inlet.begun && inlet_is_idle(&inlet));
                n = sizeof(hello) - 1;
                ck_assert_uint_eq(library_reads(buf, sizeof(buf), NULL, NULL), n);
                ck_assert_int_eq(inlet_move(&inlet), 1);
                ck_assert_uint_eq(library_reads(buf, sizeof(buf), NULL, NULL), 20);
                ck_assert_int_eq(inlet_move(&inlet), 0);
                end();
        }
}
END_TEST

START_TEST(stops_behind_each_message)
{
        char data[256], buf[256];
        size_t n = 0;

        begin(true);
        n += message(data + n, 'l', 1, 8);
        n += message(data + n, 'B', 2, 16);
        n += message(data + n, 'l', 4, 0);
        send_all(data, n, 0);
        for (size_t i = 0; i < 3; i++) {
                static const size_t sizes[] = {24, 32, 16};

                ck_assert_int_eq(inlet_move(&inlet), 1);
                ck_assert_uint_eq(library_reads(buf, sizeof(buf), NULL, NULL), sizes[i]);
                ck_assert_int_eq(inlet_settle(&inlet, false),
                                 0); /* without descriptors it does not matter */
        }
        ck_assert_int_eq(inlet_move(&inlet), 0);
        fd_close(caller);
        caller = -EBADF;
        ck_assert_int_eq(inlet_move(&inlet), -ECONNRESET);
        end();
}
END_TEST

START_TEST(descriptors_of_what_was_understood)
{
        char data[64], buf[64];
        size_t n = message(data, 'l', 1, 8), got = INLET_DESCRIPTORS_MAX;
        int fds[INLET_DESCRIPTORS_MAX];

        begin(true);
        send_all(data, 16, INLET_DESCRIPTORS_MAX);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        ck_assert_uint_eq(inlet.n_descriptors, INLET_DESCRIPTORS_MAX);
        ck_assert(!inlet_is_owed(&inlet)); /* it is not complete */
        inlet_foresee(&inlet);
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), fds, &got), 16);
        ck_assert_uint_eq(got, INLET_DESCRIPTORS_MAX);
        ck_assert_int_eq(inlet_settle(&inlet, false), 0);
        ck_assert(!inlet_is_idle(&inlet));
        send_all(data + 16, n - 16, 0);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        ck_assert(inlet_is_idle(&inlet));
        ck_assert(inlet_is_owed(&inlet));
        inlet_foresee(&inlet);
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), NULL, NULL), 8);
        ck_assert_int_eq(inlet_settle(&inlet, true), 0);
        for (size_t i = 0; i < got; i++) {
                ck_assert_int_ge(fcntl(fds[i], F_GETFD), 0);
                fd_close(fds[i]);
        }
        end();
}
END_TEST

/* Those of the pieces of one message, with other descriptors coming and going in between. */
START_TEST(descriptors_of_what_was_not)
{
        char data[64], buf[64];
        size_t n = message(data, 'l', 1, 8), got;
        int fds[INLET_DESCRIPTORS_MAX], others[3];

        begin(true);
        for (size_t i = 0; i < 3; i++)
                others[i] = fd_dup(0);
        send_all(data, 5, 3);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        inlet_foresee(&inlet);
        others[1] = fd_close(others[1]); /* before the library comes to read: looked at again */
        inlet_foresee(&inlet);
        got = INLET_DESCRIPTORS_MAX;
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), fds, &got), 5);
        ck_assert_uint_eq(got, 3);
        others[1] = fd_dup(0); /* somebody else's now, from here on */
        others[0] = fd_close(others[0]);
        inlet_foresee(&inlet);
        send_all(data + 5, n - 5, 2);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        inlet_foresee(&inlet);
        got = INLET_DESCRIPTORS_MAX;
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), fds + 3, &got), 19);
        ck_assert_uint_eq(got, 2);
        ck_assert_int_eq(inlet_settle(&inlet, false), -EBADMSG);
        for (size_t i = 0; i < 5; i++)
                ck_assert_int_lt(fcntl(fds[i], F_GETFD), 0);
        ck_assert_int_ge(fcntl(others[1], F_GETFD), 0);
        fd_close(others[1]);
        fd_close(others[2]);
        end();
}
END_TEST

/* What is refused, and leaves nothing behind. */
START_TEST(refusals)
{
        static const struct {
                const char *what;
                bool authenticated;
                char endian;
                uint8_t type, size;
                size_t n;
                int expected;
        } cases[] = {
                        {"while authenticating", false, 'l', 1, 8, 1, -ENOBUFS},
                        {"too many", true, 'l', 1, 8, INLET_DESCRIPTORS_MAX + 1, -ENOBUFS},
                        {"with a signal", true, 'l', 4, 8, 1, -EBADMSG},
                        {"with a reply", true, 'B', 2, 8, 1, -EBADMSG},
                        {"of neither end", true, 'x', 1, 8, 0, -EBADMSG},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char data[64];
                size_t n = message(data, cases[i].endian, cases[i].type, cases[i].size);

                begin(cases[i].authenticated);
                send_all(data, n, cases[i].n);
                ck_assert_msg(inlet_move(&inlet) == cases[i].expected, "%s", cases[i].what);
                end();
        }
}
END_TEST

START_TEST(too_large)
{
        char data[16];

        for (unsigned i = 0; i < 2; i++) {
                begin(true);
                message(data, 'l', 1, 0);
                data[7] = 8; /* 128 MiB */
                data[12] = i ? 1 : 0;
                send_all(data, sizeof(data), 0);
                ck_assert_int_eq(inlet_move(&inlet), i ? -EMSGSIZE : 1);
                end();
        }
}
END_TEST

TEST_MAIN("inlet", stops_behind_begin, stops_behind_each_message, descriptors_of_what_was_understood,
          descriptors_of_what_was_not, refusals, too_large)
