/* The timer queue against a plain array that is searched from one end to the other, and the rules for who
 * arms and disarms while it runs. */

#include "core/timer.h"

#include <stdio.h>
#include <stdlib.h>

#include "test-main.h"

typedef struct Alarm Alarm;
struct Alarm {
        Timer timer;
        char name;
        TimerQueue *queue;
        Alarm *other; /* what the callback does something with */
        usec_t again;
};

static char called[64]; /* names, in the order of the calls */
static usec_t called_at;

static void write_down(Timer *t, usec_t now)
{
        size_t n = strlen(called);

        ck_assert_uint_lt(n + 1, sizeof(called));
        ck_assert(!timer_is_armed(t));
        called[n] = container_of(t, Alarm, timer)->name;
        called[n + 1] = '\0';
        called_at = now;
}

static void init(TimerQueue *q, Alarm *alarms, size_t n)
{
        called[0] = '\0';
        timer_queue_init(q, NULL);
        for (size_t i = 0; i < n; i++) {
                alarms[i] = (Alarm){.name = (char) ('a' + i), .queue = q};
                timer_init(&alarms[i].timer, write_down);
                ck_assert(!timer_is_armed(&alarms[i].timer));
        }
}

static void check_called(const char *expected)
{
        ck_assert_str_eq(called, expected);
        called[0] = '\0';
}

START_TEST(nothing_armed)
{
        TimerQueue q;
        Alarm a[1];

        init(&q, a, 1);
        ck_assert_uint_eq(timer_queue_next(&q), USEC_INFINITY);
        timer_disarm(&q, &a[0].timer);
        timer_arm(&q, &a[0].timer, USEC_INFINITY);
        ck_assert(!timer_is_armed(&a[0].timer));
        timer_queue_run(&q, USEC_INFINITY - 1);
        check_called("");
}
END_TEST

START_TEST(earliest_first)
{
        const usec_t deadlines[] = {50, 10, 40, 20, 30};
        TimerQueue q;
        Alarm a[5];

        init(&q, a, 5);
        for (size_t i = 0; i < 5; i++)
                timer_arm(&q, &a[i].timer, deadlines[i]);
        ck_assert_uint_eq(timer_queue_next(&q), 10);
        timer_queue_run(&q, 9);
        check_called("");
        timer_queue_run(&q, 10); /* due at its deadline, not after it */
        check_called("b");
        ck_assert_uint_eq(called_at, 10);
        timer_queue_run(&q, 49);
        check_called("dec");
        ck_assert_uint_eq(called_at, 49);
        ck_assert_uint_eq(timer_queue_next(&q), 50);
        timer_queue_run(&q, 1000);
        check_called("a");
        ck_assert_uint_eq(timer_queue_next(&q), USEC_INFINITY);
}
END_TEST

START_TEST(armed_again_and_disarmed)
{
        TimerQueue q;
        Alarm a[4];

        init(&q, a, 4);
        for (size_t i = 0; i < 4; i++)
                timer_arm(&q, &a[i].timer, 100 + i);
        timer_arm(&q, &a[0].timer, 200); /* later than it was */
        timer_arm(&q, &a[3].timer, 50);  /* earlier */
        timer_disarm(&q, &a[1].timer);   /* from the middle */
        ck_assert(!timer_is_armed(&a[1].timer));
        timer_disarm(&q, &a[1].timer);
        timer_queue_run(&q, 150);
        check_called("dc");
        timer_arm(&q, &a[0].timer, USEC_INFINITY);
        ck_assert_uint_eq(timer_queue_next(&q), USEC_INFINITY);
        timer_queue_run(&q, 1000);
        check_called("");
}
END_TEST

static void arm_again(Timer *t, usec_t now)
{
        Alarm *a = container_of(t, Alarm, timer);

        write_down(t, now);
        timer_arm(a->queue, &a->other->timer, a->again);
}

START_TEST(armed_meanwhile_waits_for_the_next_run)
{
        TimerQueue q;
        Alarm a[3];

        init(&q, a, 3);
        a[0].timer.callback = a[1].timer.callback = arm_again;
        a[0].other = &a[0]; /* itself, for a time long past */
        a[0].again = 1;
        a[1].other = &a[2]; /* another, which was not armed, for now */
        a[1].again = 100;
        timer_arm(&q, &a[0].timer, 10);
        timer_arm(&q, &a[1].timer, 20);

        timer_queue_run(&q, 100);
        check_called("ab");
        ck_assert_uint_eq(timer_queue_next(&q), 101);
        timer_queue_run(&q, 100);
        check_called("");
        timer_queue_run(&q, 101);
        ck_assert_uint_eq(strlen(called), 2); /* a again, and c: both at 101 */
        ck_assert(strchr(called, 'a') && strchr(called, 'c'));
        /* The floor is for the run alone. */
        timer_arm(&q, &a[2].timer, 5);
        ck_assert_uint_eq(timer_queue_next(&q), 5);
}
END_TEST

START_TEST(one_that_was_due_is_put_off_by_another)
{
        TimerQueue q;
        Alarm a[2];

        init(&q, a, 2);
        a[0].timer.callback = arm_again;
        a[0].other = &a[1];
        a[0].again = 500;
        timer_arm(&q, &a[0].timer, 10);
        timer_arm(&q, &a[1].timer, 11);
        timer_queue_run(&q, 20);
        check_called("a");
        ck_assert_uint_eq(timer_queue_next(&q), 500);

        /* And disarmed by it. */
        a[0].again = USEC_INFINITY;
        timer_arm(&q, &a[0].timer, 500);
        timer_queue_run(&q, 1000);
        ck_assert_uint_eq(strlen(called), 1 + (called[0] == 'b')); /* which of the two went first is open */
        ck_assert(!timer_is_armed(&a[1].timer));
}
END_TEST

