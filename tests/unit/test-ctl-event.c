/* A line an event: what is said of which signal, and of which nothing. */

#include "ctl/event.h"

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "bus/names.h"
#include "ctl-message.h"

#define JOB BUS_PATH_JOB "/j1"
#define NOW UINT64_C(1795625331000042)

typedef struct Fixture {
        sd_bus *bus;
        Events events;
} Fixture;

static Fixture fixture(bool json)
{
        Fixture f = {.bus = message_bus()};

        setenv("TZ", "UTC", 1);
        events_init(&f.events, json);
        return f;
}

static void fixture_done(Fixture *f)
{
        events_done(&f->events);
        sd_bus_unref(f->bus);
}

/* m is used up. expected: the line without its time, "" for none. */
static void check_event(Fixture *f, sd_bus_message *m, const char *expected)
{
        static const char time[] = "2026-11-25T16:48:51.000042+0000 ";
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *line = NULL;
        const char *rest;

        ck_assert_int_eq(events_append(&f->events, message_sealed(m), NOW, &b), 0);
        line = buffer_take(&b, NULL);
        rest = f->events.json || !*line ? line : startswith(line, time);
        ck_assert_msg(rest, "%s", line);
        ck_assert_str_eq(rest, expected);
        sd_bus_message_unref(m);
}

static sd_bus_message *job_new(Fixture *f)
{
        sd_bus_message *m = message_signal(f->bus, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
                                           "InterfacesAdded");

        ck_assert_int_ge(sd_bus_message_append(m, "oa{sa{sv}}", JOB, 2, "org.freedesktop.DBus.Peer", 0,
                                               BUS_INTERFACE_JOB, 4, "Command", "as", 2, "sleep", "a b",
                                               "Session", "s", "work", "State", "s", "running", "PID", "u",
                                               7),
                         0);
        return m;
}

static sd_bus_message *job_changed(Fixture *f, const char *state, uint32_t pid, bool frozen)
{
        sd_bus_message *m =
                        message_signal(f->bus, JOB, "org.freedesktop.DBus.Properties", "PropertiesChanged");

        ck_assert_int_ge(sd_bus_message_append(m, "sa{sv}as", BUS_INTERFACE_JOB, 3, "State", "s", state,
                                               "PID", "u", pid, "Frozen", "b", frozen, 2, "A", "B"),
                         0);
        return m;
}

static sd_bus_message *manager_signal(Fixture *f, const char *member, const char *types, const char *id,
                                      const char *second)
{
        sd_bus_message *m = message_signal(f->bus, BUS_PATH, BUS_INTERFACE_MANAGER, member);

        ck_assert_int_ge(sd_bus_message_append(m, types, id, second, 3, 0), 0);
        return m;
}

START_TEST(the_life_of_a_job)
{
        Fixture f = fixture(false);

        check_event(&f, job_new(&f), "job j1: new, PID 7, session work: sleep 'a b'\n");
        check_event(&f, manager_signal(&f, "JobNew", "so", "j1", JOB), "");
        check_event(&f, job_changed(&f, "running", 7, false), ""); /* as was said */
        check_event(&f, job_changed(&f, "running", 7, true), "job j1: running, frozen\n");
        check_event(&f, job_changed(&f, "running", 7, false), "job j1: running, PID 7\n");
        check_event(&f, job_changed(&f, "stopping", 7, false), "job j1: stopping\n");
        check_event(&f, job_changed(&f, "stopping", 0, false), "");
        check_event(&f, job_changed(&f, "exited", 0, false), ""); /* JobExited says it */
        check_event(&f, manager_signal(&f, "JobExited", "ssii", "j1", "exit-code"),
                    "job j1: exited, exit-code 3\n");
        check_event(&f, job_changed(&f, "restarting", 0, false), "job j1: restarting\n");
        check_event(&f, job_changed(&f, "running", 9, false), "job j1: running, PID 9\n");
        check_event(&f, job_changed(&f, "finished", 0, false), "");
        check_event(&f, manager_signal(&f, "JobFinished", "ss", "j1", "success"), "job j1: finished\n");
        check_event(&f, manager_signal(&f, "JobRemoved", "so", "j1", JOB), "job j1: removed\n");
        ck_assert_uint_eq(f.events.states.n_entries, 0); /* what was said of it goes with it */
        fixture_done(&f);
}
END_TEST

