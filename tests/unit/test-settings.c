/* The settings table, and text by it: what -p and unit files say, with the values that the bus would have
 * brought. */

#include "unit/settings.h"

#include <errno.h>
#include <signal.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "test-main.h"

static SettingValue parsed(const char *key, const char *text)
{
        SettingId id = setting_by_key(key);
        const char *reason = NULL;
        SettingValue v;

        ck_assert_int_lt(id, _SETTING_MAX);
        ck_assert_msg(setting_parse(id, text, false, &v, &reason) == 0, "%s=%s: %s", key, text, reason);
        ck_assert_int_eq(v.type, settings[id].type);
        return v;
}

static void check_unsigned(const char *key, const char *text, uint64_t expected)
{
        ck_assert_uint_eq(parsed(key, text).unsigned_, expected);
}

static void check_number(const char *key, const char *text, int64_t expected)
{
        ck_assert_int_eq(parsed(key, text).number, expected);
}

/* The words, with a bar between them. */
static void check_list(const char *key, const char *text, const char *expected)
{
        SettingValue v = parsed(key, text);
        _cleanup_free_ char *joined = strv_join(v.strv, "|");

        ck_assert_str_eq(joined, expected);
        setting_value_done(&v);
}

static void check_refused(const char *key, const char *text, int error, const char *part_of_reason)
{
        SettingValue v = {.type = SETTING_TYPE_FD, .fd = 42};
        const char *reason = NULL;

        ck_assert_msg(setting_parse(setting_by_key(key), text, false, &v, &reason) == error, "%s=%s", key,
                      text);
        ck_assert_ptr_nonnull(reason);
        ck_assert_msg(strstr(reason, part_of_reason), "%s=%s: %s", key, text, reason);
        ck_assert_int_eq(v.fd, 42); /* untouched */
}

START_TEST(the_table_is_in_order)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                const Setting *s = &settings[id];

                ck_assert_ptr_nonnull(s->name);
                ck_assert_int_eq(setting_by_name(s->name), id); /* also: no name stands twice */
                ck_assert_int_eq(setting_by_key(s->key ?: s->name), id);
                ck_assert_ptr_nonnull(setting_signature(s->type));
                ck_assert_msg(s->help && *s->help, "%s has no help", s->name);
                ck_assert_msg(!s->words || s->type == SETTING_TYPE_STRING, "%s", s->name);
                ck_assert_msg(s->key || (s->flags & SETTING_BUS_ONLY), "%s has no key", s->name);
        }
}
END_TEST

START_TEST(either_spelling_is_found)
{
        ck_assert_int_eq(setting_by_key("RuntimeMaxSec"), SETTING_RUNTIME_MAX);
        ck_assert_int_eq(setting_by_key("RuntimeMaxUSec"), SETTING_RUNTIME_MAX);
        ck_assert_int_eq(setting_by_name("RuntimeMaxSec"), _SETTING_MAX);
        ck_assert_int_eq(setting_by_key("runtimemaxsec"), _SETTING_MAX);
        ck_assert_int_eq(setting_by_key(""), _SETTING_MAX);
}
END_TEST

START_TEST(booleans)
{
        ck_assert(parsed("MergeOutput", "yes").boolean);
        ck_assert(parsed("MergeOutput", "1").boolean);
        ck_assert(!parsed("MergeOutput", "off").boolean);
        check_refused("MergeOutput", "", -EINVAL, "yes or no");
        check_refused("MergeOutput", "maybe", -EINVAL, "yes or no");
}
END_TEST

START_TEST(numbers_and_their_ranges)
{
        check_number("Nice", "-20", -20);
        check_number("Nice", "19", 19);
        check_refused("Nice", "20", -ERANGE, "out of range");
        check_refused("Nice", "-21", -ERANGE, "out of range");
        check_refused("Nice", "99999999999999999999", -ERANGE, "out of range");
        check_refused("Nice", "1x", -EINVAL, "whole number");
        check_unsigned("LimitNOFILE", "1024", 1024);
        check_unsigned("LimitNOFILE", "infinity", UINT64_MAX);
        check_refused("LimitNOFILE", "-1", -EINVAL, "whole number");
        check_refused("CPUWeight", "0", -ERANGE, "out of range");
        check_refused("CPUWeight", "10001", -ERANGE, "out of range");
        check_refused("CPUWeight", "infinity", -ERANGE, "out of range");
        check_refused("TTYRows", "infinity", -EINVAL, "whole number");
        check_refused("TTYRows", "65536", -ERANGE, "out of range");
        check_unsigned("StartLimitBurst", "4294967295", UINT32_MAX);
}
END_TEST

