#pragma once

/*
 * All units: read, started and stopped with those that they need, in their order. Orders are noted down in
 * all services that they concern, and carried out as soon as nobody that goes before is in the way
 * (core/unit-queue.c).
 */

#include "basic/hashmap.h"
#include "basic/list.h"
#include "core/errand.h"
#include "core/service.h"
#include "core/timer.h"
#include "core/unit-bundle.h"
#include "core/unit-load.h"

typedef struct Error Error;
typedef struct JobSet JobSet;

/* Somebody who waits for one order to be carried out. */
typedef struct UnitWait UnitWait;
struct UnitWait {
        List link; /* list_init() before; may be taken away any time */
        ServiceOrder order;
        /* Once. 0: it is active (s->job), or has been (a oneshot), or inactive; -ECANCELED: it could not be,
         * e says why; -EALREADY: something else was ordered meanwhile. */
        void (*done)(UnitWait *w, Service *s, int r, const Error *e);
};

/* Likewise for reading the files anew. */
typedef struct UnitReload UnitReload;
struct UnitReload {
        List link;
        void (*done)(UnitReload *w, int r, const UnitProblems *problems);
};

struct UnitSet {
        JobSet *jobs;
        const char *const *folders; /* NULL: there are no units */
        UnitBundle bundle;
        UnitTable table;
        Hashmap by_name; /* Service */
        List services;   /* Service.link */
        Timer advance;
        uint64_t moment;
        uint64_t visit; /* Service.visited of the search that is under way */
        Errand reading;
        List reloads;    /* UnitReload.link, that wait for `reading` */
        bool read_again; /* when it is done: somebody asked after it had begun */
        bool going_down;
        usec_t stop_max; /* likewise: the longest that one may take */
        /* What is needed at boot has been started, or could not be. NULL */
        void (*up)(UnitSet *set);
        bool booting;
};

void unit_set_init(UnitSet *set, JobSet *jobs, const char *const *folders);
void unit_set_done(UnitSet *set);

/* At boot: reads the files, in this process. Problems go to the log. */
int unit_set_load(UnitSet *set);
/* Orders all that is wanted at boot. */
void unit_set_boot(UnitSet *set);

/* The service of a unit, whose instance is made if it has a template. -ENOENT (NoSuchUnit). */
int unit_set_get(UnitSet *set, const char *name, Service **ret, Error *e);

/* wait may be NULL; it is told in a later turn. Negative with e, and nothing is ordered: NoSuchUnit,
 * InvalidArgs (it, or what it requires, is refused), ShuttingDown. */
int unit_set_start(UnitSet *set, const char *name, UnitWait *wait, Error *e);
int unit_set_stop(UnitSet *set, const char *name, UnitWait *wait, Error *e);
int unit_set_restart(UnitSet *set, const char *name, UnitWait *wait, Error *e);
/* ExecReload=; JobRunning's opposite is InvalidArgs: it is not active, or has none. */
int unit_set_reload_unit(UnitSet *set, const char *name, UnitWait *wait, Error *e);

/* Reads the files anew, without waiting for them. What runs goes on by what it was started with. */
int unit_set_reload(UnitSet *set, UnitReload *wait, Error *e);

/* Everything goes down, the last to be started first; nothing is started any more. No main command takes
 * longer than max; the whole is bounded by who gives this order. */
void unit_set_stop_all(UnitSet *set, usec_t max);

/* For service.c: its state is another; somebody stops its job. */
void unit_set_changed(UnitSet *set, Service *s);
void unit_set_stop_by_job(UnitSet *set, Service *s, int sig, usec_t timeout);
/* For unit-queue.c, unit-reload.c and unit-set.c. */
void unit_set_say_problems(const UnitProblems *problems);
int unit_set_add_services(UnitSet *set);
void unit_set_read(Errand *errand, int r, const void *data, size_t size);
void unit_queue_advance(UnitSet *set);
/* Its restart is off. */
void unit_queue_start_no_more(Service *s);
void unit_queue_order(Service *s, ServiceOrder order);
int unit_queue_connect(UnitSet *set);
void unit_queue_tell(Service *s, ServiceOrder order, int r, const Error *e);
