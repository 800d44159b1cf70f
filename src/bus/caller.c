/*
 * Who calls is asked of the bus, which knows it from the kernel; until the answer comes the calls are kept.
 * The match for its leaving is added before that question: the bus takes them in order, so one who has left
 * in between is told by the answer, and one who leaves later by the match. A refused caller stays in the
 * table as long as there is room, so that it is not asked for at each of its calls.
 */

#include "bus/caller.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/gateway.h"
#include "bus/message-copy.h"
#include "bus/names.h"
#include "bus/server.h"

/* What an answer weighs without its body, about. */
#define ANSWER_SIZE 512U

typedef struct CallerCall {
        List link; /* Caller.calls */
        Caller *caller;
        sd_bus_message *call; /* as it came from the bus; once passed on, what an answer needs of that */
        sd_bus_slot *slot;    /* of the answer, of the caller's own connection; NULL: not passed on yet */
        size_t kept;          /* bytes of it that count as the gateway's, until it is passed on */
} CallerCall;

static void call_is_not_kept(CallerCall *cc)
{
        cc->caller->gateway->n_kept_bytes -= cc->kept;
        cc->kept = 0;
}

static void call_free(CallerCall *cc)
{
        call_is_not_kept(cc);
        list_remove(&cc->link);
        cc->caller->n_calls--;
        cc->caller->gateway->n_calls--;
        sd_bus_slot_unref(cc->slot);
        sd_bus_message_unref(cc->call);
        free(cc);
}

static void call_fail(CallerCall *cc, const sd_bus_error *why)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

        if (sd_bus_message_get_expect_reply(cc->call) > 0 &&
            sd_bus_message_new_method_error(cc->call, &m, why) >= 0)
                (void) gateway_send(cc->caller->gateway, m, ANSWER_SIZE);
        call_free(cc);
}

static void call_fail_errno(CallerCall *cc, int error)
{
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

        if (error == -EOPNOTSUPP)
                sd_bus_error_set(&e, SD_BUS_ERROR_NOT_SUPPORTED, "Descriptors are not taken here");
        else
                sd_bus_error_set_errno(&e, error);
        call_fail(cc, &e);
}

static int answer_new(sd_bus_message *call, sd_bus_message *from, sd_bus_message **ret, size_t *ret_size)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        size_t size = 0;
        int r;

        if (sd_bus_message_is_method_error(from, NULL) > 0)
                r = sd_bus_message_new_method_error(call, &m, sd_bus_message_get_error(from));
        else {
                r = sd_bus_message_new_method_return(call, &m);
                if (r >= 0)
                        r = message_copy_body(m, from, &size);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        *ret_size = size + ANSWER_SIZE;
        return 0;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        CallerCall *cc = userdata;
        size_t size;
        int r;

        r = answer_new(cc->call, m, &answer, &size);
        if (r < 0) {
                call_fail_errno(cc, r);
                return 1;
        }
        (void) gateway_send(cc->caller->gateway, answer, size);
        call_free(cc);
        return 1;
}

/* Its body and descriptors are with the one that is passed on, and are not held twice. */
static int call_shrink(CallerCall *cc)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint64_t cookie;
        int r;

        r = sd_bus_message_get_cookie(cc->call, &cookie);
        if (r >= 0)
                r = sd_bus_message_new_method_call(sd_bus_message_get_bus(cc->call), &m, NULL,
                                                   sd_bus_message_get_path(cc->call),
                                                   sd_bus_message_get_interface(cc->call),
                                                   sd_bus_message_get_member(cc->call));
        if (r >= 0)
                r = sd_bus_message_set_sender(m, sd_bus_message_get_sender(cc->call));
        if (r >= 0)
                r = sd_bus_message_seal(m, cookie, 0);
        if (r < 0)
                return r;
        sd_bus_message_unref(cc->call);
        cc->call = TAKE_PTR(m);
        return 0;
}

static void call_pass_on(CallerCall *cc)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = cc->caller->link.bus;
        size_t size;
        int r;

        call_is_not_kept(cc);
        r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, sd_bus_message_get_path(cc->call),
                                           sd_bus_message_get_interface(cc->call),
                                           sd_bus_message_get_member(cc->call));
        if (r >= 0)
                r = message_copy_body(m, cc->call, &size);
        if (r >= 0 && sd_bus_message_get_expect_reply(cc->call) == 0) {
                r = sd_bus_message_set_expect_reply(m, 0);
                if (r >= 0)
                        r = sd_bus_send(bus, m, NULL);
                if (r >= 0)
                        call_free(cc);
        } else if (r >= 0) {
                r = call_shrink(cc);
                if (r >= 0)
                        r = sd_bus_call_async(bus, &cc->slot, m, on_answer, cc, UINT64_MAX);
        }
        if (r < 0)
                call_fail_errno(cc, r);
}

/* Who is not known yet can be anybody, and the bus answers about him behind all that he has sent. */
static int may_keep(Gateway *g, sd_bus_message *m, size_t *ret_size, sd_bus_error *ret_error)
{
        int r;

        r = message_copy_body(NULL, m, ret_size);
        if (r < 0)
                return r;
        if (g->n_kept_bytes > 0 && g->n_kept_bytes + *ret_size > GATEWAY_KEPT_MAX)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "Calls of who is not known yet have %zu bytes already",
                                         g->n_kept_bytes);
        return 0;
}

