/* The table of a job's life, read once more from its header: every state by every event, with each
 * configuration and each combination of what is still there. */

#include "core/job-fsm.h"

#include "test-main.h"

#define ANNOUNCE JOB_DO_ANNOUNCE
#define TIMEOUT JOB_DO_MARK_TIMEOUT
#define RECORD JOB_DO_RECORD_EXIT
#define ASK (JOB_DO_SIGNAL | JOB_DO_ARM_STOP)
#define KILL JOB_DO_KILL
#define CLOSE JOB_DO_CLOSE_OUTPUT
#define FINISH (JOB_DO_END_RUN | JOB_DO_FINISH)
#define DISCARD JOB_DO_DISCARD

/* What is there: leader, processes, output. */
enum {
        L = 1,
        P = 2,
        O = 4,
        LPO = L | P | O,
};

static const JobFsmConfig plain = {0}, mixed = {.mixed = true}, on_exit_ = {.kill_on_exit = true},
                          both = {.mixed = true, .kill_on_exit = true};

static JobFsm make(JobState state, unsigned facts)
{
        return (JobFsm){
                        .state = state,
                        .leader = (facts & L) != 0,
                        .processes = (facts & P) != 0,
                        .output = (facts & O) != 0,
        };
}

static unsigned facts_of(const JobFsm *f)
{
        return (f->leader ? L : 0U) | (f->processes ? P : 0U) | (f->output ? O : 0U);
}

/* Whether a job can be like that: the leader is a process; when all is gone it is over. */
static bool is_possible(JobState state, unsigned facts)
{
        if ((facts & L) && !(facts & P))
                return false;
        switch (state) {
        case JOB_STARTING:
        case JOB_RUNNING:
        case JOB_FAILED: return facts & L;
        case JOB_EXITED: return !(facts & L) && facts != 0;
        case JOB_RESTING: /* only who is held: looked at by itself */
        case JOB_FINISHED: return facts == 0;
        default: return facts != 0;
        }
}

static const char *state_names[] = {"STARTING", "RUNNING", "EXITED",   "STOPPING",
                                    "KILLING",  "RESTING", "FINISHED", "FAILED"};
static const char *event_names[] = {
#define X(id) #id,
                JOB_EVENTS(X)
#undef X
};

static void check_step(JobState state, unsigned facts, const JobFsmConfig *config, JobEvent event,
                       JobState next, unsigned facts_after, unsigned actions)
{
        JobFsm f = make(state, facts);
        unsigned done = job_fsm_step(&f, config, event);

        ck_assert_msg(f.state == next && facts_of(&f) == facts_after && done == actions,
                      "%s %x, %s%s%s: %s %x actions %x instead of %s %x actions %x", state_names[state],
                      facts, event_names[event], config->mixed ? " mixed" : "",
                      config->kill_on_exit ? " on-exit" : "", state_names[f.state], facts_of(&f), done,
                      state_names[next], facts_after, actions);
}

/* With everything there that can be, and no configuration: the picture in the header. Events in their order.
 */
