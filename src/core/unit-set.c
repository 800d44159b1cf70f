/*
 * What is ordered for one unit concerns others: to start, what it requires and wants, and what it conflicts
 * with; to stop, what requires it. All of them are found first, so that an order is refused as a whole or
 * noted as a whole.
 */

#include "core/unit-set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "sys/clock.h"
#include "unit/problem.h"

static void on_advance(Timer *t, usec_t now)
{
        unit_queue_advance(container_of(t, UnitSet, advance));
}

void unit_set_init(UnitSet *set, JobSet *jobs, const char *const *folders)
{
        *set = (UnitSet){.jobs = jobs, .folders = folders};
        unit_table_init(&set->table);
        hashmap_init(&set->by_name, HASHMAP_STRING);
        list_init(&set->services);
        list_init(&set->reloads);
        timer_init(&set->advance, on_advance);
        errand_init(&set->reading, unit_set_read);
}

void unit_set_done(UnitSet *set)
{
        if (!set->jobs)
                return;
        errand_stop(&set->reading);
        LIST_FOREACH_SAFE (&set->services, link)
                service_free(container_of(link, Service, link));
        if (set->jobs->config.timers)
                timer_disarm(set->jobs->config.timers, &set->advance);
        hashmap_done(&set->by_name);
        unit_table_done(&set->table);
        unit_bundle_done(&set->bundle);
        *set = (UnitSet){0};
}

void unit_set_changed(UnitSet *set, Service *s)
{
        timer_arm(set->jobs->config.timers, &set->advance, clock_monotonic());
}

/* A service for each unit of the table that has none. */
int unit_set_add_services(UnitSet *set)
{
        for (size_t i = 0; i < set->table.n; i++) {
                const Unit *unit = set->table.units[i];
                Service *s;

                if (hashmap_get_string(&set->by_name, unit->name))
                        continue;
                s = service_new(set, unit);
                if (!s)
                        return -ENOMEM;
                list_append(&set->services, &s->link);
                if (hashmap_put_string(&set->by_name, s->name, s) < 0) {
                        service_free(s);
                        return -ENOMEM;
                }
        }
        return unit_queue_connect(set);
}

void unit_set_say_problems(const UnitProblems *problems)
{
        for (size_t i = 0; i < problems->n; i++) {
                const UnitProblem *p = &problems->list[i];
                char line[16] = "";

                if (p->line > 0) /* else it is the whole file's, or a folder's */
                        (void) snprintf(line, sizeof(line), ":%u", p->line);
                if (p->refused)
                        log_error("%s%s: %s", p->file, line, p->message);
                else
                        log_warning("%s%s: %s", p->file, line, p->message);
        }
        if (problems->left_out > 0)
                log_warning("%zu more problems of unit files are not shown", problems->left_out);
}

int unit_set_load(UnitSet *set)
{
        _cleanup_(unit_problems_done) UnitProblems problems = UNIT_PROBLEMS_INIT;
        int r;

        if (!set->folders)
                return 0;
        r = unit_bundle_collect(set->folders, &set->bundle, &problems);
        if (r >= 0)
                r = unit_load_all(&set->bundle, &set->table, &problems);
        if (r >= 0)
                r = unit_set_add_services(set);
        unit_set_say_problems(&problems);
        return r;
}

int unit_set_get(UnitSet *set, const char *name, Service **ret, Error *e)
{
        Service *s = hashmap_get_string(&set->by_name, name);
        int r;

        if (!s && set->folders) {
                r = unit_load_one(&set->bundle, name, &set->table, NULL);
                if (r == -ENOMEM || (r >= 0 && unit_set_add_services(set) < 0))
                        return error_no_memory(e);
                if (r == -EDQUOT)
                        return error_set(e, ERROR_LIMITS_EXCEEDED,
                                         "There are %zu units already, the most that may be", UNITS_MAX);
                s = hashmap_get_string(&set->by_name, name);
        }
        if (!s)
                return error_set(e, ERROR_NO_SUCH_UNIT, "There is no unit \"%s\"", name);
        *ret = s;
        return 0;
}

/* The services that an order concerns. */
typedef struct Plan {
        Service **list;
        size_t n;
} Plan;

static void plan_done(Plan *p)
{
        free(p->list);
}

static bool plan_has(const Plan *p, const Service *s)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->list[i] == s)
                        return true;
        return false;
}