static void free_owner(Timer *t, usec_t now)
{
        Alarm *a = container_of(t, Alarm, timer), *other = a->other;

        write_down(t, now);
        if (other) {
                timer_disarm(a->queue, &other->timer);
                free(other);
        }
        free(a);
}

START_TEST(owners_may_go_in_the_callback)
{
        Alarm *a = calloc(1, sizeof(Alarm)), *b = calloc(1, sizeof(Alarm));
        TimerQueue q;

        init(&q, a, 1);
        *b = *a;
        a->timer.callback = free_owner;
        a->other = b;
        timer_arm(&q, &a->timer, 10);
        timer_arm(&q, &b->timer, 10 + 1);
        timer_queue_run(&q, 100);
        check_called("a");
        ck_assert_uint_eq(timer_queue_next(&q), USEC_INFINITY);
}
END_TEST

static unsigned n_changed;

static void on_changed(TimerQueue *q)
{
        n_changed++;
}

START_TEST(a_new_earliest_deadline_is_told)
{
        TimerQueue q;
        Alarm a[3];

        init(&q, a, 3);
        timer_queue_init(&q, on_changed);
        n_changed = 0;
        timer_arm(&q, &a[0].timer, 100);
        ck_assert_uint_eq(n_changed, 1);
        timer_arm(&q, &a[1].timer, 200); /* not the earliest */
        timer_arm(&q, &a[2].timer, 100); /* as early */
        timer_disarm(&q, &a[1].timer);
        timer_disarm(&q, &a[1].timer);
        timer_disarm(&q, &a[0].timer); /* another one is left for that time */
        ck_assert_uint_eq(n_changed, 1);
        timer_arm(&q, &a[0].timer, 99);
        ck_assert_uint_eq(n_changed, 2);
        timer_arm(&q, &a[0].timer, 300);
        ck_assert_uint_eq(n_changed, 3);
        timer_queue_run(&q, 300);
        ck_assert_uint_ge(n_changed, 4); /* however often, the last one is the truth */
        ck_assert_uint_eq(timer_queue_next(&q), USEC_INFINITY);
}
END_TEST

/* The model: N timers, their deadlines in an array. */

#define N 200

static struct {
        TimerQueue queue;
        Timer timers[N];
        usec_t deadlines[N];
        bool running;
        usec_t now, last; /* of the run; the deadline that was called last */
        unsigned n_calls;
} model;

/* As ck_assert(), which writes down each place that it passes: too much for a loop. */
#define must(condition)                                                                                     \
        do                                                                                                  \
                if (!(condition))                                                                           \
                        ck_abort_msg("%s", #condition);                                                     \
        while (0)

static unsigned pick(unsigned n)
{
        static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned) (state >> 33) % n;
}

static usec_t model_next(void)
{
        usec_t next = USEC_INFINITY;

        for (size_t i = 0; i < N; i++)
                next = MIN(next, model.deadlines[i]);
        return next;
}

static void model_arm(size_t i, usec_t deadline)
{
        timer_arm(&model.queue, &model.timers[i], deadline);
        if (model.running && deadline != USEC_INFINITY && deadline <= model.now)
                deadline = model.now + 1;
        model.deadlines[i] = deadline;
}

static void model_callback(Timer *t, usec_t now)
{
        size_t i = (size_t) (t - model.timers);

        must(model.running);
        must(now == model.now);
        must(model.deadlines[i] == model_next()); /* none is earlier */
        must(model.deadlines[i] <= now);
        must(model.deadlines[i] >= model.last);
        model.last = model.deadlines[i];
        model.deadlines[i] = USEC_INFINITY;
        model.n_calls++;
        for (unsigned n = pick(4); n > 0; n--)
                model_arm(pick(N), pick(3) == 0 ? USEC_INFINITY : now - MIN(now, (usec_t) 20) + pick(60));
}

START_TEST(as_an_array_would)
{
        usec_t now = 0;

        timer_queue_init(&model.queue, NULL);
        for (size_t i = 0; i < N; i++) {
                timer_init(&model.timers[i], model_callback);
                model.deadlines[i] = USEC_INFINITY;
        }
        for (unsigned step = 0; step < 20000; step++) {
                size_t i = pick(N);

                switch (pick(8)) {
                case 0: model_arm(i, USEC_INFINITY); break;
                case 1:
                        now += pick(30);
                        model.now = now;
                        model.last = 0;
                        model.running = true;
                        timer_queue_run(&model.queue, now);
                        model.running = false;
                        must(model_next() > now);
                        break;
                default: model_arm(i, now + pick(100)); break;
                }
                must(timer_queue_next(&model.queue) == model_next());
                must(timer_is_armed(&model.timers[i]) == (model.deadlines[i] != USEC_INFINITY));
        }
        ck_assert_uint_gt(model.n_calls, 10000);
}
END_TEST

TEST_MAIN("timer", nothing_armed, earliest_first, armed_again_and_disarmed,
          armed_meanwhile_waits_for_the_next_run, one_that_was_due_is_put_off_by_another,
          owners_may_go_in_the_callback, a_new_earliest_deadline_is_told, as_an_array_would)