static const struct {
        JobState next;
        unsigned actions;
} expected[_JOB_STATE_MAX][_JOB_EVENT_MAX] = {
                [JOB_STARTING] = {{JOB_RUNNING, ANNOUNCE},        /* started */
                                  {JOB_FAILED, DISCARD},          /* start failed */
                                  {JOB_STARTING, 0},              /* leader exited: not asked here */
                                  {JOB_STARTING, 0},              /* empty */
                                  {JOB_STARTING, 0},              /* drained */
                                  {JOB_STARTING, KILL},           /* stop */
                                  {JOB_STARTING, KILL},           /* kill */
                                  {JOB_STARTING, TIMEOUT | KILL}, /* run time */
                                  {JOB_STARTING, 0},
                                  {JOB_STARTING, 0},
                                  {JOB_STARTING, 0}}, /* stop timeout */
                [JOB_RUNNING] = {{JOB_RUNNING, 0},
                                 {JOB_RUNNING, 0},
                                 {JOB_EXITED, RECORD},
                                 {JOB_RUNNING, 0},
                                 {JOB_RUNNING, 0},
                                 {JOB_STOPPING, ASK},
                                 {JOB_KILLING, KILL},
                                 {JOB_STOPPING, TIMEOUT | ASK},
                                 {JOB_RUNNING, 0},
                                 {JOB_RUNNING, 0},
                                 {JOB_RUNNING, 0}},
                [JOB_EXITED] = {{JOB_EXITED, 0},
                                {JOB_EXITED, 0},
                                {JOB_EXITED, 0},
                                {JOB_EXITED, CLOSE},
                                {JOB_EXITED, 0},
                                {JOB_STOPPING, ASK},
                                {JOB_KILLING, KILL},
                                {JOB_STOPPING, ASK},
                                {JOB_EXITED, 0},
                                {JOB_EXITED, 0},
                                {JOB_EXITED, 0}},
                [JOB_STOPPING] = {{JOB_STOPPING, 0},
                                  {JOB_STOPPING, 0},
                                  {JOB_STOPPING, RECORD},
                                  {JOB_STOPPING, CLOSE},
                                  {JOB_STOPPING, 0},
                                  {JOB_STOPPING, ASK},
                                  {JOB_KILLING, KILL},
                                  {JOB_STOPPING, 0},
                                  {JOB_KILLING, KILL},
                                  {JOB_STOPPING, 0},
                                  {JOB_STOPPING, 0}},
                [JOB_KILLING] = {{JOB_KILLING, 0},
                                 {JOB_KILLING, 0},
                                 {JOB_KILLING, RECORD},
                                 {JOB_KILLING, CLOSE},
                                 {JOB_KILLING, 0},
                                 {JOB_KILLING, KILL},
                                 {JOB_KILLING, KILL},
                                 {JOB_KILLING, 0},
                                 {JOB_KILLING, 0},
                                 {JOB_KILLING, 0},
                                 {JOB_KILLING, 0}},
                [JOB_RESTING] = {{JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_RESTING, 0},
                                 {JOB_STARTING, 0},              /* run */
                                 {JOB_FINISHED, JOB_DO_FINISH}}, /* over */
                [JOB_FINISHED] = {{JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0},
                                  {JOB_FINISHED, 0}},
                [JOB_FAILED] = {{JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0},
                                {JOB_FAILED, 0}},
};

START_TEST(every_state_by_every_event)
{
        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                for (JobEvent e = 0; e < _JOB_EVENT_MAX; e++) {
                        unsigned facts = s == JOB_FINISHED || s == JOB_RESTING ? 0
                                         : s == JOB_EXITED                     ? P | O
                                                                               : LPO;
                        JobFsm f = make(s, facts);
                        unsigned actions;

                        if (s == JOB_STARTING && e == JOB_EVENT_LEADER_EXITED)
                                continue; /* "never before STARTED" */
                        f.held = s == JOB_RESTING;
                        actions = job_fsm_step(&f, &plain, e);
                        ck_assert_msg(f.state == expected[s][e].next && actions == expected[s][e].actions,
                                      "%s, %s: %s, actions %x", state_names[s], event_names[e],
                                      state_names[f.state], actions);
                }
}
END_TEST

/* What the configuration changes. */
START_TEST(mixed_asks_the_leader_alone)
{
        /* While it lives it is asked as others are; when it has gone the rest is killed. */
        check_step(JOB_RUNNING, LPO, &mixed, JOB_EVENT_STOP, JOB_STOPPING, LPO, ASK);
        check_step(JOB_STOPPING, LPO, &mixed, JOB_EVENT_STOP, JOB_STOPPING, LPO, ASK);
        check_step(JOB_RUNNING, LPO, &mixed, JOB_EVENT_RUNTIME_TIMEOUT, JOB_STOPPING, LPO, TIMEOUT | ASK);
        check_step(JOB_STOPPING, LPO, &mixed, JOB_EVENT_LEADER_EXITED, JOB_KILLING, P | O, RECORD | KILL);
        check_step(JOB_RUNNING, LPO, &mixed, JOB_EVENT_LEADER_EXITED, JOB_EXITED, P | O, RECORD);
        check_step(JOB_EXITED, P | O, &mixed, JOB_EVENT_STOP, JOB_KILLING, P | O, KILL);
        check_step(JOB_EXITED, P | O, &mixed, JOB_EVENT_RUNTIME_TIMEOUT, JOB_KILLING, P | O, KILL);
}
END_TEST

