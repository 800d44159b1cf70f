/*
 * Who may go now. A service with an order is asked whenever any service has changed: it goes when nobody it
 * has to wait for is in the way. Whoever is to stop goes before whoever is to start, in whichever direction
 * their order is.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/unit-set.h"
#include "sys/clock.h"
#include "unit/order.h"

static int add(Service ***list, size_t *n, Service *s)
{
        Service **more;

        for (size_t i = 0; i < *n; i++)
                if ((*list)[i] == s)
                        return 0;
        more = alloc_resize(*list, *n + 1, sizeof(Service *));
        if (!more)
                return -ENOMEM;
        more[(*n)++] = s;
        *list = more;
        return 0;
}

static int order_two(Service *first, Service *second)
{
        int r = first == second ? 0 : add(&second->after, &second->n_after, first);

        return r >= 0 && first != second ? add(&first->before, &first->n_before, second) : r;
}

/* Whether s is to start before other, through whomever. */
static bool is_before(UnitSet *set, Service *s, const Service *other)
{
        s->visited = set->visit;
        for (size_t i = 0; i < s->n_before; i++)
                if (s->before[i] == other ||
                    (s->before[i]->visited != set->visit && is_before(set, s->before[i], other)))
                        return true;
        return false;
}

/* What was read before is without circles, and so is what was read anew, but not both of them together: what
 * is no more says nothing against what is. */
static int order_two_by(UnitSet *set, const Service *by, Service *first, Service *second)
{
        set->visit++;
        if (by->old && is_before(set, second, first))
                return 0;
        return order_two(first, second);
}

static int connect_one(UnitSet *set, Service *s)
{
        Service *other;
        int r = 0;

        STRV_FOREACH (name, s->unit->after) {
                other = hashmap_get_string(&set->by_name, *name);
                if (other && r >= 0)
                        r = order_two_by(set, s, other, s);
        }
        STRV_FOREACH (name, s->unit->before) {
                other = hashmap_get_string(&set->by_name, *name);
                if (other && r >= 0)
                        r = order_two_by(set, s, s, other);
        }
        return r;
}

int unit_queue_connect(UnitSet *set)
{
        int r = 0;

        LIST_FOREACH (&set->services, link) {
                Service *s = container_of(link, Service, link);

                free(s->after);
                free(s->before);
                s->after = s->before = NULL;
                s->n_after = s->n_before = 0;
        }
        for (int old = 0; old <= 1; old++)
                LIST_FOREACH (&set->services, link) {
                        Service *s = container_of(link, Service, link);

                        if (r >= 0 && !!s->old == old)
                                r = connect_one(set, s);
                }
        return r;
}

void unit_queue_tell(Service *s, ServiceOrder order, int r, const Error *e)
{
        LIST_FOREACH_SAFE (&s->waits, link) {
                UnitWait *w = container_of(link, UnitWait, link);

                if (w->order != order)
                        continue;
                list_remove(&w->link);
                w->done(w, s, r, e);
        }
}

static void overtaken(Service *s, ServiceOrder order)
{
        Error e;

        error_set(&e, ERROR_OVERTAKEN, "%s: something else was ordered meanwhile", s->name);
        unit_queue_tell(s, order, -EALREADY, &e);
}

void unit_queue_start_no_more(Service *s)
{
        if (!s->start_then)
                return;
        s->start_then = false;
        overtaken(s, SERVICE_ORDER_START);
}

void unit_queue_order(Service *s, ServiceOrder order)
{
        if (s->order != SERVICE_ORDER_NONE && s->order != order)
                overtaken(s, s->order);
        s->order = order;
        s->order_begun = false;
        timer_arm(s->set->jobs->config.timers, &s->set->advance, clock_monotonic());
}

static bool is_stopping(const Service *s)
{
        return (s->order == SERVICE_ORDER_STOP && !service_is_inactive(s)) || service_is_deactivating(s);
}

static bool start_has_to_wait(const Service *s)
{
        for (size_t i = 0; i < s->n_after; i++)
                if (s->after[i]->order == SERVICE_ORDER_START || is_stopping(s->after[i]))
                        return true;
        for (size_t i = 0; i < s->n_before; i++)
                if (is_stopping(s->before[i]))
                        return true;
        STRV_FOREACH (name, s->unit->conflicts) {
                const Service *other = hashmap_get_string(&s->set->by_name, *name);

                if (other && is_stopping(other))
                        return true;
        }
        return false;
}

/* NULL: nothing is in the way. */
static const Service *failed_requirement(const Service *s)
{
        STRV_FOREACH (name, s->unit->requires) {
                const Service *other = hashmap_get_string(&s->set->by_name, *name);

                if (!other || (other->order == SERVICE_ORDER_NONE && other->start_failed))
                        return other ?: s;
        }
        return NULL;
}

static bool is_followed(const Service *s)
{
        for (size_t i = 0; i < s->n_before; i++)
                if (is_stopping(s->before[i]))
                        return true;
        return false;
}

/* Those that were started when this was up go before it; of all that depends on it that is true, but for who
 * was there already. Whoever is kept by the order of the files does not count: that order is the stronger
 * one, and it may be this very one that is waited for, when what comes first was started again. */
