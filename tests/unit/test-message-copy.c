/* The copying of bodies, on connections that are never spoken on. */

#include "bus/message-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/macro.h"
#include "test-main.h"

static sd_bus *connection(bool descriptors)
{
        sd_bus *bus = NULL;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, fds[0], fds[0]), 0);
        ck_assert_int_ge(sd_bus_negotiate_fds(bus, descriptors), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        close(fds[1]);
        return bus;
}

static sd_bus_message *message(sd_bus *bus)
{
        sd_bus_message *m = NULL;

        ck_assert_int_ge(sd_bus_message_new_signal(bus, &m, "/a", "b.c", "D"), 0);
        return m;
}

/* The body as text, for free(). */
static char *text_of(sd_bus_message *m)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
        ck_assert_int_ge(sd_bus_message_dump(m, f, 0), 0);
        fclose(f);
        return text;
}

/* Seals `from`, copies it, and compares. The size that was told. */
static size_t check_copy(sd_bus *bus, sd_bus_message *from)
{
        sd_bus_message *to = message(bus);
        char *a, *b;
        size_t size = 0;

        ck_assert_int_ge(sd_bus_message_seal(from, 1, 0), 0);
        ck_assert_int_ge(message_copy_body(to, from, &size), 0);
        ck_assert_int_ge(sd_bus_message_seal(to, 2, 0), 0);
        ck_assert_str_eq(sd_bus_message_get_signature(to, true), sd_bus_message_get_signature(from, true));
        a = text_of(from);
        b = text_of(to);
        ck_assert_str_eq(a, b);
        free(a);
        free(b);
        sd_bus_message_unref(to);
        sd_bus_message_unref(from);
        return size;
}

START_TEST(every_type)
{
        sd_bus *a = connection(true), *b = connection(true);
        sd_bus_message *m = message(a);

        ck_assert_int_ge(sd_bus_message_append(m, "ybnqiuxtdsog", 1, 1, -2, 3, -4, 5U, INT64_C(-6),
                                               UINT64_C(7), 8.5, "text", "/o", "a{sv}"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(m, "v(sa{sv})aas", "(it)", -1, UINT64_C(2), "x", 2, "K", "s",
                                               "v", "L", "ai", 3, 1, 2, 3, 2, 2, "p", "q", 0),
                         0);
        check_copy(b, m);
        check_copy(b, message(a)); /* nothing */
        sd_bus_unref(a);
        sd_bus_unref(b);
}
END_TEST

/* The copy has descriptors of its own, of the same files. */
START_TEST(descriptors)
{
        sd_bus *a = connection(true), *b = connection(true);
        sd_bus_message *m = message(a), *to = message(b);
        size_t size;
        int fds[2], fd;
        char c;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 1, "Out", "h", fds[1]), 0);
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(message_copy_body(to, m, &size), 0);
        ck_assert_int_ge(sd_bus_message_seal(to, 2, 0), 0);
        sd_bus_message_unref(m);
        close(fds[1]);
        ck_assert_int_gt(sd_bus_message_enter_container(to, 'a', "{sv}"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(to, 'e', "sv"), 0);
        ck_assert_int_gt(sd_bus_message_skip(to, "s"), 0);
        ck_assert_int_gt(sd_bus_message_read(to, "v", "h", &fd), 0);
        ck_assert_int_eq(write(fd, "x", 1), 1);
        ck_assert_int_eq(read(fds[0], &c, 1), 1);
        sd_bus_message_unref(to);
        ck_assert_int_eq(read(fds[0], &c, 1), 0); /* nobody has it any more */
        close(fds[0]);
        sd_bus_unref(a);
        sd_bus_unref(b);
}
END_TEST

START_TEST(arrays)
{
        sd_bus *a = connection(false), *b = connection(false);
        const size_t large = 4 * 1024 * 1024;
        sd_bus_message *m = message(a);
        int booleans = 1;
        uint8_t *bytes = malloc(large);

        memset(bytes, 0xa5, large);
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', NULL, 0), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "at", 2, UINT64_C(1), UINT64_MAX), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "ad", 1, 0.5), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "ab", 2, booleans, 0), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "a(yay)", 2, 1, 2, 3, 4, 2, 0), 0);
        check_copy(b, m);
        m = message(a);
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', bytes, large), 0);
        ck_assert_uint_ge(check_copy(b, m), large);
        free(bytes);
        sd_bus_unref(a);
        sd_bus_unref(b);
}
END_TEST

/* Twice, and after somebody has read in it. */
START_TEST(from_the_beginning)
{
        sd_bus *a = connection(false), *b = connection(false);
        sd_bus_message *m = message(a), *to = message(b);
        const char *s;
        size_t size;

        ck_assert_int_ge(sd_bus_message_append(m, "ss", "first", "second"), 0);
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(sd_bus_message_read(m, "s", &s), 0);
        ck_assert_int_ge(message_copy_body(to, m, &size), 0);
        ck_assert_int_ge(message_copy_body(to, m, &size), 0);
        ck_assert_uint_ge(size, strlen("first"
                                       "second"));
        ck_assert_int_ge(sd_bus_message_seal(to, 2, 0), 0);
        ck_assert_str_eq(sd_bus_message_get_signature(to, true), "ssss");
        sd_bus_message_unref(to);
        sd_bus_message_unref(m);
        sd_bus_unref(a);
        sd_bus_unref(b);
}
END_TEST

TEST_MAIN("message-copy", every_type, descriptors, arrays, from_the_beginning)