START_TEST(kill_on_exit_ends_what_is_left)
{
        check_step(JOB_RUNNING, LPO, &on_exit_, JOB_EVENT_LEADER_EXITED, JOB_STOPPING, P | O, RECORD | ASK);
        check_step(JOB_RUNNING, LPO, &both, JOB_EVENT_LEADER_EXITED, JOB_KILLING, P | O, RECORD | KILL);
        /* It is on its way already. */
        check_step(JOB_STOPPING, LPO, &on_exit_, JOB_EVENT_LEADER_EXITED, JOB_STOPPING, P | O, RECORD);
        check_step(JOB_KILLING, LPO, &both, JOB_EVENT_LEADER_EXITED, JOB_KILLING, P | O, RECORD);
        check_step(JOB_RUNNING, L | P, &on_exit_, JOB_EVENT_LEADER_EXITED, JOB_STOPPING, P, RECORD | ASK);
}
END_TEST

/* What ends it: the last of the three that goes, whichever that is. */
START_TEST(finished_when_all_is_gone)
{
        static const JobState states[] = {JOB_EXITED, JOB_STOPPING, JOB_KILLING};

        for (size_t i = 0; i < 3; i++) {
                JobState s = states[i];

                check_step(s, P, &plain, JOB_EVENT_EMPTY, JOB_FINISHED, 0, FINISH);
                check_step(s, O, &plain, JOB_EVENT_DRAINED, JOB_FINISHED, 0, FINISH);
                check_step(s, P | O, &plain, JOB_EVENT_EMPTY, s, O, CLOSE);
                check_step(s, P | O, &plain, JOB_EVENT_DRAINED, s, P, 0);
        }
        /* Empty while the leader's end is not known: it is the zombie that is not counted. */
        check_step(JOB_STOPPING, LPO, &plain, JOB_EVENT_EMPTY, JOB_STOPPING, LPO, CLOSE);
        check_step(JOB_RUNNING, LPO, &plain, JOB_EVENT_EMPTY, JOB_RUNNING, LPO, 0);
        check_step(JOB_RUNNING, LPO, &plain, JOB_EVENT_DRAINED, JOB_RUNNING, L | P, 0);
        check_step(JOB_STARTING, LPO, &plain, JOB_EVENT_DRAINED, JOB_STARTING, L | P, 0);
        check_step(JOB_STARTING, L | P, &plain, JOB_EVENT_STARTED, JOB_RUNNING, L | P, ANNOUNCE);
}
END_TEST

/* An oracle for all that remains, in words instead of a table. */
static void expect(JobState s, unsigned facts, const JobFsmConfig *c, JobEvent e, JobState *ret_next,
                   unsigned *ret_facts, unsigned *ret_actions)
{
        bool asked = s == JOB_STOPPING,
             alive = s == JOB_RUNNING || s == JOB_EXITED || asked || s == JOB_KILLING;
        bool stop = e == JOB_EVENT_STOP ||
                    (e == JOB_EVENT_RUNTIME_TIMEOUT && (s == JOB_RUNNING || s == JOB_EXITED));
        bool ends = e == JOB_EVENT_LEADER_EXITED && (facts & L), asks;
        unsigned actions = 0, left = facts;
        JobState next = s;

        if (e == JOB_EVENT_DRAINED)
                left &= ~(unsigned) O;
        if (e == JOB_EVENT_EMPTY && !(facts & L))
                left &= ~(unsigned) P;
        if (ends) {
                left &= ~(unsigned) L;
                actions |= RECORD;
                next = s == JOB_RUNNING ? JOB_EXITED : s;
        }
        if (e == JOB_EVENT_RUNTIME_TIMEOUT && s == JOB_RUNNING)
                actions |= TIMEOUT;
        if (e == JOB_EVENT_EMPTY && s != JOB_RUNNING)
                actions |= CLOSE;
        asks = (stop && s != JOB_KILLING) || (ends && s == JOB_RUNNING && c->kill_on_exit);
        if (asks) {
                actions |= ASK;
                next = JOB_STOPPING;
        }
        if (e == JOB_EVENT_KILL || (e == JOB_EVENT_STOP && s == JOB_KILLING) ||
            (asked && e == JOB_EVENT_STOP_TIMEOUT) || ((asks || asked) && c->mixed && !(left & L))) {
                actions = (actions & ~(unsigned) ASK) | KILL;
                next = JOB_KILLING;
        }
        ck_assert(alive);
        if (left == 0) {
                actions = (actions & ~(unsigned) CLOSE) | FINISH;
                next = JOB_FINISHED;
        }
        *ret_next = next;
        *ret_facts = left;
        *ret_actions = actions;
}

