/*
 * The kernel refuses to remove a cgroup for a moment after its last process was reaped (EBUSY). What lingers
 * is tried again at each notice, and from a timer that is armed only while something does.
 */

#include "core/scope-keeper.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "sys/clock.h"
#include "sys/scope.h"

#define LINGER_DELAY_MIN (10 * USEC_PER_MSEC)
#define LINGER_DELAY_MAX USEC_PER_SEC

typedef struct LingeringScope {
        List link;
        Scope *scope;
} LingeringScope;

static void linger_retry(ScopeKeeper *k)
{
        LIST_FOREACH_SAFE (&k->lingering, link) {
                LingeringScope *l = container_of(link, LingeringScope, link);

                if (scope_remove(l->scope) == -EBUSY)
                        continue;
                list_remove(&l->link);
                scope_free(l->scope);
                free(l);
        }
        if (list_is_empty(&k->lingering))
                timer_disarm(k->timers, &k->timer);
}

static void on_timer(Timer *t, usec_t now)
{
        ScopeKeeper *k = container_of(t, ScopeKeeper, timer);

        linger_retry(k);
        if (list_is_empty(&k->lingering))
                return;
        k->delay = MIN(k->delay * 2, LINGER_DELAY_MAX);
        timer_arm(k->timers, t, now + k->delay);
}

void scope_keeper_release(ScopeKeeper *k, Scope *scope)
{
        LingeringScope *l;

        if (scope_remove(scope) != -EBUSY) {
                scope_free(scope);
                return;
        }
        l = alloc_new(LingeringScope);
        if (!l) {
                log_warning("No memory to see to it that %s goes: the folder stays", scope_path(scope));
                scope_free(scope);
                return;
        }
        l->scope = scope;
        list_append(&k->lingering, &l->link);
        k->delay = LINGER_DELAY_MIN;
        timer_arm(k->timers, &k->timer, clock_monotonic() + k->delay);
}

static int on_notice(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        ScopeKeeper *k = userdata;
        int numbers[64], n;

        n = scope_watch_read(fd, numbers, ELEMENTSOF(numbers));
        if (n == -EOVERFLOW && k->lost)
                k->lost(k);
        for (int i = 0; i < n; i++) {
                ScopeWatch *w = hashmap_get_number(&k->by_number, (uint64_t) numbers[i]);

                if (w)
                        w->changed(w);
        }
        linger_retry(k);
        return 0;
}

int scope_keeper_init(ScopeKeeper *k, sd_event *event, TimerQueue *timers)
{
        int r;

        *k = (ScopeKeeper){.timers = timers, .fd = -EBADF};
        list_init(&k->lingering);
        hashmap_init(&k->by_number, HASHMAP_NUMBER);
        timer_init(&k->timer, on_timer);
        r = scope_watch_open();
        if (r < 0) {
                log_warning_errno(r, "Cannot watch scopes: a job that outlives its leader is looked at when "
                                     "orphans end");
                return 0;
        }
        k->fd = r;
        r = sd_event_add_io(event, &k->source, r, EPOLLIN, on_notice, k);
        if (r < 0)
                return r;
        /* Before any reply is sent, as the reaper: what is told must be true by then. */
        return sd_event_source_set_priority(k->source, SD_EVENT_PRIORITY_IMPORTANT);
}

void scope_keeper_done(ScopeKeeper *k)
{
        if (!k->timers)
                return;
        linger_retry(k);
        LIST_FOREACH_SAFE (&k->lingering, link) {
                LingeringScope *l = container_of(link, LingeringScope, link);

                scope_free(l->scope);
                list_remove(&l->link);
                free(l);
        }
        timer_disarm(k->timers, &k->timer);
        sd_event_source_disable_unref(k->source);
        fd_close(k->fd);
        hashmap_done(&k->by_number);
        *k = (ScopeKeeper){.fd = -EBADF};
}

int scope_keeper_watch(ScopeKeeper *k, ScopeWatch *w, const Scope *scope)
{
        int r;

        if (w->number >= 0)
                return 0;
        if (k->fd < 0)
                return -EOPNOTSUPP;
        r = scope_watch_add(k->fd, scope, &w->number);
        if (r < 0)
                return r;
        r = hashmap_put_number(&k->by_number, (uint64_t) w->number, w);
        if (r < 0) {
                scope_watch_remove(k->fd, w->number);
                w->number = -1;
        }
        return r;
}

void scope_keeper_unwatch(ScopeKeeper *k, ScopeWatch *w)
{
        if (w->number < 0)
                return;
        hashmap_remove_number(&k->by_number, (uint64_t) w->number);
        scope_watch_remove(k->fd, w->number);
        w->number = -1;
}
