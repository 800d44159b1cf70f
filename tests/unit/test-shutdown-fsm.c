/* How reeve goes: every state by every event, and that it cannot take longer than it may. */

#include "core/shutdown-fsm.h"

#include "test-main.h"

static const char *const state_names[] = {"RUNNING", "STOPPING", "OVERDUE",
                                           "KILLING", "LEAVING", "REAPING", "FLUSHING", "DONE"};

static const struct {
        ShutdownState next;
        unsigned actions;
} expected[_SHUTDOWN_STATE_MAX][_SHUTDOWN_EVENT_MAX] = {
                /* an order, jobs gone, children gone, flushed, time over */
                [SHUTDOWN_RUNNING] = {{SHUTDOWN_STOPPING, SHUTDOWN_DO_CLOSE | SHUTDOWN_DO_STOP_JOBS},
                                      {SHUTDOWN_RUNNING, 0},
                                      {SHUTDOWN_RUNNING, 0},
                                      {SHUTDOWN_RUNNING, 0},
                                      {SHUTDOWN_RUNNING, 0}},
                [SHUTDOWN_STOPPING] = {{SHUTDOWN_KILLING, SHUTDOWN_DO_KILL_JOBS},
                                       {SHUTDOWN_LEAVING, SHUTDOWN_DO_TELL_REST},
                                       {SHUTDOWN_STOPPING, 0},
                                       {SHUTDOWN_STOPPING, 0},
                                       {SHUTDOWN_OVERDUE, SHUTDOWN_DO_KILL_JOBS}},
                [SHUTDOWN_OVERDUE] = {{SHUTDOWN_KILLING, SHUTDOWN_DO_KILL_JOBS},
                                      {SHUTDOWN_LEAVING, SHUTDOWN_DO_TELL_REST},
                                      {SHUTDOWN_OVERDUE, 0},
                                      {SHUTDOWN_OVERDUE, 0},
                                      {SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST}},
                [SHUTDOWN_LEAVING] = {{SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST},
                                      {SHUTDOWN_LEAVING, 0},
                                      {SHUTDOWN_FLUSHING, SHUTDOWN_DO_FLUSH},
                                      {SHUTDOWN_LEAVING, 0},
                                      {SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST}},
                [SHUTDOWN_KILLING] = {{SHUTDOWN_KILLING, 0},
                                      {SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST},
                                      {SHUTDOWN_KILLING, 0},
                                      {SHUTDOWN_KILLING, 0},
                                      {SHUTDOWN_REAPING, SHUTDOWN_DO_KILL_REST}},
                [SHUTDOWN_REAPING] = {{SHUTDOWN_REAPING, 0},
                                      {SHUTDOWN_REAPING, 0},
                                      {SHUTDOWN_FLUSHING, SHUTDOWN_DO_FLUSH},
                                      {SHUTDOWN_REAPING, 0},
                                      {SHUTDOWN_FLUSHING, SHUTDOWN_DO_FLUSH}},
                [SHUTDOWN_FLUSHING] = {{SHUTDOWN_FLUSHING, 0},
                                       {SHUTDOWN_FLUSHING, 0},
                                       {SHUTDOWN_FLUSHING, 0},
                                       {SHUTDOWN_DONE, SHUTDOWN_DO_EXIT},
                                       {SHUTDOWN_DONE, SHUTDOWN_DO_EXIT}},
                [SHUTDOWN_DONE] = {{SHUTDOWN_DONE, 0},
                                   {SHUTDOWN_DONE, 0},
                                   {SHUTDOWN_DONE, 0},
                                   {SHUTDOWN_DONE, 0},
                                   {SHUTDOWN_DONE, 0}},
};

START_TEST(every_state_by_every_event)
{
        for (ShutdownState s = 0; s < _SHUTDOWN_STATE_MAX; s++)
                for (ShutdownEvent e = 0; e < _SHUTDOWN_EVENT_MAX; e++) {
                        unsigned actions = ~0U;
                        ShutdownState next = shutdown_fsm_step(s, e, &actions);

                        ck_assert_msg(next == expected[s][e].next && actions == expected[s][e].actions,
                                      "%s, event %d: %s, actions %x", state_names[s], (int) e,
                                      state_names[next], actions);
                }
}
END_TEST

/* The longest way: each state for all of its time; the rest is told until a moment that counts since the
 * order. */