static bool stop_has_to_wait(const Service *s)
{
        if (s->state == SERVICE_PAUSE) /* there is nothing that anybody could need */
                return false;
        if (is_followed(s))
                return true;
        if (!s->set->going_down)
                return false;
        LIST_FOREACH (&s->set->services, link) {
                const Service *other = container_of(link, Service, link);

                if (other != s && !service_is_inactive(other) && other->begun > s->done &&
                    (service_is_deactivating(other) || !is_followed(other)))
                        return true;
        }
        return false;
}

static void order_done(Service *s, int r, const Error *e)
{
        ServiceOrder order = s->order;

        s->order = SERVICE_ORDER_NONE;
        s->order_begun = false;
        if (order == SERVICE_ORDER_START)
                s->start_failed = r < 0;
        unit_queue_tell(s, order, r, e);
}

static void start_failed(Service *s)
{
        Error e;

        if (s->stopping)
                error_set(&e, ERROR_START_FAILED, "%s: it was stopped while it was started", s->unit->name);
        else
                error_set(&e, ERROR_START_FAILED, "%s: %s%s", s->unit->name, service_result(s),
                          s->dependency_failed ? ""
                          : s->check_error < 0 ? " (EnvironmentFile, conditions); see reeve's own log"
                          : s->job             ? "; see the log of its job"
                                               : "; see reeve's own log");
        order_done(s, -ECANCELED, &e);
}

/* Whether anything changed. */
static bool go_on_starting(Service *s)
{
        const Service *failed;

        if (s->order_begun) {
                if (service_is_active(s) || (service_is_deactivating(s) && s->started) ||
                    (service_is_inactive(s) && (s->started || s->unmet))) {
                        s->done = ++s->set->moment;
                        order_done(s, 0, NULL);
                        return true;
                }
                if (service_is_inactive(s)) { /* in a pause it is on its way still */
                        start_failed(s);
                        return true;
                }
                return false;
        }
        if (service_is_active(s)) {
                order_done(s, 0, NULL);
                return true;
        }
        if (is_stopping(s) || start_has_to_wait(s))
                return false;
        failed = failed_requirement(s);
        if (failed) {
                s->dependency_failed = true;
                s->stopping = false;
                log_warning("%s: not started, for %s, which it requires, is not up", s->unit->name,
                            failed->unit->name);
                start_failed(s);
                return true;
        }
        s->order_begun = true;
        s->begun = ++s->set->moment;
        s->done = UINT64_MAX;
        service_start(s);
        return true;
}

static bool go_on_stopping(Service *s)
{
        if (service_is_inactive(s)) {
                bool start = s->start_then && !s->set->going_down;

                order_done(s, 0, NULL);
                s->start_then = false;
                if (start)
                        unit_queue_order(s, SERVICE_ORDER_START);
                return true;
        }
        if (s->order_begun || stop_has_to_wait(s))
                return false;
        s->order_begun = true;
        if (s->set->going_down && s->job)
                service_stop(s, 0, MIN(s->set->stop_max, s->job->spec.timeout_stop));
        else
                service_stop(s, 0, USEC_INFINITY);
        return true;
}

static void reload_done(Service *s)
{
        bool failed = s->control_failed || !service_is_active(s);
        Error e;

        error_set(&e, ERROR_START_FAILED, "%s: ExecReload= has failed; see the log of its job",
                  s->unit->name);
        unit_queue_tell(s, SERVICE_ORDER_RELOAD, failed ? -ECANCELED : 0, &e);
}

/* What was read anew takes the place of what nothing runs by any more. Instances are made when they are
 * asked for. */
static void renew(UnitSet *set, Service *s)
{
        const Unit *unit = unit_table_get(&set->table, s->name);

        if (!unit && s->order == SERVICE_ORDER_START &&
            unit_load_one(&set->bundle, s->name, &set->table, NULL) >= 0)
                unit = unit_table_get(&set->table, s->name);
        if (unit) {
                service_set_unit(s, unit);
                s->old = unit_free(s->old);
        } else if (s->order == SERVICE_ORDER_START) {
                Error e;

                error_set(&e, ERROR_NO_SUCH_UNIT, "The file of unit \"%s\" is gone", s->name);
                order_done(s, -ENOENT, &e);
        } else {
                hashmap_remove_string(&set->by_name, s->name);
                service_free(s);
        }
}

static void renew_all(UnitSet *set)
{
        bool renewed = false;

        LIST_FOREACH_SAFE (&set->services, link) {
                Service *s = container_of(link, Service, link);

                if (!s->old || !service_is_inactive(s) || s->order == SERVICE_ORDER_STOP || s->order_begun)
                        continue;
                renew(set, s);
                renewed = true;
        }
        if (renewed && unit_set_add_services(set) < 0) /* what instances refer to */
                log_error("Out of memory: the order of units is not complete");
}

void unit_queue_advance(UnitSet *set)
{
        bool changed, starting = false;

        do {
                renew_all(set);
                changed = false;
                LIST_FOREACH (&set->services, link) {
                        Service *s = container_of(link, Service, link);

                        if (s->order == SERVICE_ORDER_START)
                                changed |= go_on_starting(s);
                        else if (s->order == SERVICE_ORDER_STOP)
                                changed |= go_on_stopping(s);
                        if (s->state != SERVICE_RELOAD && !list_is_empty(&s->waits))
                                reload_done(s);
                }
        } while (changed);
        renew_all(set);
        LIST_FOREACH (&set->services, link)
                starting |= container_of(link, Service, link)->order == SERVICE_ORDER_START;
        if (set->booting && !starting) {
                set->booting = false;
                if (set->up)
                        set->up(set);
        }
}
