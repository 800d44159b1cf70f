#pragma once

/* Units in the world of fake-world.h: files that a test names, and processes that it lets live and end. */

#include "core/error.h"
#include "core/service.h"
#include "core/unit-set.h"
#include "basic/alloc.h"
#include "fake-unit-files.h"
#include "fake-world.h"
#include "test-main.h"

#define SECOND USEC_PER_SEC

/* One who waits for an order. */
typedef struct Waiter {
        UnitWait wait;
        bool told;
        int r;
        Error e;
} Waiter;

typedef struct UnitWorld {
        World w;
        UnitSet units;
} UnitWorld;

static const char *const unit_world_folders[] = {"/e", NULL};

static inline void unit_world_load(UnitWorld *u, const FakeUnitFile *files)
{
        fake_unit_files_set(files);
        ck_assert_int_eq(unit_set_load(&u->units), 0);
}

static inline void unit_world_init(UnitWorld *u, const FakeUnitFile *files)
{
        world_init(&u->w);
        unit_set_init(&u->units, &u->w.jobs, unit_world_folders);
        unit_world_load(u, files);
}

static inline void unit_world_done(UnitWorld *u)
{
        unit_set_done(&u->units);
        world_done(&u->w);
}

static inline Service *service_of(UnitWorld *u, const char *name)
{
        Service *s = NULL;

        ck_assert_int_eq(unit_set_get(&u->units, name, &s, NULL), 0);
        return s;
}

/* What is armed by a timer is due a microsecond later. All that takes far less than MOMENT. */
#define MOMENT USEC_PER_MSEC
static inline void settle(UnitWorld *u)
{
        unsigned n = 0;

        world_settle(&u->w);
        while (timer_queue_next(&u->w.timers) <= fake.monotonic + 1) {
                ck_assert_uint_lt(n++, 1000); /* something is never satisfied */
                world_pass(&u->w, 1);
        }
}

static inline void pass(UnitWorld *u, usec_t usec)
{
        settle(u);
        world_pass(&u->w, usec);
        settle(u);
}

static inline void on_waited(UnitWait *wait, Service *s, int r, const Error *e)
{
        Waiter *waiter = container_of(wait, Waiter, wait);

        ck_assert(!waiter->told);
        waiter->told = true;
        waiter->r = r;
        waiter->e = r < 0 ? *e : ERROR_NULL;
}

static inline UnitWait *waiter_init(Waiter *waiter)
{
        *waiter = (Waiter){.wait.done = on_waited};
        list_init(&waiter->wait.link);
        return &waiter->wait;
}

static inline void waiter_start(UnitWorld *u, const char *name, Waiter *waiter)
{
        Error e = ERROR_NULL;

        ck_assert_msg(unit_set_start(&u->units, name, waiter_init(waiter), &e) == 0, "%s", e.message);
        settle(u);
}

static inline void waiter_stop(UnitWorld *u, const char *name, Waiter *waiter)
{
        Error e = ERROR_NULL;

        ck_assert_msg(unit_set_stop(&u->units, name, waiter_init(waiter), &e) == 0, "%s", e.message);
        settle(u);
}

/* The command that was started last is this one. */
static inline FakeProcess *runs(const char *command)
{
        FakeProcess *p = fake_newest();

        ck_assert_ptr_nonnull(p);
        ck_assert(p->alive);
        ck_assert_str_eq(p->parameters.argv[0], command);
        return p;
}

static inline FakeProcess *execs(UnitWorld *u, const char *command)
{
        FakeProcess *p = runs(command);

        fake_exec(p);
        settle(u);
        return p;
}

static inline void ends(UnitWorld *u, FakeProcess *p, int code)
{
        fake_exit(p, code);
        settle(u);
}

/* It starts, and ends with that code. */
static inline void passes(UnitWorld *u, const char *command, int code)
{
        ends(u, execs(u, command), code);
}

static inline void check_state(const Service *s, ServiceState state, const char *result)
{
        _cleanup_free_ char *notes = s->job ? world_output(s->job, STREAM_NOTE) : NULL;

        ck_assert_msg(s->state == state, "%s: state %d, not %d; %s", s->name, (int) s->state, (int) state,
                      notes ?: "");
        ck_assert_str_eq(service_result(s), result);
}