static uint64_t sum_of_times(uint64_t limit)
{
        uint64_t asking = shutdown_fsm_time(SHUTDOWN_STOPPING, limit) +
                          shutdown_fsm_time(SHUTDOWN_OVERDUE, limit),
                 leaving = shutdown_fsm_time(SHUTDOWN_LEAVING, limit);

        for (ShutdownState s = SHUTDOWN_STOPPING; s <= SHUTDOWN_FLUSHING; s++)
                ck_assert_uint_le(shutdown_fsm_time(s, limit), limit);
        ck_assert_uint_le(asking, leaving);
        ck_assert_uint_eq(shutdown_fsm_time(SHUTDOWN_KILLING, limit),
                          shutdown_fsm_time(SHUTDOWN_OVERDUE, limit));
        return leaving + shutdown_fsm_time(SHUTDOWN_REAPING, limit) +
               shutdown_fsm_time(SHUTDOWN_FLUSHING, limit);
}

START_TEST(all_times_are_within_the_limit)
{
        static const uint64_t limits[] = {
                        0, 1, 7, 8, 15, 16, 17, 1000, 8000000, 3600000000, UINT64_MAX - 1, UINT64_MAX};

        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
                ck_assert_uint_le(sum_of_times(limits[i]), limits[i]);
        for (uint64_t limit = 0; limit < 1000; limit++)
                ck_assert_uint_le(sum_of_times(limit), limit);
        /* And nothing of it is given away. */
        ck_assert_uint_eq(sum_of_times(8000000), 8000000);
        ck_assert_uint_eq(shutdown_fsm_time(SHUTDOWN_STOPPING, 8000000), 6000000);
        ck_assert_uint_eq(shutdown_fsm_time(SHUTDOWN_KILLING, 8000000), 1000000);
        /* Where nothing is to be over there is no time. */
        ck_assert_uint_eq(shutdown_fsm_time(SHUTDOWN_RUNNING, 8000000), UINT64_MAX);
        ck_assert_uint_eq(shutdown_fsm_time(SHUTDOWN_DONE, 8000000), UINT64_MAX);
}
END_TEST

START_TEST(time_alone_ends_it)
{
        static const ShutdownState way[] = {SHUTDOWN_OVERDUE, SHUTDOWN_REAPING, SHUTDOWN_FLUSHING,
                                            SHUTDOWN_DONE};
        unsigned actions;
        ShutdownState s = shutdown_fsm_step(SHUTDOWN_RUNNING, SHUTDOWN_EVENT_ORDER, &actions);

        for (size_t i = 0; i < 4; i++) {
                s = shutdown_fsm_step(s, SHUTDOWN_EVENT_TIMEOUT, &actions);
                ck_assert_int_eq(s, way[i]);
        }
        ck_assert_uint_eq(actions, SHUTDOWN_DO_EXIT);
}
END_TEST

/* As ck_assert(), which writes down each place that it passes: too much for a loop. */
#define must(condition)                                                                                     \
        do                                                                                                  \
                if (!(condition))                                                                           \
                        ck_abort_msg("%s", #condition);                                                     \
        while (0)

static unsigned pick(unsigned n)
{
        static uint64_t state = UINT64_C(0x853c49e6748fea9b);

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned) (state >> 33) % n;
}

START_TEST(random_ends)
{
        for (unsigned n = 0; n < 5000; n++) {
                unsigned counts[7] = {0}, actions;
                ShutdownState s = SHUTDOWN_RUNNING;

                for (unsigned i = 0; i < 200; i++) {
                        ShutdownEvent e = pick(_SHUTDOWN_EVENT_MAX);
                        ShutdownState next = shutdown_fsm_step(s, e, &actions);

                        /* There is no way back. */
                        must(next >= s);
                        must(next != s || actions == 0);
                        must(s != SHUTDOWN_RUNNING || e == SHUTDOWN_EVENT_ORDER || next == s);
                        for (unsigned k = 0; k < 7; k++)
                                counts[k] += (actions >> k) & 1;
                        s = next;
                }
                must(s == SHUTDOWN_DONE);
                /* KILL_JOBS may come once more, from who does not want to wait. */
                for (unsigned k = 0; k < 7; k++)
                        must(counts[k] <= (k == 2 ? 2 : 1));
                must(counts[0] == 1); /* CLOSE, STOP_JOBS, KILL_REST or TELL_REST, FLUSH, EXIT */
                must(counts[1] == 1);
                must(counts[3] + counts[4] >= 1);
                must(counts[5] + counts[6] == 2);
        }
}
END_TEST

TEST_MAIN("shutdown-fsm", every_state_by_every_event, all_times_are_within_the_limit, time_alone_ends_it,
          random_ends)