/* Where mixed is on, nobody is in STOPPING without a leader: it would be KILLING. */
static bool is_reachable(JobState s, unsigned facts, const JobFsmConfig *c)
{
        return is_possible(s, facts) && !(s == JOB_STOPPING && c->mixed && !(facts & L));
}

START_TEST(every_combination)
{
        const JobFsmConfig *configs[] = {&plain, &mixed, &on_exit_, &both};
        unsigned n = 0;

        for (size_t c = 0; c < 4; c++)
                for (JobState s = JOB_RUNNING; s <= JOB_KILLING; s++)
                        for (unsigned facts = 0; facts <= LPO; facts++)
                                for (JobEvent e = 0; e < _JOB_EVENT_MAX; e++) {
                                        unsigned actions, left;
                                        JobState next;

                                        if (!is_reachable(s, facts, configs[c]))
                                                continue;
                                        if (e == JOB_EVENT_LEADER_EXITED && !(facts & L))
                                                continue; /* it ends once */
                                        expect(s, facts, configs[c], e, &next, &left, &actions);
                                        check_step(s, facts, configs[c], e, next, left, actions);
                                        n++;
                                }
        ck_assert_uint_gt(n, 400);
}
END_TEST

START_TEST(the_end_is_the_end)
{
        const JobFsmConfig *configs[] = {&plain, &mixed, &on_exit_, &both};

        for (size_t c = 0; c < 4; c++)
                for (JobEvent e = 0; e < _JOB_EVENT_MAX; e++) {
                        check_step(JOB_FINISHED, 0, configs[c], e, JOB_FINISHED, 0, 0);
                        check_step(JOB_FAILED, LPO, configs[c], e, JOB_FAILED, LPO, 0);
                        check_step(JOB_FAILED, L | P, configs[c], e, JOB_FAILED, L | P, 0);
                }
}
END_TEST

/* From any place SIGKILL can be sent, whatever happened before. */
START_TEST(killing_is_always_possible)
{
        const JobFsmConfig *configs[] = {&plain, &mixed, &on_exit_, &both};

        for (size_t c = 0; c < 4; c++)
                for (JobState s = JOB_STARTING; s <= JOB_KILLING; s++)
                        for (unsigned facts = 1; facts <= LPO; facts++) {
                                JobFsm f = make(s, facts);

                                if (is_reachable(s, facts, configs[c]))
                                        ck_assert(job_fsm_step(&f, configs[c], JOB_EVENT_KILL) & KILL);
                        }
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
        static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (unsigned) (state >> 33) % n;
}

/* One life of random events, as the world outside can bring them. Returns which states it saw. */
static unsigned live(const JobFsmConfig *c)
{
        unsigned counts[10] = {0}, states = 0;
        bool left = false, empty = false, drained = false; /* what the world has told */
        JobFsm f;

        job_fsm_init(&f);
        must(f.state == JOB_RESTING && facts_of(&f) == 0);
        must(job_fsm_step(&f, c, JOB_EVENT_RUN) == 0);
        must(f.state == JOB_STARTING);
        must(facts_of(&f) == LPO);
        for (unsigned n = 0; n < 400; n++) {
                JobEvent e = pick(_JOB_EVENT_MAX);
                JobState before = f.state;
                unsigned facts = facts_of(&f), actions;

                if (e == JOB_EVENT_LEADER_EXITED && (left || before == JOB_STARTING))
                        continue;
                actions = job_fsm_step(&f, c, e);
                left |= e == JOB_EVENT_LEADER_EXITED;
                empty |= e == JOB_EVENT_EMPTY && left;
                drained |= e == JOB_EVENT_DRAINED;
                for (unsigned i = 0; i < 10; i++)
                        counts[i] += (actions >> i) & 1;
                must(actions < (1U << 10));
                states |= 1U << f.state;
                /* What is gone does not come back, and no state comes before the one that was. */
                must((facts_of(&f) & ~facts) == 0);
                must(is_reachable(f.state, facts_of(&f), c));
                must(f.state >= before);
                must(f.state != JOB_FAILED || before == JOB_STARTING || before == JOB_FAILED);
                must(before < JOB_FINISHED || (actions == 0 && f.state == before));
                if (f.state == JOB_FINISHED)
                        must(left && empty && drained);
                else if (f.state != JOB_FAILED)
                        must(!(left && empty && drained));
        }
        must(counts[7] == (f.state == JOB_FINISHED));                          /* END_RUN exactly once */
        must(counts[8] == counts[7]);                                          /* FINISH */
        must(counts[9] == (f.state == JOB_FAILED));                            /* DISCARD */
        must(counts[0] == (f.state != JOB_FAILED && f.state != JOB_STARTING)); /* ANNOUNCE */
        must(counts[2] == (left && f.state != JOB_FAILED));                    /* RECORD_EXIT */
        return states;
}

