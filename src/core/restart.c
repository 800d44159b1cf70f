/*
 * The limit of starts is an interval that begins with the first start and is forgotten when it has passed,
 * as systemd counts it: two numbers, however large the burst.
 */

#include "core/restart.h"

#include <signal.h>

RestartPolicy restart_policy_of(const ExecSpec *spec)
{
        return (RestartPolicy){
                        .when = spec->restart,
                        .delay = spec->restart_delay,
                        .max_delay = spec->restart_max_delay,
                        .burst = (unsigned) spec->start_limit_burst,
                        .interval = spec->start_limit_interval,
        };
}

bool restart_is_success(const RestartPolicy *p, const RunEnd *end)
{
        if (end->failed)
                return false;
        switch (end->result) {
        case JOB_RESULT_SUCCESS: return true;
        case JOB_RESULT_EXIT_CODE: return exit_status_set_has(&p->success, end->exit_code, 0);
        case JOB_RESULT_SIGNAL:
                return end->signal == SIGHUP || end->signal == SIGINT || end->signal == SIGTERM ||
                       end->signal == SIGPIPE || exit_status_set_has(&p->success, 0, end->signal);
        case JOB_RESULT_CORE_DUMP: return exit_status_set_has(&p->success, 0, end->signal);
        default: return false;
        }
}

bool restart_was_cut_short(const RestartPolicy *p, const RunEnd *end)
{
        return end->result == JOB_RESULT_SIGNAL && !exit_status_set_has(&p->success, 0, end->signal);
}

bool restart_is_wanted(const RestartPolicy *p, const RunEnd *end)
{
        bool success = restart_is_success(p, end);

        if (exit_status_set_has(&p->prevent, end->exit_code, end->signal))
                return false;
        switch (p->when) {
        case RESTART_ALWAYS: return true;
        case RESTART_ON_SUCCESS: return success;
        case RESTART_ON_FAILURE: return !success;
        case RESTART_ON_ABNORMAL: return !success && end->result != JOB_RESULT_EXIT_CODE;
        default: return false;
        }
}

/* Of x >= 1: what is too large for a double is its infinity. No libm for one pause. */
static double power(double x, unsigned n)
{
        double result = 1;

        for (; n > 0; n >>= 1, x *= x)
                if (n & 1)
                        result *= x;
        return result;
}

/* The n-th root by halving. */
static double root(double x, unsigned n)
{
        double low = 1, high = x;

        for (unsigned i = 0; i < 100; i++) {
                double middle = (low + high) / 2;

                if (power(middle, n) <= x)
                        low = middle;
                else
                        high = middle;
        }
        return low;
}

/* From delay to max_delay in so many equal factors. */
static usec_t stepped(const RestartPolicy *p, unsigned n)
{
        double delay = p->delay > 0 ? (double) p->delay : 1,
               factor = root((double) p->max_delay / delay, p->steps);

        if (n >= p->steps)
                return p->max_delay;
        delay *= power(factor, n);
        return delay < (double) p->max_delay ? (usec_t) delay : p->max_delay;
}

static usec_t doubled(const RestartPolicy *p, unsigned n)
{
        usec_t delay = MAX(p->delay, (usec_t) 1);

        while (n-- > 0 && delay < p->max_delay)
                delay = delay > p->max_delay / 2 ? p->max_delay : delay * 2;
        return MIN(delay, p->max_delay);
}

usec_t restart_pause(const RestartPolicy *p, RestartState *s, const RunEnd *end)
{
        usec_t good = p->max_delay != USEC_INFINITY ? MAX(p->max_delay, p->delay) : p->interval;
        unsigned n;

        if (end->lasted >= good)
                s->n_pauses = 0;
        n = s->n_pauses;
        if (s->n_pauses < UINT32_MAX)
                s->n_pauses++;
        if (p->max_delay == USEC_INFINITY || p->max_delay <= p->delay || n == 0)
                return p->delay;
        return p->steps > 0 ? stepped(p, n) : doubled(p, n);
}

bool restart_count(const RestartPolicy *p, RestartState *s, usec_t now)
{
        if (p->burst == 0 || p->interval == 0)
                return true;
        if (s->n_runs == 0 || (p->interval != USEC_INFINITY && now - s->begin >= p->interval)) {
                s->begin = now;
                s->n_runs = 0;
        }
        if (s->n_runs >= p->burst)
                return false;
        s->n_runs++;
        return true;
}

void restart_forget(RestartState *s)
{
        *s = (RestartState){0};
}
