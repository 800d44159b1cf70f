/*
 * One table, read top to bottom: what each event does in each state. Two things stand beside it because they
 * cut across all states: the facts (leader, processes, output), which only ever go away, and the end, which
 * comes when all three have gone.
 */

#include "core/job-fsm.h"

typedef struct Transition {
        JobState next;
        unsigned actions;
} Transition;

/* Stopping, as a caller, the run time and KillOnExit all mean it. */
#define BEGIN_STOP (JOB_DO_SIGNAL | JOB_DO_ARM_STOP)

/* {0, 0} means: nothing; STARTING is 0 and nothing ever leads there. */
static const Transition table[_JOB_STATE_MAX][_JOB_EVENT_MAX] = {
                [JOB_STARTING] =
                                {
                                                [JOB_EVENT_STARTED] = {JOB_RUNNING, JOB_DO_ANNOUNCE},
                                                [JOB_EVENT_START_FAILED] = {JOB_FAILED, JOB_DO_DISCARD},
                                                /* Nothing of the command has run yet: there is nobody to be
                                                   asked nicely. The state stays. */
                                                [JOB_EVENT_STOP] = {JOB_STARTING, JOB_DO_KILL},
                                                [JOB_EVENT_KILL] = {JOB_STARTING, JOB_DO_KILL},
                                                [JOB_EVENT_RUNTIME_TIMEOUT] = {JOB_STARTING,
                                                                               JOB_DO_MARK_TIMEOUT |
                                                                                               JOB_DO_KILL},
                                },
                [JOB_RUNNING] =
                                {
                                                [JOB_EVENT_LEADER_EXITED] = {JOB_EXITED, JOB_DO_RECORD_EXIT},
                                                [JOB_EVENT_STOP] = {JOB_STOPPING, BEGIN_STOP},
                                                [JOB_EVENT_KILL] = {JOB_KILLING, JOB_DO_KILL},
                                                [JOB_EVENT_RUNTIME_TIMEOUT] = {JOB_STOPPING,
                                                                               JOB_DO_MARK_TIMEOUT |
                                                                                               BEGIN_STOP},
                                },
                [JOB_EXITED] =
                                {
                                                [JOB_EVENT_EMPTY] = {JOB_EXITED, JOB_DO_CLOSE_OUTPUT},
                                                [JOB_EVENT_DRAINED] = {JOB_EXITED, 0},
                                                [JOB_EVENT_STOP] = {JOB_STOPPING, BEGIN_STOP},
                                                [JOB_EVENT_KILL] = {JOB_KILLING, JOB_DO_KILL},
                                                /* What the leader made of it stands; what it left behind has
                                                   had its time, too. */
                                                [JOB_EVENT_RUNTIME_TIMEOUT] = {JOB_STOPPING, BEGIN_STOP},
                                },
                [JOB_STOPPING] =
                                {
                                                [JOB_EVENT_LEADER_EXITED] = {JOB_STOPPING,
                                                                             JOB_DO_RECORD_EXIT},
                                                [JOB_EVENT_EMPTY] = {JOB_STOPPING, JOB_DO_CLOSE_OUTPUT},
                                                [JOB_EVENT_DRAINED] = {JOB_STOPPING, 0},
                                                [JOB_EVENT_STOP] = {JOB_STOPPING, BEGIN_STOP},
                                                [JOB_EVENT_KILL] = {JOB_KILLING, JOB_DO_KILL},
                                                [JOB_EVENT_STOP_TIMEOUT] = {JOB_KILLING, JOB_DO_KILL},
                                },
                [JOB_KILLING] =
                                {
                                                [JOB_EVENT_LEADER_EXITED] = {JOB_KILLING,
                                                                             JOB_DO_RECORD_EXIT},
                                                [JOB_EVENT_EMPTY] = {JOB_KILLING, JOB_DO_CLOSE_OUTPUT},
                                                [JOB_EVENT_DRAINED] = {JOB_KILLING, 0},
                                                [JOB_EVENT_STOP] = {JOB_KILLING, JOB_DO_KILL},
                                                [JOB_EVENT_KILL] = {JOB_KILLING, JOB_DO_KILL},
                                },
                [JOB_RESTING] =
                                {
                                                [JOB_EVENT_RUN] = {JOB_STARTING, 0},
                                                /* With nothing left of it, that is its end. */
                                                [JOB_EVENT_OVER] = {JOB_RESTING, 0},
                                },
};

const char *job_state_to_string(JobState s)
{
        static const char *const words[_JOB_STATE_MAX] = {
#define X(id, word) [JOB_##id] = (word),
                        JOB_STATES(X)
#undef X
        };

        return words[s];
}

void job_fsm_init(JobFsm *f)
{
        *f = (JobFsm){.state = JOB_RESTING};
}

static void facts_update(JobFsm *f, JobEvent event)
{
        switch (event) {
        case JOB_EVENT_STARTED: f->known = true; break;
        case JOB_EVENT_RUN: f->leader = f->processes = f->output = true; break;
        case JOB_EVENT_START_FAILED:
                if (f->known)
                        f->leader = f->processes = f->output = false;
                break;
        case JOB_EVENT_OVER: f->held = false; break;
        case JOB_EVENT_LEADER_EXITED: f->leader = false; break;
        case JOB_EVENT_EMPTY:
                /* The leader is one of them: before its end is known, an empty scope is only a zombie's. */
                f->processes = f->leader;
                break;
        case JOB_EVENT_DRAINED: f->output = false; break;
        default: break;
        }
}

/* Runs and failures to start belong to one state each, and what is finished changes no more. */
static bool event_fits(JobState state, JobEvent event)
{
        if (event == JOB_EVENT_RUN)
                return state == JOB_RESTING;
        if (event == JOB_EVENT_START_FAILED)
                return state == JOB_STARTING;
        return state != JOB_FINISHED && state != JOB_FAILED;
}

unsigned job_fsm_step(JobFsm *f, const JobFsmConfig *config, JobEvent event)
{
        const Transition *t = &table[f->state][event];
        bool had_leader = f->leader;
        unsigned actions = t->actions;

        if (!event_fits(f->state, event))
                return 0;
        facts_update(f, event);
        if (t->next == JOB_STARTING && f->state != JOB_STARTING && event != JOB_EVENT_RUN)
                return 0;
        f->state = t->next;
        if (f->state == JOB_FAILED) {
                if (!f->known)
                        return actions;
                actions = JOB_DO_RECORD_EXIT;
        }

        if (had_leader && !f->leader && f->state == JOB_EXITED && config->kill_on_exit) {
                f->state = JOB_STOPPING;
                actions |= BEGIN_STOP;
        }
        if (f->state == JOB_STOPPING && config->mixed && !f->leader) {
                /* Mixed: the leader was the only one to be asked. */
                f->state = JOB_KILLING;
                actions = (actions & ~(unsigned) BEGIN_STOP) | JOB_DO_KILL;
        }
        if (!f->leader && !f->processes && !f->output) {
                actions &= ~(unsigned) JOB_DO_CLOSE_OUTPUT;
                if (f->state != JOB_RESTING)
                        actions |= JOB_DO_END_RUN;
                f->state = f->held ? JOB_RESTING : JOB_FINISHED;
                if (f->state == JOB_FINISHED)
                        actions |= JOB_DO_FINISH;
        }
        return actions;
}
