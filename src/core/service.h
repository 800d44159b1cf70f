#pragma once

/*
 * A unit at work: the one job that is all its runs, the commands before, beside and after them, and when
 * which is due (core/service-fsm.h). Which unit starts or stops when, with regard to others, is
 * core/unit-set.h's.
 *
 * Commands beside the main one (ExecStartPre=, …Post=, ExecReload=, ExecStop=, ExecStopPost=) are control
 * commands of that job (job_set_run_control()): each in a scope of its own, with its output in the unit's
 * log, one after another, and what one leaves behind is ended before the next.
 */

#include "core/job.h"
#include "core/restart.h"
#include "core/service-fsm.h"
#include "core/timer.h"
#include "core/errand.h"
#include "unit/unit.h"

typedef struct Service Service;
typedef struct UnitSet UnitSet;

typedef enum ServiceOrder {
        SERVICE_ORDER_NONE,
        SERVICE_ORDER_START,
        SERVICE_ORDER_STOP,
        SERVICE_ORDER_RELOAD, /* of those who wait alone: it is never an order to be queued */
} ServiceOrder;

struct Service {
        JobService service;
        UnitSet *set;
        List link;        /* in the set */
        char *name;       /* the unit's */
        const Unit *unit; /* never NULL; of the set's table, or `old` */
        Unit *old;        /* was read anew, or is gone, while this runs by what was read before; NULL */
        ServiceState state;

        Job *job; /* also a finished one, while there is its record; NULL */
        JobWatch watch;
        Errand check;
        char **file_environment; /* of EnvironmentFile= */

        /* The commands that are under way. */
        Job *control; /* NULL: none runs */
        JobWatch control_watch;
        UnitCommandKind kind, next_kind;
        size_t next_command; /* of `kind` */
        bool next_waits;     /* next_kind is to begin when `control` is gone */
        bool control_failed; /* the last one */

        size_t main_command; /* index of what runs, in ExecStart= */
        bool main_exited;    /* the run's leader ended, and that was looked at */
        Timer start_timeout, pause, poke;
        unsigned happened; /* what poke is to look at */
        usec_t run_start;  /* CLOCK_MONOTONIC */
        usec_t run_lasted; /* the main command, until its end; 0: it did not come to that */

        RestartPolicy policy;
        RestartState restart;
        bool stopping;         /* by an order: nothing follows */
        bool killing;          /* likewise, at once */
        bool started;          /* it was active since it was last started */
        int stop_signal;       /* 0: its own */
        usec_t stop_timeout;   /* USEC_INFINITY: its own */
        JobResult result;      /* the first that was no success; NONE: none */
        int exit_code, signal; /* with that */
        bool unmet;            /* it was not started, by a condition */

        bool dependency_failed; /* it was not started, for what it requires was not */
        int check_error;        /* of the check before the start; 0 */
        usec_t pause_time;      /* the last one */

        /* core/unit-set.c, unit-queue.c: */
        ServiceOrder order; /* that is to be carried out */
        bool order_begun;
        bool start_then;                  /* when it has stopped, it is to be started */
        bool start_failed;                /* the last order to start it came to nothing */
        uint64_t begun, done;             /* moments of its last start, to be compared with others' */
        struct Service **after, **before; /* in the order of starting: whom it follows, who follows it */
        size_t n_after, n_before;
        uint64_t visited;
        List waits; /* UnitWait.link */
};

Service *service_new(UnitSet *set, const Unit *unit);
Service *service_free(Service *s);

/* What it is from now on. */
void service_set_unit(Service *s, const Unit *unit);

/* Orders; each means something only in some states (service-fsm.h). */
void service_start(Service *s);
/* sig 0, timeout USEC_INFINITY: its own. timeout 0: at once. */
void service_stop(Service *s, int sig, usec_t timeout);
void service_reload(Service *s);

/* Neither runs nor is on its way. */
bool service_is_inactive(const Service *s);
bool service_is_active(const Service *s);
bool service_is_activating(const Service *s);
bool service_is_deactivating(const Service *s);
/* Of the last start: "success", or what went wrong; the words of Job.Result, and "condition", "dependency".
 */
const char *service_result(const Service *s);

/* For core/service-run.c and service.c. */
enum {
        SERVICE_HAPPENED_STARTED = 1 << 0, /* exec succeeded, or it has become ready */
        SERVICE_HAPPENED_EXITED = 1 << 1,
        SERVICE_HAPPENED_CONTROL = 1 << 2, /* the control command is gone */
        SERVICE_HAPPENED_RUN_OVER = 1 << 3,
        SERVICE_HAPPENED_COMMANDS_DONE = 1 << 4, /* there were none */
        SERVICE_HAPPENED_CHECKED = 1 << 5,       /* there was nothing to be checked */
};
void service_poke(Service *s, unsigned happened);
void service_fail(Service *s, JobResult result, int exit_code, int signal);
/* The commands of a kind, one after another; DONE or COMMAND_FAILED follows in a later turn. */
void service_run_commands(Service *s, UnitCommandKind kind);
/* The control command is gone: 1, the next one runs; 0, all are done; -ECANCELED: one has failed. */
int service_next_command(Service *s);
void service_end_control(Service *s, usec_t timeout);
void service_init_control(Service *s);
/* Its job, if it has none that is live; and a run of the main command of that index. 0 or negative with e.
 */
int service_make_job(Service *s, Error *e);
int service_run_main(Service *s, Error *e);
/* What is asked of the file system before; a turn later HAPPENED_CHECKED where that is nothing. */
int service_ask_check(Service *s);
/* 1: it may start; 0: a condition does not hold; negative, said: it cannot. */
int service_read_check(Service *s, int r, const void *data, size_t size);
