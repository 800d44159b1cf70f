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

/* One that is right: for /a, "B", with so many descriptors and bytes of body. */
static size_t sound_message(char *buf, uint8_t n_descriptors, uint8_t body)
{
        static const char fields[] = "\1\1o\0\2\0\0\0/a\0\0\0\0\0\0\3\1s\0\1\0\0\0B\0\0\0\0\0\0\0\11\1u\0";

        message(buf, 'l', 1, body);
        buf[8] = 1;
        buf[12] = 40;
        memset(buf + 16, 0, 40 + body);
        memcpy(buf + 16, fields, sizeof(fields) - 1);
        buf[52] = (char) n_descriptors;
        return 56 + body;
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
        char data[128], buf[128];
        size_t n = sound_message(data, INLET_DESCRIPTORS_MAX, 8), got = INLET_DESCRIPTORS_MAX;
        int fds[INLET_DESCRIPTORS_MAX];

        begin(true);
        send_all(data, n - 8, INLET_DESCRIPTORS_MAX);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        ck_assert_uint_eq(inlet.n_descriptors, INLET_DESCRIPTORS_MAX);
        ck_assert(!inlet_is_owed(&inlet)); /* it is not complete */
        inlet_foresee(&inlet);
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), fds, &got), n - 8);
        ck_assert_uint_eq(got, INLET_DESCRIPTORS_MAX);
        ck_assert_int_eq(inlet_settle(&inlet, false), 0);
        ck_assert(!inlet_is_idle(&inlet));
        send_all(data + n - 8, 8, 0);
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

/* With other descriptors coming and going in between. */
START_TEST(descriptors_of_what_was_not)
{
        char data[128], buf[128];
        size_t n = sound_message(data, 3, 8), got = INLET_DESCRIPTORS_MAX;
        int fds[INLET_DESCRIPTORS_MAX], others[3];

        begin(true);
        for (size_t i = 0; i < 3; i++)
                others[i] = fd_dup(0);
        send_all(data, n - 8, 3);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        inlet_foresee(&inlet);
        others[1] = fd_close(others[1]); /* before the library comes to read: looked at again */
        inlet_foresee(&inlet);
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), fds, &got), n - 8);
        ck_assert_uint_eq(got, 3);
        others[1] = fd_dup(0); /* somebody else's now, from here on */
        others[0] = fd_close(others[0]);
        inlet_foresee(&inlet);
        ck_assert_int_eq(inlet_settle(&inlet, false), 0);
        send_all(data + n - 8, 8, 0);
        ck_assert_int_eq(inlet_move(&inlet), 1);
        ck_assert_uint_eq(library_reads(buf, sizeof(buf), NULL, NULL), 8);
        ck_assert_int_eq(inlet_settle(&inlet, false), -EBADMSG);
        for (size_t i = 0; i < 3; i++)
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
                int type;       /* of the message; 0: "x" instead of its endianness */
                size_t before;  /* so many bytes come before those with the descriptors, */
                size_t missing; /* and so many are missing */
                size_t n;
                int expected;
        } cases[] = {
                        {"while authenticating", false, 1, 0, 0, 1, -ENOBUFS},
                        {"too many", true, 1, 0, 0, INLET_DESCRIPTORS_MAX + 1, -ENOBUFS},
                        {"more than it tells of", true, 1, 0, 0, 3, -EBADMSG},
                        {"fewer", true, 1, 0, 0, 1, -EBADMSG},
                        {"with a signal", true, 4, 0, 0, 2, -EBADMSG},
                        {"with a reply", true, 2, 0, 0, 2, -EBADMSG},
                        {"of neither end", true, 0, 0, 0, 0, -EBADMSG},
                        {"before its header is there", true, 1, 0, 20, 2, -EBADMSG},
                        {"behind its beginning", true, 1, 5, 0, 2, -EBADMSG},
                        {"with its body", true, 1, 56, 0, 2, -EBADMSG},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char data[128];
                size_t n = sound_message(data, 2, 8), before = cases[i].before;
                int r;

                begin(cases[i].authenticated);
                if (cases[i].type > 0)
                        data[1] = (char) cases[i].type;
                else
                        data[0] = 'x';
                if (before > 0) {
                        send_all(data, before, 0);
                        ck_assert_int_eq(inlet_move(&inlet), 1);
                }
                send_all(data + before, n - before - cases[i].missing, cases[i].n);
                r = inlet_move(&inlet);
                ck_assert_msg(r == cases[i].expected, "%s: %d", cases[i].what, r);
                end();
        }
}
END_TEST

START_TEST(too_large)
{
        char data[16];

        for (unsigned i = 0; i < 4; i++) {
                begin(true);
                message(data, 'l', 1, 0);
                data[i < 2 ? 7 : 14] = i < 2 ? 8 : 4; /* 128 MiB of all, 256 KiB of the header */
                data[12] = i % 2 ? 1 : 0;
                send_all(data, sizeof(data), 0);
                ck_assert_int_eq(inlet_move(&inlet), i % 2 ? -EMSGSIZE : 1);
                end();
        }
}
END_TEST

TEST_MAIN("inlet", stops_behind_begin, stops_behind_each_message, descriptors_of_what_was_understood,
          descriptors_of_what_was_not, refusals, too_large)
