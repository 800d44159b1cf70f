/* When it tries, and when it sleeps. Sockets and folders are what the test says; the clock is the fake's. */

#include "core/connector.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "fake-sys.h"
#include "sys/clock.h"
#include "sys/socket-data.h"
#include "sys/unix-socket.h"
#include "test-main.h"

static struct {
        int result;      /* of socket_connect() */
        int watch_error; /* of path_watch_open() */
        unsigned n_tries, n_connected, n_waiting, n_arms;
        int last_error;
        bool watched;
} net;

int socket_connect(const char *address, bool wait, int *ret_fd)
{
        net.n_tries++;
        if (net.result >= 0)
                *ret_fd = 4711;
        return net.result;
}

int socket_address_path(const char *address, char **ret)
{
        const char *path = startswith(address, "unix:path=");

        *ret = path ? str_copy(path) : NULL;
        return 0;
}

int socket_pair(int ret[static 2])
{
        return -EMFILE;
}

int path_watch_open(PathWatch *w, const char *path)
{
        if (net.watch_error < 0)
                return net.watch_error;
        *w = PATH_WATCH_INIT;
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        net.watched = true;
        return 0;
}

void path_watch_close(PathWatch *w)
{
        if (w->fd >= 0) {
                close(w->fd);
                net.watched = false;
        }
        *w = PATH_WATCH_INIT;
}

int path_watch_arm(PathWatch *w)
{
        net.n_arms++;
        return 0;
}

int path_watch_read(PathWatch *w)
{
        uint64_t n;

        return read(w->fd, &n, sizeof(n)) == sizeof(n) ? (int) n - 1 : 0;
}

static sd_event *event;
static TimerQueue timers;
static Connector connector;

static void on_connected(Connector *c, int fd)
{
        ck_assert_int_eq(fd, 4711);
        net.n_connected++;
}

static void on_waiting(Connector *c, int error)
{
        net.n_waiting++;
        net.last_error = error;
}

static const ConnectorOps ops = {.connected = on_connected, .waiting = on_waiting};

static void begin(const char *address, int result)
{
        memset(&net, 0, sizeof(net));
        net.result = result;
        fake_reset();
        ck_assert_int_ge(sd_event_new(&event), 0);
        timer_queue_init(&timers, NULL);
        ck_assert_int_ge(connector_init(&connector, event, &timers, address, &ops), 0);
        connector_seek(&connector);
}

static void end(void)
{
        connector_done(&connector);
        ck_assert(!net.watched);
        ck_assert_uint_eq(timer_queue_next(&timers), USEC_INFINITY);
        event = sd_event_unref(event);
}

/* How long until its next try by itself; USEC_INFINITY: none. */
static usec_t pause_of(void)
{
        usec_t next = timer_queue_next(&timers);

        return next == USEC_INFINITY ? next : next - clock_monotonic();
}

static void pass(usec_t usec)
{
        fake_clock_advance(usec);
        timer_queue_run(&timers, clock_monotonic());
}

/* n - 1 is what path_watch_read() says then. */
static void watch_tells(uint64_t n)
{
        ck_assert_int_eq(write(connector.watch.fd, &n, sizeof(n)), sizeof(n));
        ck_assert_int_ge(sd_event_run(event, 0), 0);
}

START_TEST(somebody_is_there)
{
        begin("unix:path=/x", 0);
        ck_assert_uint_eq(net.n_connected, 1);
        ck_assert_uint_eq(net.n_waiting, 0);
        ck_assert(!net.watched);
        end();
}
END_TEST

