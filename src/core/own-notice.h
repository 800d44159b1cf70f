#pragma once

/*
 * What reeve tells of itself to who started it, where that gave it a $NOTIFY_SOCKET (systemd, podman
 * --sdnotify=container): READY=1 when it is up, STOPPING=1, and at the very end EXIT_STATUS=. Nobody is
 * waited for, and no error is one of reeve's.
 */

#include "core/timer.h"

typedef struct OwnNotice {
        char *address; /* NULL: nobody wants to know */
        TimerQueue *timers;
        Timer retry;
        char text[128]; /* "": told */
} OwnNotice;

/* address: NULL or what $NOTIFY_SOCKET says. -ENOMEM. */
int own_notice_init(OwnNotice *n, TimerQueue *timers, const char *address);
void own_notice_done(OwnNotice *n);

void own_notice_ready(OwnNotice *n);
void own_notice_stopping(OwnNotice *n);
/* The last word: there is no time left for another try. */
void own_notice_exit(OwnNotice *n, int exit_code);
