/* Units that name each other: who goes when, who comes along, who is in the way; and files that change. */

#include <signal.h>

#include "unit-world.h"

static UnitWorld u;
static Waiter a, b;

#define RUN(name) "[Service]\nType=exec\nExecStart=/" name "\n"

START_TEST(requires_and_after)
{
        Service *s;

        unit_world_init(&u,
                        (const FakeUnitFile[]){{"/e/a.service",
                                                "[Unit]\nRequires=b.service\nAfter=b.service\n" RUN("a")},
                                               {"/e/b.service", RUN("b")},
                                               {NULL}});
        s = service_of(&u, "a.service");
        waiter_start(&u, "a.service", &a);
        ck_assert_int_eq(s->state, SERVICE_DEAD); /* until b is up */
        execs(&u, "/b");
        execs(&u, "/a");
        check_state(s, SERVICE_RUNNING, "success");
        ck_assert(a.told && a.r == 0);
        waiter_stop(&u, "b.service", &b); /* and a with it, before it */
        ck_assert(service_is_inactive(s));
        ck_assert(b.told && b.r == 0);
        unit_world_done(&u);
}
END_TEST

START_TEST(what_is_required_fails)
{
        Service *s;

        unit_world_init(&u,
                        (const FakeUnitFile[]){{"/e/a.service",
                                                "[Unit]\nRequires=b.service\nAfter=b.service\n" RUN("a")},
                                               {"/e/b.service", "[Service]\nType=oneshot\nExecStart=/b\n"},
                                               {NULL}});
        s = service_of(&u, "a.service");
        waiter_start(&u, "a.service", &a);
        passes(&u, "/b", 1);
        check_state(s, SERVICE_DEAD, "dependency");
        ck_assert(a.told);
        ck_assert_int_eq(a.e.kind, ERROR_START_FAILED);
        ck_assert_uint_eq(fake.n_spawned, 1);
        unit_world_done(&u);
}
END_TEST

START_TEST(what_is_wanted_fails)
{
        unit_world_init(&u,
                        (const FakeUnitFile[]){
                                        {"/e/a.service",
                                         "[Unit]\nWants=b.service no.service\nAfter=b.service\n" RUN("a")},
                                        {"/e/b.service", "[Service]\nType=oneshot\nExecStart=/b\n"},
                                        {NULL}});
        waiter_start(&u, "a.service", &a);
        passes(&u, "/b", 1);
        execs(&u, "/a");
        ck_assert(a.told && a.r == 0);
        unit_world_done(&u);
}
END_TEST

START_TEST(conflicts)
{
        FakeProcess *p;

        unit_world_init(&u,
                        (const FakeUnitFile[]){{"/e/a.service", "[Unit]\nConflicts=b.service\n" RUN("a")},
                                               {"/e/b.service", RUN("b")},
                                               {NULL}});
        waiter_start(&u, "b.service", &b);
        p = execs(&u, "/b");
        waiter_start(&u, "a.service", &a);
        ck_assert(!p->alive); /* first */
        execs(&u, "/a");
        ck_assert(a.told && a.r == 0);
        check_state(service_of(&u, "b.service"), SERVICE_DEAD, "success");
        unit_world_done(&u);
}
END_TEST

START_TEST(a_condition_that_does_not_hold)
{
        unit_world_init(&u, (const FakeUnitFile[]){{"/e/a.service",
                                                    "[Unit]\nConditionPathExists=/no/such/path\n" RUN("a")},
                                                   {"/e/b.service",
                                                    "[Unit]\nConditionPathExists=!/no/such/path\n" RUN("b")},
                                                   {NULL}});
        waiter_start(&u, "a.service", &a);
        ck_assert(a.told && a.r == 0);
        check_state(service_of(&u, "a.service"), SERVICE_DEAD, "condition");
        ck_assert_uint_eq(fake.n_spawned, 0);
        waiter_start(&u, "b.service", &b);
        execs(&u, "/b");
        ck_assert(b.told && b.r == 0);
        unit_world_done(&u);
}
END_TEST

/* The last to be started goes first, also where no order was asked for. */
START_TEST(all_go_down_in_order)
{
        FakeProcess *p, *q;

        unit_world_init(&u, (const FakeUnitFile[]){
                                            {"/e/a.service", RUN("a")}, {"/e/b.service", RUN("b")}, {NULL}});
        waiter_start(&u, "a.service", &a);
        p = execs(&u, "/a");
        waiter_start(&u, "b.service", &b);
        q = execs(&u, "/b");
        q->manners = FAKE_IGNORES;
        unit_set_stop_all(&u.units, 5 * SECOND);
        pass(&u, 5 * SECOND - MOMENT);
        ck_assert(p->alive && q->alive);
        ck_assert_uint_eq(fake_count_signals(p, SIGTERM), 0);
        pass(&u, MOMENT);
        ck_assert(!p->alive && !q->alive);
        ck_assert_int_lt(unit_set_start(&u.units, "a.service", NULL, NULL), 0);
        unit_world_done(&u);
}
END_TEST

/* What runs goes on by what it was started with; the next start is by the new file. */
START_TEST(files_that_change)
{
        Service *s;

        unit_world_init(&u,
                        (const FakeUnitFile[]){{"/e/a.service", RUN("old") "ExecStop=/old-stop\n"}, {NULL}});
        s = service_of(&u, "a.service");
        waiter_start(&u, "a.service", &a);
        execs(&u, "/old");
        fake_unit_files_set((const FakeUnitFile[]){{"/e/a.service", RUN("new")}, {NULL}});
        ck_assert_int_eq(unit_set_reload(&u.units, NULL, NULL), 0);
        settle(&u);
        check_state(s, SERVICE_RUNNING, "success");
        waiter_stop(&u, "a.service", &b);
        passes(&u, "/old-stop", 0);
        ck_assert(b.told && b.r == 0);
        waiter_start(&u, "a.service", &a);
        execs(&u, "/new");
        ck_assert(a.told && a.r == 0);
        unit_world_done(&u);
}
END_TEST

TEST_MAIN("unit-set", requires_and_after, what_is_required_fails, what_is_wanted_fails, conflicts,
          a_condition_that_does_not_hold, all_go_down_in_order, files_that_change)