START_TEST(nobody_is_there)
{
        begin("unix:path=/x", -ENOENT);
        ck_assert_uint_eq(pause_of(), USEC_INFINITY); /* nothing wakes up by itself */
        ck_assert_int_eq(net.last_error, -ENOENT);
        watch_tells(1); /* of something else */
        ck_assert_uint_eq(net.n_tries, 1);
        watch_tells(2); /* a folder on the way */
        ck_assert_uint_eq(net.n_tries, 2);
        ck_assert_uint_eq(net.n_arms, 2);
        ck_assert_uint_eq(net.n_waiting, 1); /* said once */
        net.result = 0;
        watch_tells(2);
        ck_assert_uint_eq(net.n_connected, 1);
        ck_assert(!net.watched);
        net.result = -ENOENT;
        connector_seek(&connector);
        ck_assert_uint_eq(net.n_waiting, 2); /* and once after each connection */
        end();
}
END_TEST

START_TEST(a_dead_socket)
{
        usec_t expected = CONNECTOR_PAUSE_FIRST;

        begin("unix:path=/x", -ECONNREFUSED);
        for (unsigned n = 1; pause_of() != USEC_INFINITY; n++) {
                ck_assert_uint_eq(net.n_tries, n);
                ck_assert_uint_eq(pause_of(), expected);
                pass(expected);
                expected = MIN(expected * 2, CONNECTOR_PAUSE_MAX);
        }
        ck_assert_uint_eq(net.n_tries, 8);
        ck_assert_uint_eq(expected, CONNECTOR_PAUSE_MAX);
        ck_assert(net.watched);
        watch_tells(2); /* a new one, bound and not listening yet */
        ck_assert_uint_eq(pause_of(), CONNECTOR_PAUSE_FIRST);
        net.result = 0;
        pass(CONNECTOR_PAUSE_FIRST);
        ck_assert_uint_eq(net.n_connected, 1);
        end();
}
END_TEST

/* Where the kernel gives no sign of change it is looked for, at the longest pause. */
START_TEST(no_sign_will_come)
{
        static const struct {
                const char *address;
                int result, watch_error;
        } cases[] = {
                        {"unix:path=/x", -EAGAIN, 0},
                        {"unix:abstract=x", -ECONNREFUSED, 0},
                        {"unix:path=/x", -ENOENT, -EMFILE},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                begin(cases[i].address, cases[i].result);
                net.watch_error = cases[i].watch_error;
                connector_done(&connector);
                ck_assert_int_ge(connector_init(&connector, event, &timers, cases[i].address, &ops), 0);
                connector_seek(&connector);
                for (unsigned n = 0; n < 20; n++)
                        pass(CONNECTOR_PAUSE_MAX);
                ck_assert_uint_eq(pause_of(), CONNECTOR_PAUSE_MAX);
                ck_assert_uint_ge(net.n_tries, 20);
                net.result = 0;
                pass(CONNECTOR_PAUSE_MAX);
                ck_assert_uint_eq(net.n_connected, 1);
                ck_assert_uint_eq(pause_of(), USEC_INFINITY);
                end();
        }
}
END_TEST

/* It lets us in and throws us out: each time a little later. */
START_TEST(connections_that_do_not_last)
{
        begin("unix:path=/x", 0);
        for (usec_t expected = CONNECTOR_PAUSE_FIRST; expected < CONNECTOR_PAUSE_MAX; expected *= 2) {
                unsigned n = net.n_connected;

                connector_seek_later(&connector);
                ck_assert_uint_eq(pause_of(), expected);
                pass(expected - 1);
                ck_assert_uint_eq(net.n_connected, n);
                pass(1);
                ck_assert_uint_eq(net.n_connected, n + 1);
        }
        connector_seek_later(&connector);
        watch_tells(2); /* a new socket is not made to wait */
        ck_assert_uint_eq(pause_of(), USEC_INFINITY);
        connector_seek(&connector);
        connector_seek_later(&connector);
        ck_assert_uint_eq(pause_of(), CONNECTOR_PAUSE_FIRST);
        end();
}
END_TEST

TEST_MAIN("connector", somebody_is_there, nobody_is_there, a_dead_socket, no_sign_will_come,
          connections_that_do_not_last)