START_TEST(the_life_of_a_session)
{
        Fixture f = fixture(false);
        sd_bus_message *m = message_signal(f.bus, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
                                           "InterfacesAdded");

        ck_assert_int_ge(sd_bus_message_append(m, "oa{sa{sv}}", BUS_PATH_SESSION "/a_2db", 1,
                                               BUS_INTERFACE_SESSION, 1, "WorkingDirectory", "s", "/srv"),
                         0);
        check_event(&f, m, "session a-b: new, directory /srv\n");

        m = message_signal(f.bus, BUS_PATH_SESSION "/a_2db", "org.freedesktop.DBus.Properties",
                           "PropertiesChanged");
        ck_assert_int_ge(sd_bus_message_append(m, "sa{sv}as", BUS_INTERFACE_SESSION, 1, "WorkingDirectory",
                                               "s", "/a\nb", 0),
                         0);
        check_event(&f, m, "session a-b: directory /a\\nb\n");

        /* Its jobs are told of as such. */
        m = message_signal(f.bus, BUS_PATH_SESSION "/a_2db", "org.freedesktop.DBus.Properties",
                           "PropertiesChanged");
        ck_assert_int_ge(sd_bus_message_append(m, "sa{sv}as", BUS_INTERFACE_SESSION, 1, "Jobs", "as", 1,
                                               "j1", 0),
                         0);
        check_event(&f, m, "");

        check_event(&f, manager_signal(&f, "SessionRemoved", "so", "a-b", BUS_PATH_SESSION "/a_2db"),
                    "session a-b: removed\n");
        fixture_done(&f);
}
END_TEST

START_TEST(json_has_all_that_comes)
{
        Fixture f = fixture(true);

        check_event(&f, job_new(&f),
                    "{\"time\":1795625331000042,\"event\":\"JobNew\",\"id\":\"j1\",\"properties\":{"
                    "\"Command\":"
                    "[\"sleep\",\"a b\"],\"Session\":\"work\",\"State\":\"running\",\"PID\":7}}\n");
        for (int i = 0; i < 2; i++)
                check_event(&f, job_changed(&f, "exited", 0, false),
                            "{\"time\":1795625331000042,\"event\":\"JobChanged\",\"id\":\"j1\","
                            "\"properties\":"
                            "{\"State\":\"exited\",\"PID\":0,\"Frozen\":false},\"invalidated\":[\"A\",\"B\"]"
                            "}\n");
        check_event(&f, manager_signal(&f, "JobExited", "ssii", "j1", "exit-code"),
                    "{\"time\":1795625331000042,\"event\":\"JobExited\",\"id\":\"j1\",\"result\":\"exit-"
                    "code\","
                    "\"exit_code\":3,\"signal\":0}\n");
        check_event(&f, manager_signal(&f, "JobFinished", "ss", "j1", "success"),
                    "{\"time\":1795625331000042,\"event\":\"JobFinished\",\"id\":\"j1\",\"result\":"
                    "\"success\"}\n");
        check_event(&f, manager_signal(&f, "JobRemoved", "so", "j1", JOB),
                    "{\"time\":1795625331000042,\"event\":\"JobRemoved\",\"id\":\"j1\"}\n");
        fixture_done(&f);
}
END_TEST

START_TEST(how_reeve_stands_comes_first)
{
        for (int json = 0; json < 2; json++) {
                Fixture f = fixture(json);
                _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
                _cleanup_free_ char *line = NULL;
                sd_bus_message *m = message_signal(f.bus, "/a", "a.b", "C");

                ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 1, "State", "s", "running"), 0);
                ck_assert_int_eq(events_begin(&f.events, message_sealed(m), NOW, &b), 0);
                line = buffer_take(&b, NULL);
                ck_assert_str_eq(line,
                                 json ? "{\"time\":1795625331000042,\"event\":\"Reeve\",\"properties\":"
                                        "{\"State\":\"running\"}}\n"
                                      : "2026-11-25T16:48:51.000042+0000 reeve: running\n");
                sd_bus_message_unref(m);
                fixture_done(&f);
        }
}
END_TEST

START_TEST(other_signals_are_not_ours)
{
        Fixture f = fixture(false);
        sd_bus_message *m =
                        message_signal(f.bus, JOB, "org.freedesktop.DBus.Properties", "PropertiesChanged");

        ck_assert_int_ge(sd_bus_message_append(m, "sa{sv}as", "some.other", 1, "A", "s", "b", 0), 0);
        check_event(&f, m, "");
        check_event(&f, message_signal(f.bus, BUS_PATH, BUS_INTERFACE_MANAGER, "Unheard"), "");
        fixture_done(&f);
}
END_TEST

START_TEST(what_is_of_another_form_is_an_error)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        Fixture f = fixture(false);
        sd_bus_message *m = message_signal(f.bus, BUS_PATH, BUS_INTERFACE_MANAGER, "JobExited");

        ck_assert_int_ge(sd_bus_message_append(m, "u", 1), 0);
        ck_assert_int_lt(events_append(&f.events, message_sealed(m), NOW, &b), 0);
        sd_bus_message_unref(m);
        fixture_done(&f);
}
END_TEST

TEST_MAIN("ctl-event", the_life_of_a_job, the_life_of_a_session, json_has_all_that_comes,
          how_reeve_stands_comes_first, other_signals_are_not_ours, what_is_of_another_form_is_an_error)
