/* Options that choose jobs, and what of them goes over the bus. */

#include "ctl/selector.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
/* The last one: Check has a fail() of its own. */
#include "ctl-message.h"

static const Verb verb = {.name = "stop"};

/* One option by its name. What is said of it is not shown. */
static int set(Selector *s, const char *name, const char *value)
{
        int r = FAILED, saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(null, STDERR_FILENO);
        for (const Option *o = selector_options; o->id; o++)
                if (streq(o->name, name))
                        r = selector_set(s, &verb, o->id, value);
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(null);
        return r;
}

static void check_sent(const Selector *s, const char *id, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *json = NULL;
        sd_bus *bus = message_bus();
        sd_bus_message *m = message_signal(bus, "/a", "a.b", "C");

        ck_assert_int_ge(selector_append(s, id, m), 0);
        ck_assert_int_eq(json_value(&b, message_sealed(m)), 0);
        json = buffer_take(&b, NULL);
        ck_assert_str_eq(json, expected);
        sd_bus_message_unref(m);
        sd_bus_unref(bus);
}

START_TEST(each_option_is_a_key)
{
        Selector s = {0};

        check_sent(&s, NULL, "{}");
        check_sent(&s, "j1", "{\"Id\":\"j1\"}");
        ck_assert_int_eq(set(&s, "session", "work"), 0);
        ck_assert_int_eq(set(&s, "label", "a=b=c"), 0);
        ck_assert_int_eq(set(&s, "pattern", "^x"), 0);
        ck_assert_int_eq(set(&s, "pid", "42"), 0);
        ck_assert_int_eq(set(&s, "state", "running,exited"), 0);
        ck_assert_int_eq(set(&s, "state", "stopping"), 0); /* and again: one more */
        s.all = true;
        check_sent(&s, NULL,
                   "{\"Session\":\"work\",\"Label\":\"a=b=c\",\"Pattern\":\"^x\",\"PID\":42,\"All\":true,"
                   "\"States\":[\"running\",\"exited\",\"stopping\"]}");
        selector_done(&s);
}
END_TEST

START_TEST(live_ones_are_all_but_finished)
{
        Selector s = {0};

        ck_assert_int_eq(selector_choose_live(&s), 0);
        check_sent(&s, NULL,
                   "{\"States\":[\"starting\",\"running\",\"exited\",\"restarting\",\"stopping\"]}");
        selector_done(&s);
}
END_TEST

START_TEST(what_nothing_can_match_is_refused)
{
        static const struct {
                const char *name, *value;
        } wrong[] = {
                        {"pid", "0"},          {"pid", "-1"},  {"pid", ""},          {"pid", "x"},
                        {"pid", "12x"},        {"state", ""},  {"state", "Running"}, {"state", "running,"},
                        {"pid", "4294967297"}, {"label", "a"}, {"label", "=b"},      {"label", ""},
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                Selector s = {0};

                ck_assert_msg(set(&s, wrong[i].name, wrong[i].value) == MISUSED, "--%s=%s", wrong[i].name,
                              wrong[i].value);
                selector_done(&s);
        }
}
END_TEST

static int check(char **ids, const char *name, const char *value, bool must)
{
        int r, saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        Selector s = {.ids = ids};

        if (name)
                ck_assert_int_eq(set(&s, name, value), 0);
        dup2(null, STDERR_FILENO);
        r = must ? selector_check(&s, &verb) : selector_check_ids(&s, &verb);
        dup2(saved, STDERR_FILENO);
        close(saved);
        close(null);
        selector_done(&s);
        return r;
}

START_TEST(ids_or_options_and_one_of_them)
{
        char *none[] = {NULL}, *one[] = {(char *) "j1", NULL};

        ck_assert_int_eq(check(one, NULL, NULL, true), 0);
        ck_assert_int_eq(check(none, NULL, NULL, true), MISUSED);
        ck_assert_int_eq(check(none, NULL, NULL, false), 0); /* list shows all */
        for (const Option *o = selector_options; o->id; o++) {
                const char *value = streq(o->name, "label")   ? "a=b"
                                    : streq(o->name, "state") ? "running"
                                                              : "7";

                ck_assert_msg(check(none, o->name, value, true) == 0, "--%s", o->name);
                ck_assert_msg(check(one, o->name, value, true) == MISUSED, "--%s", o->name);
                ck_assert_msg(check(one, o->name, value, false) == MISUSED, "--%s", o->name);
        }
}
END_TEST

TEST_MAIN("ctl-selector", each_option_is_a_key, live_ones_are_all_but_finished,
          what_nothing_can_match_is_refused, ids_or_options_and_one_of_them)
