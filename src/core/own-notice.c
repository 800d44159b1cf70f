/*
 * A socket that has no room now is tried again; what was to be said meanwhile is overtaken by what is so
 * then.
 */

#include "core/own-notice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/log.h"
#include "sys/clock.h"
#include "sys/notify-socket.h"

#define RETRY_PAUSE (100 * USEC_PER_MSEC)

static void try_to_tell(OwnNotice *n)
{
        int r;

        if (!n->address || !n->text[0])
                return;
        r = notify_send(n->address, n->text);
        if (r == -EAGAIN) {
                timer_arm(n->timers, &n->retry, clock_monotonic() + RETRY_PAUSE);
                return;
        }
        if (r < 0)
                log_warning_errno(r, "NOTIFY_SOCKET=%s: cannot tell %.*s there", n->address,
                                  (int) strcspn(n->text, "\n"), n->text);
        n->text[0] = '\0';
}

static void on_retry(Timer *t, usec_t now)
{
        try_to_tell(container_of(t, OwnNotice, retry));
}

int own_notice_init(OwnNotice *n, TimerQueue *timers, const char *address)
{
        *n = (OwnNotice){.timers = timers};
        timer_init(&n->retry, on_retry);
        if (isempty(address))
                return 0;
        n->address = str_copy(address);
        return n->address ? 0 : -ENOMEM;
}

void own_notice_done(OwnNotice *n)
{
        if (!n->timers)
                return;
        timer_disarm(n->timers, &n->retry);
        free(n->address);
        *n = (OwnNotice){0};
}

static void tell(OwnNotice *n, const char *text)
{
        (void) snprintf(n->text, sizeof(n->text), "%s", text);
        if (!timer_is_armed(&n->retry)) /* else in a moment, and in place of what waits */
                try_to_tell(n);
}

void own_notice_ready(OwnNotice *n)
{
        tell(n, "READY=1\nSTATUS=Up");
}

void own_notice_stopping(OwnNotice *n)
{
        tell(n, "STOPPING=1\nSTATUS=Stopping");
}

void own_notice_exit(OwnNotice *n, int exit_code)
{
        timer_disarm(n->timers, &n->retry);
        (void) snprintf(n->text, sizeof(n->text), "EXIT_STATUS=%d", exit_code);
        try_to_tell(n);
        timer_disarm(n->timers, &n->retry);
}
