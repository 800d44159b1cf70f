/*
 * Orders are answered when they have been carried out: a service that is started is up then, with all that
 * it requires. Who does not want to wait for that asks without wanting a reply.
 */

#include "bus/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/errors.h"
#include "bus/job.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/unit-set.h"

#define REPLY_SIZE 256U

typedef struct PendingUnit {
        Pending pending;
        UnitWait wait;
        UnitReload reload;
        bool wants_job;
} PendingUnit;

static UnitSet *units_of(Peer *peer)
{
        return &peer->server->manager->units;
}

/* "/" where it was not started, by a condition. */
static int append_job(sd_bus_message *m, const Service *s)
{
        _cleanup_free_ char *path = NULL;
        int r;

        if (!s->job || s->unmet)
                return sd_bus_message_append(m, "o", "/");
        r = job_bus_path(s->job, &path);
        return r < 0 ? r : sd_bus_message_append(m, "o", path);
}

static void on_done(UnitWait *w, Service *s, int result, const Error *e)
{
        PendingUnit *pu = container_of(w, PendingUnit, wait);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (result < 0) {
                pending_fail(&pu->pending, e);
                return;
        }
        r = sd_bus_message_new_method_return(pu->pending.call, &m);
        if (r >= 0 && pu->wants_job)
                r = append_job(m, s);
        pending_reply(&pu->pending, r < 0 ? NULL : m, REPLY_SIZE);
}

static int append_problems(sd_bus_message *m, const UnitProblems *problems)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "(sus)");
        for (size_t i = 0; i < problems->n && r >= 0; i++)
                r = sd_bus_message_append(m, "(sus)", problems->list[i].file,
                                          (uint32_t) problems->list[i].line, problems->list[i].message);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void on_reloaded(UnitReload *w, int result, const UnitProblems *problems)
{
        PendingUnit *pu = container_of(w, PendingUnit, reload);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        if (result < 0) {
                Error e;

                error_set(&e, result == -ETIMEDOUT ? ERROR_TIMEOUT : ERROR_START_FAILED,
                          "The unit files cannot be read: %s", strerror(-result));
                pending_fail(&pu->pending, &e);
                return;
        }
        r = sd_bus_message_new_method_return(pu->pending.call, &m);
        if (r >= 0)
                r = append_problems(m, problems);
        pending_reply(&pu->pending, r < 0 ? NULL : m, REPLY_SIZE + problems->bytes);
}

static void on_timeout(Pending *p, usec_t now)
{
}

static void on_destroy(Pending *p)
{
        PendingUnit *pu = container_of(p, PendingUnit, pending);

        list_remove(&pu->wait.link);
        list_remove(&pu->reload.link);
        free(pu);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

static int pending_unit_new(Peer *peer, sd_bus_message *m, bool wants_job, PendingUnit **ret, Error *e)
{
        PendingUnit *pu = alloc_new(PendingUnit);
        int r;

        if (!pu)
                return error_no_memory(e);
        pu->wants_job = wants_job;
        list_init(&pu->wait.link);
        list_init(&pu->reload.link);
        pu->wait.done = on_done;
        pu->reload.done = on_reloaded;
        r = pending_init(&pu->pending, &ops, peer, m, e);
        if (r < 0) {
                free(pu);
                return r;
        }
        *ret = pu;
        return 0;
}

typedef int UnitOrder(UnitSet *set, const char *name, UnitWait *wait, Error *e);

static int order(sd_bus_message *m, Peer *peer, UnitOrder *give, bool wants_job, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        PendingUnit *pu;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = pending_unit_new(peer, m, wants_job, &pu, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = give(units_of(peer), name, &pu->wait, &e);
        if (r < 0)
                pending_fail(&pu->pending, &e);
        return 1;
}

int bus_method_start_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return order(m, userdata, unit_set_start, true, ret_error);
}

int bus_method_stop_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return order(m, userdata, unit_set_stop, false, ret_error);
}

int bus_method_restart_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return order(m, userdata, unit_set_restart, true, ret_error);
}

int bus_method_reload_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return order(m, userdata, unit_set_reload_unit, false, ret_error);
}

int bus_method_reload(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        PendingUnit *pu;
        int r;

        r = pending_unit_new(userdata, m, false, &pu, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = unit_set_reload(units_of(userdata), &pu->reload, &e);
        if (r < 0)
                pending_fail(&pu->pending, &e);
        return 1;
}

/* Also one that runs by what was read before may be refused by what its file says now. */
static const char *load_state(const Service *s)
{
        const Unit *now = unit_table_get(&s->set->table, s->name);

        return (now ?: s->unit)->refused ? "bad-setting" : "loaded";
}

static int append_unit(sd_bus_message *m, const Service *s)
{
        const Unit *u = s->unit;

        return sd_bus_message_append(m, "a{sv}", 8, "Name", "s", u->name, "Description", "s",
                                     u->description ?: "", "LoadState", "s", load_state(s), "ActiveState",
                                     "s", service_state_to_string(s->state), "Result", "s",
                                     service_result(s), "Job", "s", s->job ? s->job->id : "", "NRestarts",
                                     "u", s->job ? s->job->n_restarts : 0U, "Path", "s", u->path ?: "");
}

int bus_method_list_units(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        UnitSet *set = units_of(userdata);
        size_t size = 0;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        LIST_FOREACH (&set->services, link) {
                if (r >= 0)
                        r = append_unit(reply, container_of(link, Service, link));
                size += 512;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = peer_send(userdata, reply);
        if (r < 0)
                return r;
        peer_sent(userdata, size);
        return 1;
}