START_TEST(random_lives)
{
        const JobFsmConfig *configs[] = {&plain, &mixed, &on_exit_, &both};
        unsigned seen = 0;

        for (unsigned n = 0; n < 20000; n++)
                seen |= live(configs[n % 4]);
        ck_assert_uint_eq(seen, ((1U << _JOB_STATE_MAX) - 1) & ~(1U << JOB_RESTING));
}
END_TEST

/* A job that is held: it rests where another is finished, until it runs again or is held no more. */
START_TEST(a_held_one_rests)
{
        JobFsm f;

        job_fsm_init(&f);
        f.held = true;
        for (unsigned run = 0; run < 3; run++) {
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_RUN), 0);
                ck_assert(f.state == JOB_STARTING && facts_of(&f) == LPO);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_RUN), 0);
                ck_assert_int_eq(f.state, JOB_STARTING);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_STARTED), ANNOUNCE);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_LEADER_EXITED), RECORD);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_EMPTY), CLOSE);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_DRAINED), JOB_DO_END_RUN);
                ck_assert_int_eq(f.state, JOB_RESTING);
        }
        ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_OVER), JOB_DO_FINISH);
        ck_assert_int_eq(f.state, JOB_FINISHED);
        ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_RUN), 0);
        ck_assert_int_eq(f.state, JOB_FINISHED);
}
END_TEST

START_TEST(held_no_more_it_ends_with_its_run)
{
        for (JobState s = JOB_STARTING; s <= JOB_KILLING; s++) {
                JobFsm f = make(s, s == JOB_EXITED ? P : LPO);

                f.held = true;
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_OVER), 0);
                ck_assert(f.state == s && !f.held);
        }
        for (JobState s = JOB_EXITED; s <= JOB_KILLING; s++) {
                JobFsm f = make(s, P);

                f.held = true;
                (void) job_fsm_step(&f, &plain, JOB_EVENT_OVER);
                ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_EMPTY), FINISH);
        }
}
END_TEST

/* The first run that fails is a job that never was; a later one is a run. */
START_TEST(a_later_start_that_fails_is_the_end_of_a_run)
{
        JobFsm f = make(JOB_STARTING, LPO);

        f.known = f.held = true;
        ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_START_FAILED), RECORD | JOB_DO_END_RUN);
        ck_assert(f.state == JOB_RESTING && facts_of(&f) == 0);

        f = make(JOB_STARTING, LPO);
        f.known = true;
        ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_START_FAILED), RECORD | FINISH);
        ck_assert_int_eq(f.state, JOB_FINISHED);

        f = make(JOB_STARTING, LPO);
        f.held = true;
        ck_assert_uint_eq(job_fsm_step(&f, &plain, JOB_EVENT_START_FAILED), DISCARD);
        ck_assert_int_eq(f.state, JOB_FAILED);
}
END_TEST

START_TEST(the_words_of_the_contract)
{
        static const char *const words[_JOB_STATE_MAX] = {"starting", "running",    "exited",   "stopping",
                                                          "stopping", "restarting", "finished", "finished"};

        for (JobState s = 0; s < _JOB_STATE_MAX; s++)
                ck_assert_str_eq(job_state_to_string(s), words[s]);
}
END_TEST

TEST_MAIN("job-fsm", every_state_by_every_event, mixed_asks_the_leader_alone, kill_on_exit_ends_what_is_left,
          finished_when_all_is_gone, every_combination, the_end_is_the_end, killing_is_always_possible,
          random_lives, a_held_one_rests, held_no_more_it_ends_with_its_run,
          a_later_start_that_fails_is_the_end_of_a_run, the_words_of_the_contract)