static int plan_add(Plan *p, Service *s)
{
        Service **more;

        if (plan_has(p, s))
                return 0;
        more = alloc_resize(p->list, p->n + 1, sizeof(Service *));
        if (!more)
                return -ENOMEM;
        more[p->n++] = s;
        p->list = more;
        return 0;
}

static int check_startable(const Service *s, Error *e)
{
        if (!s->unit->refused)
                return 0;
        return error_set(e, ERROR_INVALID_ARGS, "%s", s->unit->reason ?: "the unit file is refused");
}

/* What is required has to be right, what is wanted is taken along if it is. */
static int plan_needs(UnitSet *set, Plan *plan, char *const *names, bool required, Error *e)
{
        for (char *const *name = names; name && *name; name++) {
                Service *other;
                int r;

                r = unit_set_get(set, *name, &other, required ? e : NULL);
                if (r >= 0)
                        r = check_startable(other, required ? e : NULL);
                if (r < 0 && required)
                        return r;
                if (r >= 0 && plan_add(plan, other) < 0)
                        return error_no_memory(e);
        }
        return 0;
}

/* Walked by index: it grows meanwhile. */
static int plan_start(UnitSet *set, Service *s, Plan *plan, Error *e)
{
        int r;

        r = check_startable(s, e);
        if (r >= 0 && plan_add(plan, s) < 0)
                r = error_no_memory(e);
        for (size_t i = 0; i < plan->n && r >= 0; i++) {
                const Unit *unit = plan->list[i]->unit;

                r = plan_needs(set, plan, unit->requires, true, e);
                if (r >= 0)
                        r = plan_needs(set, plan, unit->wants, false, e);
        }
        return r;
}

static bool requires(const Service *s, const Service *other)
{
        return strv_contains(s->unit->requires, other->unit->name);
}

/* And those that require it, as far as they are up. */
static int plan_stop(UnitSet *set, Service *s, Plan *plan, Error *e)
{
        if (plan_add(plan, s) < 0)
                return error_no_memory(e);
        for (size_t i = 0; i < plan->n; i++)
                LIST_FOREACH (&set->services, link) {
                        Service *other = container_of(link, Service, link);

                        if ((!service_is_inactive(other) || other->order == SERVICE_ORDER_START) &&
                            requires(other, plan->list[i]) && plan_add(plan, other) < 0)
                                return error_no_memory(e);
                }
        return 0;
}

static bool conflict(const Service *a, const Service *b)
{
        return a != b && (strv_contains(a->unit->conflicts, b->unit->name) ||
                          strv_contains(b->unit->conflicts, a->unit->name));
}