int caller_take(Caller *c, sd_bus_message *m, sd_bus_error *ret_error)
{
        CallerCall *cc;
        size_t size = 0;
        int r;

        if (c->state == CALLER_REFUSED)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "User %u may not call reeve",
                                         (unsigned) c->uid);
        if (c->n_calls >= CALLER_CALLS_MAX)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "%u calls of this connection wait already, the most that may",
                                         c->n_calls);
        if (c->state != CALLER_ADMITTED) {
                r = may_keep(c->gateway, m, &size, ret_error);
                if (r < 0)
                        return r;
        }
        cc = alloc_new(CallerCall);
        if (!cc)
                return -ENOMEM;
        cc->caller = c;
        cc->kept = size;
        c->gateway->n_kept_bytes += size;
        cc->call = sd_bus_message_ref(m);
        list_init(&cc->link);
        list_append(&c->calls, &cc->link);
        c->n_calls++;
        c->gateway->n_calls++;
        if (c->state == CALLER_ADMITTED)
                call_pass_on(cc);
        return 1;
}

static bool may_read(BusLink *l)
{
        return !gateway_is_congested(container_of(l, Caller, link)->gateway);
}

static void on_turned(BusLink *l, int error, unsigned n_steps)
{
        const sd_bus_error why = SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_NO_REPLY,
                                                         "reeve closed the connection of this caller");
        Caller *c = container_of(l, Caller, link);
        BusServer *server = c->gateway->server;

        if (error < 0)
                caller_free(c, &why);
        else if (c->state == CALLER_CONNECTING && sd_bus_is_ready(l->bus) > 0) {
                c->state = CALLER_ADMITTED;
                LIST_FOREACH_SAFE (&c->calls, link)
                        call_pass_on(container_of(link, CallerCall, link));
        }
        server_check_flushed(server);
}

static const BusLinkOps link_ops = {.may_read = may_read, .stepped = may_read, .turned = on_turned};

static void admit(Caller *c, const PeerCredentials *credentials)
{
        const sd_bus_error full = SD_BUS_ERROR_MAKE_CONST(
                        SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "reeve has as many connections as it may, or no memory for another");

        if (gateway_open_pair(c->gateway, PEER_BUS_CALLER, credentials, PEER_QUEUE_MAX, &link_ops,
                              &c->link) < 0) {
                caller_free(c, &full);
                return;
        }
        c->state = CALLER_CONNECTING;
}

static void refuse(Caller *c, uid_t uid)
{
        _cleanup_(sd_bus_error_free) sd_bus_error why = SD_BUS_ERROR_NULL;

        c->state = CALLER_REFUSED;
        c->uid = uid;
        c->gone_slot = sd_bus_slot_unref(c->gone_slot); /* unique names do not come back */
        sd_bus_error_setf(&why, SD_BUS_ERROR_ACCESS_DENIED, "User %u may not call reeve", (unsigned) uid);
        LIST_FOREACH_SAFE (&c->calls, link)
                call_fail(container_of(link, CallerCall, link), &why);
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Caller *c = userdata;
        PeerCredentials credentials;

        c->credentials_slot = sd_bus_slot_unref(c->credentials_slot);
        if (gateway_read_credentials(m, &credentials) < 0) {
                const sd_bus_error why =
                                SD_BUS_ERROR_MAKE_CONST(SD_BUS_ERROR_ACCESS_DENIED,
                                                        "The message bus does not tell who this caller is");

                caller_free(c, &why);
                return 1;
        }
        if (!c->gateway->same_pids)
                credentials.pid = 0;
        if (c->gateway->same_users && server_may_enter(&credentials))
                admit(c, &credentials);
        else
                refuse(c, credentials.uid);
        return 1;
}

static int on_gone(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        caller_free(userdata, NULL);
        return 0;
}

static int on_match_added(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const sd_bus_error why = SD_BUS_ERROR_MAKE_CONST(
                        SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "The message bus does not let reeve know when this caller leaves");

        if (sd_bus_message_is_method_error(m, NULL) > 0)
                caller_free(userdata, &why);
        return 1;
}

static int ask(Caller *c)
{
        _cleanup_free_ char *rule = NULL;
        int r;

        rule = str_printf("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                          "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
                          c->name);
        if (!rule)
                return -ENOMEM;
        r = sd_bus_add_match_async(c->gateway->link.bus, &c->gone_slot, rule, on_gone, on_match_added, c);
        if (r < 0)
                return r;
        return gateway_ask_credentials(c->gateway, c->name, &c->credentials_slot, on_credentials, c);
}

int caller_new(Gateway *g, const char *name, Caller **ret)
{
        Caller *c = alloc_new(Caller);
        int r;

        if (!c)
                return -ENOMEM;
        c->gateway = g;
        c->link.fd = -EBADF;
        list_init(&c->calls);
        list_init(&c->by_age);
        c->name = str_copy(name);
        r = c->name ? hashmap_put_string(&g->callers, c->name, c) : -ENOMEM;
        if (r >= 0) {
                list_append(&g->callers_by_age, &c->by_age);
                r = ask(c);
        }
        if (r < 0) {
                caller_free(c, NULL);
                return r;
        }
        *ret = c;
        return 0;
}

void caller_free(Caller *c, const sd_bus_error *why)
{
        LIST_FOREACH_SAFE (&c->calls, link) {
                CallerCall *cc = container_of(link, CallerCall, link);

                if (why)
                        call_fail(cc, why);
                else
                        call_free(cc);
        }
        sd_bus_slot_unref(c->gone_slot);
        sd_bus_slot_unref(c->credentials_slot);
        link_done(&c->link);
        if (!list_is_empty(&c->by_age)) {
                list_remove(&c->by_age);
                hashmap_remove_string(&c->gateway->callers, c->name);
        }
        free(c->name);
        free(c);
}