START_TEST(signals)
{
        check_number("KillSignal", "SIGTERM", SIGTERM);
        check_number("KillSignal", "INT", SIGINT);
        check_number("KillSignal", "9", SIGKILL);
        check_number("KillSignal", "RTMIN+3", 37);
        check_refused("KillSignal", "0", -ERANGE, "1 to 64");
        check_refused("KillSignal", "65", -ERANGE, "1 to 64");
        check_refused("KillSignal", "SIGFOO", -EINVAL, "SIGTERM");
}
END_TEST

START_TEST(modes_sizes_and_spans)
{
        check_unsigned("UMask", "0027", 027);
        check_refused("UMask", "1000", -ERANGE, "out of range"); /* a mode, but no mask */
        check_refused("UMask", "9", -EINVAL, "octal");
        check_unsigned("LogMaxBytes", "64K", 65536);
        check_unsigned("LogMaxBytes", "1.5M", 1572864);
        check_refused("LogMaxBytes", "65535", -ERANGE, "out of range");
        check_refused("OutputMaxBytes", "17M", -ERANGE, "out of range");
        check_refused("LogMaxBytes", "many", -EINVAL, "size");
        check_unsigned("RuntimeMaxSec", "90", UINT64_C(90000000));
        check_unsigned("RuntimeMaxUSec", "1min 30s",
                       UINT64_C(90000000)); /* the spelling does not change the unit */
        check_unsigned("TimeoutStopSec", "100ms", 100000);
        check_unsigned("RuntimeMaxSec", "infinity", UINT64_MAX);
        check_refused("RuntimeMaxSec", "soon", -EINVAL, "span");
}
END_TEST

START_TEST(words_of_a_few)
{
        SettingValue v = parsed("KillMode", "mixed");

        ck_assert_str_eq(v.string, "mixed");
        setting_value_done(&v);
        check_refused("KillMode", "mix", -EINVAL, "control-group|mixed");
        check_refused("KillMode", "", -EINVAL, "control-group|mixed");
        check_refused("KillMode", "control-group|mixed", -EINVAL, "must be one of");
        v = parsed("Description", "any text, 'as it is' \\x41");
        ck_assert_str_eq(v.string, "any text, 'as it is' \\x41");
        setting_value_done(&v);
}
END_TEST

START_TEST(lists_are_split_into_words)
{
        check_list("Environment", "A=1 'B=two words' C=\"x y\"", "A=1|B=two words|C=x y");
        check_list("Environment", "", "");
        check_refused("Environment", "'A=1", -EINVAL, "quote");
}
END_TEST

START_TEST(dicts_hold_each_name_once)
{
        check_list("Labels", "a=1 b=2", "a=1|b=2");
        check_list("Labels", "a=1 a=2", "a=2");
        check_list("Labels", "a= 'b=x=y'", "a=|b=x=y");
        check_list("Labels", "my.key-1=v", "my.key-1=v"); /* no names of variables, any names */
        check_refused("Labels", "=1", -EINVAL, "NAME=VALUE");
        check_refused("Labels", "a", -EINVAL, "NAME=VALUE");
        check_refused("Labels", "a=1 ''", -EINVAL, "NAME=VALUE");
}
END_TEST

START_TEST(blobs_are_the_text_itself)
{
        SettingValue v = parsed("StandardInputText", "line 'one'\nline two\n");

        ck_assert_uint_eq(v.blob.size, strlen("line 'one'\nline two\n"));
        ck_assert_mem_eq(v.blob.data, "line 'one'\nline two\n", v.blob.size);
        setting_value_done(&v);
        v = parsed("StandardInputData", "");
        ck_assert_uint_eq(v.blob.size, 0);
        setting_value_done(&v);
}
END_TEST

START_TEST(no_text_is_a_descriptor)
{
        check_refused("StandardInputFileDescriptor", "3", -EINVAL, "descriptor");
}
END_TEST

