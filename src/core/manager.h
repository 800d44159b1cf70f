#pragma once

/*
 * The manager owns the event loop and, by value, the parts: the cgroup tree, the log's store, the jobs, the
 * shutdown. It wires them, reads signals, and reaps; it knows of no bus. A reeve without one is still a
 * complete init.
 */

#include <systemd/sd-event.h>

#include "core/follower.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/own-notice.h"
#include "core/scope-keeper.h"
#include "core/session.h"
#include "core/shell-reports.h"
#include "core/line-watch.h"
#include "core/port-watch.h"
#include "core/shutdown.h"
#include "core/timer.h"
#include "core/unit-set.h"
#include "journal/store.h"
#include "sys/boot.h"
#include "sys/cgroup.h"
#include "sys/foreground.h"

#define SIGNALS_MAX 65 /* 1 to 64 */
#define LOG_BUDGET_MAX (UINT64_C(256) * 1024 * 1024)

typedef struct ManagerConfig {
        const BootState *boot;    /* outlives the manager */
        char *const *environment; /* reeve's own */
        unsigned live_max, finished_max;
        uint64_t log_max_bytes; /* 0: a tenth of the memory there is, LOG_BUDGET_MAX at most */
        usec_t stop_timeout;
        const char *const *unit_folders; /* NULL: no units. Outlives the manager */
        bool capture;                    /* the main job's output is kept as well */
        bool warn_of_orphans;            /* say each that was reaped */
        bool signal_group;               /* what is passed on goes to the main job's process group */
        const uint8_t *rewrites;   /* [SIGNALS_MAX]: what is taken for that signal when it comes, 0: drop it;
                                      NULL: each is what it is. Outlives it */
        const uint8_t *exit_codes; /* [256]: what that of the main job becomes; NULL: they stay. Outlives it
                                    */
        bool no_callers;           /* nobody can ask for sessions */
        bool is_machine;           /* reeve is the init of a machine */
} ManagerConfig;

typedef struct Manager Manager;
struct Manager {
        const BootState *boot;
        sd_event *event;
        sd_event_source *timer_source, *signal_source, *reap_source;
        int signal_fd;
        TimerQueue timers;
        CgroupTree tree;
        Store store;
        ScopeKeeper keeper;
        SessionSet sessions;
        ShellReports reports;
        JobSet jobs;
        UnitSet units;
        Followers followers;
        LineWatch lines;
        PortWatch ports;
        Shutdown shutdown;
        OwnNotice notice; /* to who started reeve */
        Job *main_job;    /* NULL: none, or its record is gone */
        Foreground foreground;
        bool in_front; /* of its terminal is the main job's group, put there by us */
        bool signal_group, warn_of_orphans, capture;
        const uint8_t *rewrites;
        JobObserver observer;
        JobWatch main_watch;
        char **environment; /* that jobs start with */
        usec_t start_time;  /* CLOCK_REALTIME */
        uint64_t n_reaped, n_orphans_reaped;
        /* SIGUSR1 without a main job: what was lost of a message bus is to be tried now. NULL: nobody cares.
         */
        void (*rejoin)(Manager *m);
        void *rejoin_userdata;
        bool ready;   /* booted; the main job, if any, was started */
        bool told_up; /* that it is, to who started reeve */
};

int manager_init(Manager *m, const ManagerConfig *config);
void manager_done(Manager *m);

/* Until shutdown is done; the exit status. */
int manager_run(Manager *m);

/* All units that are wanted at boot are on their way. */
void manager_start_units(Manager *m);

/* The job "main". 0 when it is on its way; if exec fails the shutdown begins with status 127 or 126.
 * Negative: e says why. */
int manager_start_main(Manager *m, char *const *argv, Error *e);

/* CLOCK_MONOTONIC, as deadlines are. */
usec_t manager_now(void);

/* "starting", "running", "stopping". */
const char *manager_state(const Manager *m);
/* "cgroup"; "process-tree": the leaders' process groups and our own reaping are all there is. */
const char *manager_containment(const Manager *m);
