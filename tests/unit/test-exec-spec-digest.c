/* When two requests are the same: argv and every setting but the neutral ones. */

#include <stdlib.h>

#include "basic/strv.h"
#include "core/error.h"
#include "core/exec-spec.h"
#include "fake-world.h"
#include "test-main.h"

static RequestDigest digest_of(const ExecSpec *s)
{
        RequestDigest d;

        exec_spec_digest(s, &d);
        return d;
}

static bool same(RequestDigest a, RequestDigest b)
{
        return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

/* Of a request with one setting; text NULL: without it. */
static RequestDigest digest_with(SettingId id, const char *text)
{
        RequestDigest d;
        ExecSpec s;

        spec_init(&s);
        if (text && settings[id].key) {
                spec_set(&s, settings[id].name, text);
        } else if (text) { /* over the bus alone: a truth value, or a descriptor */
                SettingValue v = {.type = SETTING_TYPE_BOOL, .boolean = streq(text, "yes")};

                if (settings[id].type == SETTING_TYPE_FD)
                        v = (SettingValue){.type = SETTING_TYPE_FD, .fd = dup(2)};
                ck_assert_int_eq(exec_spec_set(&s, id, &v, NULL), 0);
        }
        if (text && id == SETTING_STANDARD_INPUT_DATA)
                spec_set(&s, "StandardInput", "data");
        d = digest_of(&s);
        exec_spec_done(&s);
        return d;
}

static RequestDigest digest_of_argv(char *const *argv)
{
        RequestDigest d;
        ExecSpec s;

        exec_spec_init(&s);
        ck_assert_int_eq(exec_spec_set_argv(&s, argv, NULL), 0);
        d = digest_of(&s);
        exec_spec_done(&s);
        return d;
}

#define ARGV(...) digest_of_argv((char *const[]){__VA_ARGS__, NULL})
#define S(text) ((char *) (text))

START_TEST(argv)
{
        ck_assert(same(ARGV(S("a"), S("b")), ARGV(S("a"), S("b"))));
        ck_assert(!same(ARGV(S("a"), S("b")), ARGV(S("b"), S("a"))));
        ck_assert(!same(ARGV(S("a"), S("b")), ARGV(S("ab"))));
        ck_assert(!same(ARGV(S("a"), S("bc")), ARGV(S("ab"), S("c"))));
        ck_assert(!same(ARGV(S("a")), ARGV(S("a"), S(""))));
        ck_assert(!same(ARGV(S("a")), ARGV(S("A"))));
}
END_TEST

/* Two values of each setting that can be had: each makes a request of its own. */
static const char *const values[_SETTING_MAX][2] = {
                [SETTING_ID] = {"a", "b"},
                [SETTING_SESSION] = {"a", "b"},
                [SETTING_DESCRIPTION] = {"a", "b"},
                [SETTING_LABELS] = {"a=1", "a=2"},
                [SETTING_WORKING_DIRECTORY] = {"/", "/tmp"},
                [SETTING_ENVIRONMENT] = {"A=1", "A=2"},
                [SETTING_UNSET_ENVIRONMENT] = {"A", "B"},
                [SETTING_USER] = {"alice", "root"},
                [SETTING_GROUP] = {"alice", "wheel"},
                [SETTING_SUPPLEMENTARY_GROUPS] = {"wheel", "video"},
                [SETTING_UMASK] = {"022", "077"},
                [SETTING_NICE] = {"1", "-1"},
                [SETTING_OOM_SCORE_ADJUST] = {"1", "2"},
                [SETTING_NO_NEW_PRIVILEGES] = {"yes", "no"},
                [SETTING_CAPABILITY_BOUNDING_SET] = {"CAP_KILL", "CAP_CHOWN"},
                [SETTING_LIMIT_NOFILE] = {"1", "2"},
                [SETTING_LIMIT_NPROC] = {"1", "2"},
                [SETTING_LIMIT_CORE] = {"1", "2"},
                [SETTING_LIMIT_FSIZE] = {"1", "2"},
                [SETTING_LIMIT_AS] = {"1", "2"},
                [SETTING_LIMIT_CPU] = {"1", "2"},
                [SETTING_LIMIT_STACK] = {"1", "2"},
                [SETTING_LIMIT_MEMLOCK] = {"1", "2"},
                [SETTING_STANDARD_INPUT] = {"pipe", "data"},
                [SETTING_STANDARD_INPUT_DATA] = {"a", "b"},
                [SETTING_STANDARD_INPUT_FD] =
                                {"", ""}, /* that two are not the same is seen where they are compared */
                [SETTING_STANDARD_OUTPUT_FD] = {"", ""},
                [SETTING_STANDARD_ERROR_FD] = {"", ""},
                [SETTING_TEE] = {"yes", "no"},
                [SETTING_MERGE_OUTPUT] = {"yes", "no"},
                [SETTING_TTY] = {"yes", "no"},
                [SETTING_TTY_ROWS] = {"1", "2"},
                [SETTING_TTY_COLUMNS] = {"1", "2"},
                [SETTING_TERM] = {"vt100", "vt220"},
                [SETTING_RUNTIME_MAX] = {"1", "2"},
                [SETTING_KILL_SIGNAL] = {"1", "2"},
                [SETTING_TIMEOUT_STOP] = {"1", "2"},
                [SETTING_KILL_MODE] = {"mixed", "control-group"},
                [SETTING_NOTIFY_ACCESS] = {"main", "all"},
                [SETTING_WATCHDOG] = {"1", "2"},
                [SETTING_KILL_ON_EXIT] = {"yes", "no"},
                [SETTING_KILL_ON_DISCONNECT] = {"yes", "no"},
                [SETTING_KILL_ON_CANCEL] = {"yes", "no"},
                [SETTING_RESTART] = {"always", "on-failure"},
                [SETTING_RESTART_DELAY] = {"1", "2"},
                [SETTING_RESTART_MAX_DELAY] = {"1", "2"},
                [SETTING_START_LIMIT_BURST] = {"1", "2"},
                [SETTING_START_LIMIT_INTERVAL] = {"1", "2"},
                [SETTING_INITIAL_OUTPUT] = {"1", "2"},
                [SETTING_DRAIN_TIMEOUT] = {"1", "2"},
                [SETTING_OUTPUT_MAX_BYTES] = {"1", "2"},
                [SETTING_LOG_MAX_BYTES] = {"65536", "65537"},
                [SETTING_TEXT] = {"yes", "no"},
};

START_TEST(each_setting_counts_but_the_neutral_ones)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                bool neutral = (settings[id].flags & SETTING_NEUTRAL) != 0;
                RequestDigest without, one, other;

                if (settings[id].flags & SETTING_UNAVAILABLE)
                        continue; /* nothing starts with it */
                ck_assert_msg(values[id][0], "%s is not tested", settings[id].name);
                without = digest_with(id, NULL);
                one = digest_with(id, values[id][0]);
                other = digest_with(id, values[id][1]);
                ck_assert_msg(same(one, digest_with(id, values[id][0])), "%s", settings[id].name);
                ck_assert_msg(same(without, one) == neutral, "%s: given or not", settings[id].name);
                ck_assert_msg(settings[id].type == SETTING_TYPE_FD || same(one, other) == neutral,
                              "%s: two values", settings[id].name);
                ck_assert_msg(same(without, other) == neutral, "%s: given or not", settings[id].name);
        }
}
END_TEST

