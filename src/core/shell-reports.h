#pragma once

/*
 * The socket at which shells say what they leave behind (core/shell-state.h). Its name is random and in the
 * abstract namespace, so that every user and every mount namespace of a job reaches it; who speaks is known
 * by the kernel's word for his pid, and what he says counts for the job whose scope holds him.
 */

#include <systemd/sd-event.h>

#include "basic/list.h"

typedef struct JobSet JobSet;
typedef struct Listener Listener;
typedef struct TimerQueue TimerQueue;

#define SHELL_REPORTS_MAX 64U                        /* at once, one of a job */
#define SHELL_REPORT_MAX (UINT64_C(4) * 1024 * 1024) /* bytes */
#define SHELL_REPORT_PATIENCE (10 * USEC_PER_SEC)

typedef struct ShellReports {
        sd_event *event;
        TimerQueue *timers;
        JobSet *jobs;
        Listener *listener;
        char address[64]; /* for who is to speak; "" where there is no such socket */
        List connections; /* ShellReport.link */
        unsigned n_connections;
} ShellReports;

/* Where there can be no such socket that is logged, and sessions keep nothing. */
void shell_reports_init(ShellReports *s, sd_event *event, TimerQueue *timers, JobSet *jobs);
void shell_reports_done(ShellReports *s);