static int plan_conflicts(UnitSet *set, const Plan *start, Plan *stop, Error *e)
{
        for (size_t i = 0; i < start->n; i++)
                LIST_FOREACH (&set->services, link) {
                        Service *other = container_of(link, Service, link);
                        int r;

                        if (!conflict(start->list[i], other))
                                continue;
                        if (plan_has(start, other))
                                return error_set(e, ERROR_INVALID_ARGS,
                                                 "%s and %s, which both are needed, conflict",
                                                 start->list[i]->unit->name, other->unit->name);
                        if (service_is_inactive(other) && other->order != SERVICE_ORDER_START)
                                continue;
                        r = plan_stop(set, other, stop, e);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static void order_start(Service *s)
{
        if (s->order == SERVICE_ORDER_STOP && !service_is_inactive(s)) {
                s->start_then = true;
                return;
        }
        if (service_is_active(s) && s->order == SERVICE_ORDER_NONE)
                return;
        if (s->order == SERVICE_ORDER_NONE && service_is_activating(s) && s->state != SERVICE_PAUSE)
                return;
        if (s->order == SERVICE_ORDER_START) {
                if (s->state == SERVICE_PAUSE)
                        s->order_begun = false; /* who asks again does not wait for the pause */
                return;
        }
        unit_queue_order(s, SERVICE_ORDER_START);
}

static void wait_for(Service *s, UnitWait *wait, ServiceOrder order)
{
        if (!wait)
                return;
        wait->order = order;
        list_append(&s->waits, &wait->link);
        unit_set_changed(s->set, s);
}

static int refuse_start(const UnitSet *set, Error *e)
{
        return set->going_down || set->jobs->closed
                               ? error_set(e, ERROR_SHUTTING_DOWN, "reeve is shutting down")
                               : 0;
}

int unit_set_start(UnitSet *set, const char *name, UnitWait *wait, Error *e)
{
        _cleanup_(plan_done) Plan start = {0}, stop = {0};
        Service *s;
        int r;

        r = refuse_start(set, e);
        if (r >= 0)
                r = unit_set_get(set, name, &s, e);
        if (r >= 0)
                r = plan_start(set, s, &start, e);
        if (r >= 0)
                r = plan_conflicts(set, &start, &stop, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < stop.n; i++)
                unit_queue_order(stop.list[i], SERVICE_ORDER_STOP);
        for (size_t i = 0; i < start.n; i++)
                order_start(start.list[i]);
        /* Active already: told so in the next turn. */
        if (wait && s->order == SERVICE_ORDER_NONE && !s->start_then)
                s->order = SERVICE_ORDER_START;
        wait_for(s, wait, SERVICE_ORDER_START);
        return 0;
}

int unit_set_stop(UnitSet *set, const char *name, UnitWait *wait, Error *e)
{
        _cleanup_(plan_done) Plan plan = {0};
        Service *s;
        int r;

        r = unit_set_get(set, name, &s, e);
        if (r >= 0)
                r = plan_stop(set, s, &plan, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan.n; i++) {
                unit_queue_start_no_more(plan.list[i]);
                unit_queue_order(plan.list[i], SERVICE_ORDER_STOP);
        }
        wait_for(s, wait, SERVICE_ORDER_STOP);
        return 0;
}

int unit_set_restart(UnitSet *set, const char *name, UnitWait *wait, Error *e)
{
        _cleanup_(plan_done) Plan plan = {0};
        Service *s;
        int r;

        r = refuse_start(set, e);
        if (r >= 0)
                r = unit_set_get(set, name, &s, e);
        if (r >= 0)
                r = check_startable(s, e);
        if (r < 0)
                return r;
        /* One that is just being started, by what was read last, is what is asked for. */
        if (service_is_inactive(s) || (s->order == SERVICE_ORDER_START && !s->old))
                return unit_set_start(set, name, wait, e);
        r = plan_stop(set, s, &plan, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan.n; i++) {
                plan.list[i]->start_then = true;
                unit_queue_order(plan.list[i], SERVICE_ORDER_STOP);
        }
        wait_for(s, wait, SERVICE_ORDER_START);
        return 0;
}

int unit_set_reload_unit(UnitSet *set, const char *name, UnitWait *wait, Error *e)
{
        Service *s;
        int r;

        r = unit_set_get(set, name, &s, e);
        if (r < 0)
                return r;
        if (s->unit->n_commands[UNIT_EXEC_RELOAD] == 0)
                return error_set(e, ERROR_NOT_SUPPORTED, "%s has no ExecReload=", name);
        if (s->state != SERVICE_RUNNING && s->state != SERVICE_EXITED)
                return error_set(e, ERROR_INVALID_ARGS, "%s is not active, or not done with its last reload",
                                 name);
        service_reload(s);
        wait_for(s, wait, SERVICE_ORDER_RELOAD);
        return 0;
}

void unit_set_boot(UnitSet *set)
{
        set->booting = true;
        for (size_t i = 0; i < set->table.n; i++) {
                const Unit *unit = set->table.units[i];
                Error e;

                if (unit->wanted_at_boot && !unit->refused && unit_set_start(set, unit->name, NULL, &e) < 0)
                        log_error("%s: not started: %s", unit->name, e.message);
        }
        timer_arm(set->jobs->config.timers, &set->advance, clock_monotonic());
}

void unit_set_stop_all(UnitSet *set, usec_t max)
{
        if (!set->jobs)
                return;
        set->going_down = true;
        set->stop_max = max;
        LIST_FOREACH (&set->services, link) {
                Service *s = container_of(link, Service, link);

                if (!service_is_inactive(s) || s->order == SERVICE_ORDER_START)
                        unit_queue_order(s, SERVICE_ORDER_STOP);
        }
        unit_queue_advance(set);
}

void unit_set_stop_by_job(UnitSet *set, Service *s, int sig, usec_t timeout)
{
        Error e;

        unit_queue_start_no_more(s);
        if (timeout > 0 && !set->going_down && unit_set_stop(set, s->unit->name, NULL, &e) < 0)
                log_warning("%s: %s", s->unit->name, e.message);
        if (s->order == SERVICE_ORDER_STOP)
                s->order_begun = true;
        service_stop(s, sig, timeout);
}
