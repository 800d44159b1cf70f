/* Services without memory: whatever one comes to, it comes to an end, is told, and leaves nothing. */

#include "basic/alloc.h"
#include "unit-world.h"

static UnitWorld u;
static Waiter started, stopped;

#define ALL                                                                                                 \
        "ExecStartPre=/pre\nExecStart=/main\nExecStartPost=/post\nExecStop=/stop\nExecStopPost=/"           \
        "stop-post\n"

static Service *begin(const char *text)
{
        unit_world_init(&u, (const FakeUnitFile[]){{"/e/a.service", text}, {NULL}});
        return service_of(&u, "a.service");
}

static void end(void)
{
        unit_world_done(&u);
}

/* Whoever is started runs until its time is over. */
static void go_on(void)
{
        for (unsigned i = 0; i < 4; i++) {
                FakeProcess *p;

                settle(&u);
                p = fake_newest();
                if (p && p->alive && p->status_fd >= 0)
                        fake_exec(p);
                pass(&u, 60 * SECOND);
        }
}

/* Each allocation of a life fails once, or from there on: whatever it comes to, it comes to an end, is told,
 * and leaves nothing; and then all goes well. */
static bool live(unsigned nth, bool forever)
{
        Service *s = begin(
                        "[Service]\nType=exec\nTimeoutStopSec=2\nTimeoutStartSec=2\nEnvironment=A=1\n" ALL);
        Error e = ERROR_NULL;
        unsigned hits;
        int r;

        waiter_init(&started);
        waiter_init(&stopped);
        alloc_fault_set(nth, forever);
        r = unit_set_start(&u.units, "a.service", &started.wait, &e);
        ck_assert(r == 0 || e.kind == ERROR_NO_MEMORY);
        for (unsigned i = 0; i < 10; i++) {
                FakeProcess *p;

                settle(&u);
                p = fake_newest();
                if (!p || !p->alive)
                        break;
                if (p->status_fd >= 0)
                        fake_exec(p);
                settle(&u);
                if (p->alive && !streq(p->parameters.argv[0], "/main"))
                        fake_exit(p, 0);
                else if (service_is_active(s))
                        break;
        }
        r = unit_set_stop(&u.units, "a.service", &stopped.wait, &e);
        ck_assert(r == 0 || e.kind == ERROR_NO_MEMORY);
        go_on();
        hits = alloc_fault_hits();
        alloc_fault_set(0, false);
        if (r < 0) {
                waiter_stop(&u, "a.service", &stopped);
                go_on();
        }
        settle(&u);
        ck_assert_msg(service_is_inactive(s), "allocation %u: %d", nth, (int) s->state);
        ck_assert_msg(stopped.told, "allocation %u", nth);
        ck_assert_uint_eq(fake.n_scopes, 0);
        list_remove(&started.wait.link);
        waiter_start(&u, "a.service", &started);
        passes(&u, "/pre", 0);
        execs(&u, "/main");
        passes(&u, "/post", 0);
        check_state(s, SERVICE_RUNNING, "success");
        end();
        return hits > 0;
}

START_TEST(each_allocation_of_a_life)
{
        for (unsigned forever = 0; forever < 2; forever++) {
                unsigned nth = 1;

                while (live(nth, forever))
                        nth++;
                ck_assert_uint_gt(nth, 20);
        }
}
END_TEST

TEST_MAIN("service-memory", each_allocation_of_a_life)
