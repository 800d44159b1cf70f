/* The main job's output on its way: held up while it is not taken, whole when it is, counted when it cannot
 * be. The process that writes is the test. */

#include "core/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "basic/fd.h"
#include "core/capture.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "sys/stdio.h"
#include "test-main.h"

static World w;
static CaptureHost host;
static Ring *ring;
static Capture capture;
static int writer;
static unsigned n_drained;
static char block[64 * 1024];

static void on_progress(Capture *c, bool drained)
{
        n_drained += drained;
}

static void begin(void)
{
        Relay *relay;
        int out[2];

        signal(SIGPIPE, SIG_IGN); /* as in reeve */
        world_init(&w);
        n_drained = 0;
        host = w.jobs.capture_host;
        host.progress = on_progress;
        ck_assert_int_eq(ring_new(&w.store, 16 * 1024, &ring), 0); /* far less than what comes */
        capture_init(&capture, &host, ring);
        ck_assert_int_eq(stdio_output_pipe(out), 0);
        ck_assert_int_eq(relay_new(w.event, STDOUT_FILENO, "stdout", &relay), 0);
        capture_set_relay(&capture, 0, relay);
        writer = out[1];
        ck_assert_int_eq(fcntl(writer, F_SETFL, O_WRONLY | O_NONBLOCK), 0);
        ck_assert_int_eq(capture_start(&capture, (int[2]){out[0], -EBADF}), 0);
}

static void end(void)
{
        fd_close(writer);
        capture_done(&capture);
        fake.tee_fds[0] = fd_close(fake.tee_fds[0]);
        ring_free(ring);
        world_done(&w);
}

/* Writes until nobody takes any more; each byte tells its place. How much that was. */
static uint64_t write_all(uint64_t from)
{
        for (uint64_t n = from;;) {
                ssize_t k;

                for (size_t i = 0; i < sizeof(block); i++)
                        block[i] = (char) ((n + i) % 251);
                k = write(writer, block, sizeof(block));
                if (k < 0) {
                        uint64_t before = n;

                        world_settle(&w);
                        k = write(writer, block, sizeof(block));
                        if (k < 0)
                                return before;
                }
                n += (uint64_t) k;
        }
}

/* What the process takes now, in order. How much that was. */
static uint64_t take_all(uint64_t from)
{
        char got[4096];
        size_t k;

        while ((k = fake_tee_take(0, got, sizeof(got))) > 0) {
                for (size_t i = 0; i < k; i++)
                        if (got[i] != (char) ((from + i) % 251))
                                ck_abort_msg("byte %llu is another", (unsigned long long) (from + i));
                from += k;
        }
        world_settle(&w);
        return from;
}

START_TEST(nothing_is_lost_to_a_slow_reader)
{
        uint64_t written = 0, taken = 0, held;

        begin();
        written = held = write_all(0);
        ck_assert_uint_gt(written, 64 * 1024);
        ck_assert_uint_eq(write_all(written),
                          written); /* nobody takes more, ever so often */
        for (unsigned n = 0; n < 20; n++) {
                taken = take_all(taken);
                written = write_all(written);
        }
        ck_assert_uint_gt(written, held);
        writer = fd_close(writer);
        while (taken < written) {
                uint64_t before = taken;

                taken = take_all(taken);
                ck_assert_uint_gt(taken, before);
        }
        ck_assert_uint_eq(taken, written);
        ck_assert_uint_eq(n_drained, 1);
        ck_assert(!capture_is_open(&capture));
        end();
}
END_TEST

/* The last who could write is gone, and a stranger holds the pipe: what is in it is taken, then it is over.
 */
START_TEST(closing_takes_what_is_there)
{
        uint64_t written, taken = 0;

        begin();
        written = write_all(0);
        ck_assert(!capture_close(&capture));
        for (unsigned n = 0; n < 100 && n_drained == 0; n++)
                taken = take_all(taken);
        ck_assert_uint_eq(taken, written);
        ck_assert_uint_eq(n_drained, 1);
        ck_assert_int_lt(write(writer, "x", 1), 0);
        end();
}
END_TEST

START_TEST(a_reader_that_has_gone)
{
        begin();
        (void) write_all(0);
        fake_tee_end(0, EPIPE);
        world_settle(&w);
        ck_assert_uint_eq(n_drained, 1);
        ck_assert(!capture_is_open(&capture));
        ck_assert_int_lt(write(writer, "x", 1), 0);
        ck_assert_int_eq(errno, EPIPE); /* as if nobody were in between */
        end();
}
END_TEST

START_TEST(it_ends_in_the_middle)
{
        begin();
        (void) write_all(0);
        end(); /* nothing of it stays: world_done() counts */
}
END_TEST

TEST_MAIN("relay", nothing_is_lost_to_a_slow_reader, closing_takes_what_is_there, a_reader_that_has_gone,
          it_ends_in_the_middle)