START_TEST(given_again)
{
        SettingValue v = parsed("Environment", "A=1"), labels = parsed("Labels", "a=1 b=2"),
                     user = parsed("User", "one");
        const char *reason;

        /* A list grows, a dict replaces by name, a plain value is replaced. */
        ck_assert_int_eq(setting_parse(SETTING_ENVIRONMENT, "A=2 B=3", true, &v, &reason), 0);
        ck_assert_uint_eq(strv_length(v.strv), 3);
        ck_assert_str_eq(v.strv[1], "A=2");
        ck_assert_int_eq(setting_parse(SETTING_LABELS, "a=9 c=3", true, &labels, &reason), 0);
        ck_assert_uint_eq(strv_length(labels.strv), 3);
        ck_assert_str_eq(labels.strv[0], "a=9");
        ck_assert_int_eq(setting_parse(SETTING_USER, "two", true, &user, &reason), 0);
        ck_assert_str_eq(user.string, "two");

        /* What is refused changes nothing. */
        ck_assert_int_eq(setting_parse(SETTING_ENVIRONMENT, "C=4 'D", true, &v, &reason), -EINVAL);
        ck_assert_uint_eq(strv_length(v.strv), 3);
        ck_assert_int_eq(setting_parse(SETTING_LABELS, "d=4 e", true, &labels, &reason), -EINVAL);
        ck_assert_uint_eq(strv_length(labels.strv), 3);

        /* An empty assignment starts anew. */
        ck_assert_int_eq(setting_parse(SETTING_ENVIRONMENT, "", true, &v, &reason), 0);
        ck_assert_uint_eq(strv_length(v.strv), 0);

        setting_value_done(&v);
        setting_value_done(&labels);
        setting_value_done(&user);
}
END_TEST

START_TEST(a_want_of_memory_changes_nothing)
{
        static const struct {
                SettingId id;
                const char *before, *text;
        } cases[] = {
                        {SETTING_LABELS, "a=1 b=2", "a=3 c=4"},
                        {SETTING_ENVIRONMENT, "A=1", "B=2 'C=3 4'"},
                        {SETTING_USER, "one", "two"},
                        {SETTING_STANDARD_INPUT_DATA, "x", "yy"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (unsigned nth = 1, hits = 1; hits > 0; nth++) {
                        SettingValue v = parsed(settings[cases[i].id].name, cases[i].before);
                        const char *reason;
                        int r;

                        alloc_fault_set(nth, false);
                        r = setting_parse(cases[i].id, cases[i].text, true, &v, &reason);
                        hits = alloc_fault_hits();
                        alloc_fault_set(0, false);
                        ck_assert_int_eq(r, hits > 0 ? -ENOMEM : 0);
                        if (hits > 0 && v.type == SETTING_TYPE_DICT) {
                                ck_assert_uint_eq(strv_length(v.strv), 2);
                                ck_assert_str_eq(v.strv[0], "a=1");
                        }
                        setting_value_done(&v);
                }
}
END_TEST

START_TEST(values_from_the_bus_are_checked_alike)
{
        const char *reason = NULL;
        SettingValue v = {.type = SETTING_TYPE_SIGNAL, .number = 65};

        ck_assert_int_eq(setting_check(SETTING_KILL_SIGNAL, &v, &reason), -ERANGE);
        ck_assert_ptr_nonnull(strstr(reason, "1 to 64"));
        v = (SettingValue){.type = SETTING_TYPE_STRING, .string = (char *) "of another kind"};
        ck_assert_int_eq(setting_check(SETTING_STANDARD_INPUT, &v, &reason), -EINVAL);
        ck_assert_str_eq(reason, "must be one of \"null|data|pipe\"");
        v.string = (char *) "pipe";
        ck_assert_int_eq(setting_check(SETTING_STANDARD_INPUT, &v, &reason), 0);
}
END_TEST

TEST_MAIN("settings", the_table_is_in_order, either_spelling_is_found, booleans, numbers_and_their_ranges,
          signals, modes_sizes_and_spans, words_of_a_few, lists_are_split_into_words,
          dicts_hold_each_name_once, blobs_are_the_text_itself, no_text_is_a_descriptor, given_again,
          a_want_of_memory_changes_nothing, values_from_the_bus_are_checked_alike)