/* "all options but Text, OutputMaxBytes, InitialOutputUSec, DrainTimeoutUSec, KillOnCancel". */
START_TEST(the_neutral_ones_are_the_contracts)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                ck_assert_msg(((settings[id].flags & SETTING_NEUTRAL) != 0) ==
                                              (id == SETTING_TEXT || id == SETTING_OUTPUT_MAX_BYTES ||
                                               id == SETTING_INITIAL_OUTPUT || id == SETTING_DRAIN_TIMEOUT ||
                                               id == SETTING_KILL_ON_CANCEL),
                              "%s", settings[id].name);
}
END_TEST

static RequestDigest digest_of_two(const char *name_a, const char *a, const char *name_b, const char *b)
{
        RequestDigest d;
        ExecSpec s;

        spec_init(&s);
        spec_set(&s, name_a, a);
        spec_set(&s, name_b, b);
        d = digest_of(&s);
        exec_spec_done(&s);
        return d;
}

START_TEST(lists_do_not_run_into_one_another)
{
        ck_assert(!same(digest_with(SETTING_ENVIRONMENT, "A=1 B=2"),
                        digest_with(SETTING_ENVIRONMENT, "\"A=1 B=2\"")));
        ck_assert(!same(digest_with(SETTING_ENVIRONMENT, "A=1 B=2"),
                        digest_with(SETTING_ENVIRONMENT, "B=2 A=1")));
        ck_assert(!same(digest_with(SETTING_UNSET_ENVIRONMENT, "A"),
                        digest_with(SETTING_UNSET_ENVIRONMENT, "A A")));
        ck_assert(!same(digest_of_two("User", "ab", "Group", "c"),
                        digest_of_two("User", "a", "Group", "bc")));
        ck_assert(!same(digest_of_two("User", "a", "Group", "b"), digest_of_two("User", "b", "Group", "a")));
        ck_assert(!same(digest_of_two("Description", "a", "Session", "b"),
                        digest_of_two("Description", "b", "Session", "a")));
}
END_TEST

/* Options come in a dictionary: their order means nothing. */
START_TEST(the_order_of_options_does_not_count)
{
        ck_assert(same(digest_of_two("User", "alice", "Nice", "5"),
                       digest_of_two("Nice", "5", "User", "alice")));
        ck_assert(same(digest_of_two("KillMode", "mixed", "StandardInput", "data"),
                       digest_of_two("StandardInput", "data", "KillMode", "mixed")));
}
END_TEST

/* So do labels: a{ss}. */
START_TEST(the_order_of_labels_does_not_count)
{
        ck_assert(same(digest_with(SETTING_LABELS, "a=1 b=2"), digest_with(SETTING_LABELS, "b=2 a=1")));
}
END_TEST

TEST_MAIN("exec-spec-digest", argv, each_setting_counts_but_the_neutral_ones,
          the_neutral_ones_are_the_contracts, lists_do_not_run_into_one_another,
          the_order_of_options_does_not_count, the_order_of_labels_does_not_count)
