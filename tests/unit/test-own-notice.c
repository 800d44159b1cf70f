/* What reeve tells of itself, and that it never minds who does not listen. */

#include "core/own-notice.h"

#include <errno.h>

#include "basic/alloc.h"
#include "fake-sys.h"
#include "test-main.h"

static TimerQueue timers;
static OwnNotice n;

static void begin(const char *address)
{
        fake_reset();
        timer_queue_init(&timers, NULL);
        ck_assert_int_eq(own_notice_init(&n, &timers, address), 0);
}

static void end(void)
{
        own_notice_done(&n);
        own_notice_done(&n);
        ck_assert_uint_eq(timer_queue_next(&timers), USEC_INFINITY);
        fake_done();
}

static void pass(usec_t usec)
{
        fake_clock_advance(usec);
        timer_queue_run(&timers, fake.monotonic);
}

START_TEST(nobody_wants_to_know)
{
        for (unsigned i = 0; i < 2; i++) {
                begin(i == 0 ? NULL : "");
                own_notice_ready(&n);
                own_notice_stopping(&n);
                own_notice_exit(&n, 3);
                ck_assert_str_eq(fake_told(), "");
                end();
        }
}
END_TEST

START_TEST(a_life)
{
        begin("@there");
        own_notice_ready(&n);
        own_notice_stopping(&n);
        own_notice_exit(&n, 143);
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|STOPPING=1\nSTATUS=Stopping|EXIT_STATUS=143|");
        end();
}
END_TEST

START_TEST(no_room_now)
{
        begin("@there");
        fake.notify_send_error = -EAGAIN;
        own_notice_ready(&n);
        for (unsigned i = 0; i < 100; i++)
                pass(USEC_PER_SEC);
        ck_assert_str_eq(fake_told(), "");
        fake.notify_send_error = 0;
        pass(USEC_PER_SEC);
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|");
        pass(USEC_PER_SEC);
        ck_assert_str_eq(fake_told(), "READY=1\nSTATUS=Up|");

        fake.notify_send_error = -EAGAIN;
        own_notice_stopping(&n);
        own_notice_exit(&n, 0); /* lost: there is no later */
        ck_assert_uint_eq(timer_queue_next(&timers), USEC_INFINITY);
        end();

        /* What is so later is said in its place. */
        begin("@there");
        fake.notify_send_error = -EAGAIN;
        own_notice_ready(&n);
        fake.notify_send_error = 0;
        own_notice_stopping(&n);
        ck_assert_str_eq(fake_told(), "");
        pass(USEC_PER_SEC);
        ck_assert_str_eq(fake_told(), "STOPPING=1\nSTATUS=Stopping|");
        end();
}
END_TEST

START_TEST(nobody_listens)
{
        begin("/gone");
        fake.notify_send_error = -ECONNREFUSED;
        own_notice_ready(&n);
        ck_assert_uint_eq(timer_queue_next(&timers), USEC_INFINITY);
        fake.notify_send_error = 0; /* the next thing is tried all the same */
        own_notice_stopping(&n);
        ck_assert_str_eq(fake_told(), "STOPPING=1\nSTATUS=Stopping|");
        end();
}
END_TEST

START_TEST(no_memory)
{
        fake_reset();
        timer_queue_init(&timers, NULL);
        alloc_fault_set(1, 1);
        ck_assert_int_eq(own_notice_init(&n, &timers, "@there"), -ENOMEM);
        alloc_fault_set(0, 0);
        end();
}
END_TEST

TEST_MAIN("own-notice", nobody_wants_to_know, a_life, no_room_now, nobody_listens, no_memory)
