/* The life of a service: every state by every event, and what holds on every way through it. */

#include "core/service-fsm.h"

#include "basic/strv.h"
#include "test-main.h"

typedef struct Step {
        ServiceState state;
        ServiceEvent event;
        ServiceState next;
        unsigned actions;
} Step;

#define STEP(state, event, next, actions)                                                                   \
        {                                                                                                   \
                SERVICE_##state, SERVICE_EVENT_##event, SERVICE_##next, (actions)                           \
        }

/* All that means something; whatever is not here leaves the state, and does nothing. */
static const Step steps[] = {
                /* The way up. */
                STEP(DEAD, START, CONDITION, SERVICE_DO_CHECK),
                STEP(FAILED, START, CONDITION, SERVICE_DO_CHECK),
                STEP(CONDITION, CHECKED, START_PRE, SERVICE_DO_PRE),
                STEP(START_PRE, DONE, START, SERVICE_DO_MAIN),
                STEP(START, READY, START_POST, SERVICE_DO_POST),
                STEP(START_POST, DONE, RUNNING, SERVICE_DO_SETTLE),
                /* A condition that does not hold is no failure; a file that is not there is one. */
                STEP(CONDITION, UNMET, DEAD, SERVICE_DO_FINISH),
                STEP(CONDITION, CHECK_FAILED, OVER, SERVICE_DO_DECIDE),
                /* Nothing of it runs yet: there is nothing to be stopped. */
                STEP(CONDITION, STOP, OVER, SERVICE_DO_DROP_CHECK | SERVICE_DO_DECIDE),
                STEP(CONDITION, KILL, OVER, SERVICE_DO_DROP_CHECK | SERVICE_DO_DECIDE),
                /* What goes wrong on the way up, or is stopped there: without ExecStop=. */
                STEP(START_PRE, COMMAND_FAILED, KILL, SERVICE_DO_END_ALL),
                STEP(START_PRE, STOP, KILL, SERVICE_DO_END_ALL),
                STEP(START, MAIN_EXITED, KILL, SERVICE_DO_END_ALL),
                STEP(START, MAIN_FAILED, KILL, SERVICE_DO_END_ALL),
                STEP(START, TIMEOUT, KILL, SERVICE_DO_MARK_TIMEOUT | SERVICE_DO_END_ALL),
                STEP(START, STOP, KILL, SERVICE_DO_END_ALL),
                STEP(START_POST, COMMAND_FAILED, KILL, SERVICE_DO_END_ALL),
                STEP(START_POST, MAIN_FAILED, KILL, SERVICE_DO_END_ALL),
                STEP(START_POST, STOP, KILL, SERVICE_DO_END_ALL),
                /* It is up. RemainAfterExit= is looked at by the loop below. */
                STEP(RUNNING, MAIN_EXITED, STOP, SERVICE_DO_STOP),
                STEP(RUNNING, MAIN_FAILED, STOP, SERVICE_DO_STOP),
                STEP(RUNNING, STOP, STOP, SERVICE_DO_STOP),
                STEP(RUNNING, RELOAD, RELOAD, SERVICE_DO_RELOAD),
                STEP(EXITED, STOP, STOP, SERVICE_DO_STOP),
                STEP(EXITED, RELOAD, RELOAD, SERVICE_DO_RELOAD),
                STEP(RELOAD, DONE, RUNNING, SERVICE_DO_SETTLE),
                STEP(RELOAD, COMMAND_FAILED, RUNNING, SERVICE_DO_SETTLE),
                STEP(RELOAD, STOP, STOP, SERVICE_DO_STOP),
                /* The way down. */
                STEP(STOP, DONE, KILL, SERVICE_DO_END_ALL),
                STEP(STOP, COMMAND_FAILED, KILL, SERVICE_DO_END_ALL),
                STEP(KILL, GONE, STOP_POST, SERVICE_DO_STOP_POST),
                STEP(STOP_POST, DONE, OVER, SERVICE_DO_DECIDE),
                STEP(STOP_POST, COMMAND_FAILED, OVER, SERVICE_DO_DECIDE),
                /* At once, from wherever something may run. */
                STEP(START_PRE, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(START, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(START_POST, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(RUNNING, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(EXITED, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(RELOAD, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(STOP, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(KILL, KILL, KILL, SERVICE_DO_KILL_ALL),
                STEP(STOP_POST, KILL, STOP_POST, SERVICE_DO_KILL_ALL),
                /* And what follows. */
                STEP(OVER, AGAIN, PAUSE, SERVICE_DO_PAUSE),
                STEP(OVER, OVER_OK, DEAD, SERVICE_DO_FINISH),
                STEP(OVER, OVER_FAILED, FAILED, SERVICE_DO_FINISH),
                STEP(PAUSE, PAUSE_OVER, CONDITION, SERVICE_DO_CHECK),
                STEP(PAUSE, START, CONDITION, SERVICE_DO_CHECK),
                STEP(PAUSE, STOP, OVER, SERVICE_DO_DECIDE),
                STEP(PAUSE, KILL, OVER, SERVICE_DO_DECIDE),
};

static Step expected(ServiceState state, ServiceEvent event, bool remain)
{
        if (remain && state == SERVICE_RUNNING && event == SERVICE_EVENT_MAIN_EXITED)
                return (Step){state, event, SERVICE_EXITED, 0};
        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                if (steps[i].state == state && steps[i].event == event)
                        return steps[i];
        return (Step){state, event, state, 0};
}

START_TEST(every_state_by_every_event)
{
        for (unsigned remain = 0; remain < 2; remain++)
                for (ServiceState s = 0; s < _SERVICE_STATE_MAX; s++)
                        for (ServiceEvent e = 0; e < _SERVICE_EVENT_MAX; e++) {
                                Step step = expected(s, e, remain);
                                unsigned actions = ~0U;
                                ServiceState next = service_fsm_step(s, e, remain, &actions);

                                ck_assert_msg(next == step.next && actions == step.actions,
                                              "state %d, event %d, remain %u: state %d, actions %x", (int) s,
                                              (int) e, remain, (int) next, actions);
                        }
}
END_TEST

START_TEST(words_of_the_contract)
{
        static const char *const words[] = {
                        [SERVICE_DEAD] = "inactive",          [SERVICE_CONDITION] = "activating",
                        [SERVICE_START_PRE] = "activating",   [SERVICE_START] = "activating",
                        [SERVICE_START_POST] = "activating",  [SERVICE_RUNNING] = "active",
                        [SERVICE_EXITED] = "active",          [SERVICE_RELOAD] = "active",
                        [SERVICE_STOP] = "deactivating",      [SERVICE_KILL] = "deactivating",
                        [SERVICE_STOP_POST] = "deactivating", [SERVICE_OVER] = "deactivating",
                        [SERVICE_PAUSE] = "activating",       [SERVICE_FAILED] = "failed",
        };

        ck_assert_uint_eq(ELEMENTSOF(words), _SERVICE_STATE_MAX);
        for (ServiceState s = 0; s < _SERVICE_STATE_MAX; s++)
                ck_assert_str_eq(service_state_to_string(s), words[s]);
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

/* What may be alive is known from the actions alone, and nobody may come to rest with it. */
static void check_step(ServiceState s, ServiceEvent e, ServiceState next, unsigned actions, bool *lives,
                       bool *stopped)
{
        must(next != s || actions == 0 || (actions == SERVICE_DO_KILL_ALL && e == SERVICE_EVENT_KILL));
        must(next == s || actions != 0 || next == SERVICE_EXITED);
        if (actions & (SERVICE_DO_PRE | SERVICE_DO_MAIN | SERVICE_DO_POST | SERVICE_DO_STOP))
                *lives = true;
        if (e == SERVICE_EVENT_GONE && s == SERVICE_KILL)
                *lives = false;
        if (actions & SERVICE_DO_CHECK) {
                must(!*lives);
                *stopped = false;
        }
        if (actions & SERVICE_DO_STOP) {
                must(!*stopped); /* ExecStop= runs once a life, of what was up */
                must(s == SERVICE_RUNNING || s == SERVICE_EXITED || s == SERVICE_RELOAD);
                *stopped = true;
        }
        if (actions & (SERVICE_DO_DECIDE | SERVICE_DO_FINISH | SERVICE_DO_PAUSE))
                must(!*lives);
        if (actions & SERVICE_DO_DECIDE)
                must(next == SERVICE_OVER);
        if (actions & SERVICE_DO_DROP_CHECK)
                must(s == SERVICE_CONDITION);
        if (s != SERVICE_CONDITION && next == SERVICE_DEAD && s != next)
                must(e == SERVICE_EVENT_OVER_OK);
}

START_TEST(random_lives)
{
        for (unsigned n = 0; n < 5000; n++) {
                ServiceState s = SERVICE_DEAD;
                bool lives = false, stopped = false, remain = n % 2;

                for (unsigned i = 0; i < 200; i++) {
                        ServiceEvent e = pick(_SERVICE_EVENT_MAX);
                        unsigned actions;
                        ServiceState next = service_fsm_step(s, e, remain, &actions);

                        check_step(s, e, next, actions, &lives, &stopped);
                        s = next;
                }
        }
}
END_TEST

/* From each state an order to stop, and then nothing but good news, leads to rest; KILL likewise. */
START_TEST(all_can_be_stopped)
{
        static const ServiceEvent news[] = {SERVICE_EVENT_DONE, SERVICE_EVENT_GONE, SERVICE_EVENT_OVER_OK};

        for (ServiceState from = 0; from < _SERVICE_STATE_MAX; from++)
                for (unsigned kill = 0; kill < 2; kill++) {
                        unsigned actions;
                        ServiceState s = service_fsm_step(from,
                                                          kill ? SERVICE_EVENT_KILL : SERVICE_EVENT_STOP,
                                                          true, &actions);

                        for (unsigned i = 0; i < 12; i++)
                                s = service_fsm_step(s, news[i % 3], true, &actions);
                        ck_assert_msg(s == SERVICE_DEAD || (from == SERVICE_FAILED && s == from),
                                      "from %d: %d", (int) from, (int) s);
                }
}
END_TEST

TEST_MAIN("service-fsm", every_state_by_every_event, words_of_the_contract, random_lives, all_can_be_stopped)
