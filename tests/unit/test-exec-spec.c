/* Reading a request: what each setting takes and refuses, and what contradicts what. */

#include "core/exec-spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "test-main.h"

/* A value as a D-Bus message would bring it: of the right type, and nothing else is checked. Lists are
 * written with bars between; "" is the empty one, and "|" one that holds an empty word. */
static SettingValue value_of(SettingId id, const char *text)
{
        SettingValue v = {.type = settings[id].type};

        switch (v.type) {
        case SETTING_TYPE_BOOL: v.boolean = streq(text, "true"); break;
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: v.number = strtoll(text, NULL, 10); break;
        case SETTING_TYPE_STRING: v.string = strdup(text); break;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT:
                v.strv = strv_copy(NULL);
                while (*text) {
                        size_t n = strcspn(text, "|");

                        ck_assert_int_eq(strv_consume(&v.strv, strndup(text, n)), 0);
                        text += n + (text[n] == '|');
                }
                break;
        case SETTING_TYPE_BLOB:
                v.blob.size = strlen(text);
                v.blob.data = strdup(text);
                break;
        case SETTING_TYPE_FD: v.fd = -EBADF; break;
        default: v.unsigned_ = strtoull(text, NULL, 0);
        }
        return v;
}

static int set(ExecSpec *s, SettingId id, const char *text, Error *e)
{
        SettingValue v = value_of(id, text);
        int r = exec_spec_set(s, id, &v, e);

        setting_value_done(&v);
        return r;
}

static void set_ok(ExecSpec *s, SettingId id, const char *text)
{
        Error e = ERROR_NULL;

        ck_assert_msg(set(s, id, text, &e) == 0, "%s: %s", settings[id].name, e.message);
        ck_assert(exec_spec_is_given(s, id));
}

#define MAX64 "18446744073709551615"

/* Values that are taken and values that are not, NULL after the last. */
static const struct {
        const char *good[6], *bad[8];
} cases[_SETTING_MAX] = {
                [SETTING_ID] = {{"a", "A.b_c-9", ".",
                                 "1234567890123456789012345678901234567890123456789012345678901234"},
                                {"", "a b", "a/b", "\xc3\xa4", "a\n", "a:", "~",
                                 "12345678901234567890123456789012345678901234567890123456789012345"}},
                [SETTING_SESSION] = {{"default", "my-session.1"}, {"", "a/b", "a b"}},
                [SETTING_DESCRIPTION] = {{"", "some words: \xff"}, {0}},
                [SETTING_LABELS] = {{"", "a=1|b=2", "a=", "a b=c=d"}, {"=x", "a=1|=2"}},
                [SETTING_WORKING_DIRECTORY] = {{"/", "relative/folder", "."}, {""}},
                [SETTING_ENVIRONMENT] = {{"", "A=1|_b2=x=y", "A=", "A=1|A=2"},
                                         {"A", "1A=x", "=x", "A B=x", "|", "A=1|B", "A-B=1", " A=1"}},
                [SETTING_UNSET_ENVIRONMENT] = {{"", "A|B_1"}, {"A=1", "1A", "|", "A|B C"}},
                [SETTING_USER] = {{"alice", "0", "who knows"}, {""}},
                [SETTING_GROUP] = {{"wheel", "10"}, {""}},
                [SETTING_SUPPLEMENTARY_GROUPS] = {{"", "wheel|10"}, {"|", "wheel||video"}},
                [SETTING_UMASK] = {{"0", "022", "0777"}, {"01000", MAX64}},
                [SETTING_NICE] = {{"-20", "0", "19"}, {"-21", "20", "9223372036854775807"}},
                [SETTING_OOM_SCORE_ADJUST] = {{"-1000", "0", "1000"}, {"-1001", "1001"}},
                [SETTING_NO_NEW_PRIVILEGES] = {{"true", "false"}, {0}},
                [SETTING_CAPABILITY_BOUNDING_SET] = {{"", "CAP_KILL", "CAP_NET_BIND_SERVICE|CAP_KILL"},
                                                     {"KILL", "CAP_", "|", "CAP_KILL|CAP_FLY", "~CAP_KILL"}},
                [SETTING_LIMIT_NOFILE] = {{"0", "1024", MAX64}, {0}},
                [SETTING_LIMIT_NPROC] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_CORE] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_FSIZE] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_AS] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_CPU] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_STACK] = {{"0", MAX64}, {0}},
                [SETTING_LIMIT_MEMLOCK] = {{"0", MAX64}, {0}},
                [SETTING_MEMORY_MAX] = {{"0", MAX64}, {0}},
                [SETTING_MEMORY_HIGH] = {{"0", MAX64}, {0}},
                [SETTING_MEMORY_SWAP_MAX] = {{"0", MAX64}, {0}},
                [SETTING_TASKS_MAX] = {{"1", MAX64}, {"0"}},
                [SETTING_CPU_QUOTA] = {{"1", MAX64}, {"0"}},
                [SETTING_CPU_WEIGHT] = {{"1", "10000"}, {"0", "10001"}},
                [SETTING_IO_WEIGHT] = {{"1", "10000"}, {"0", "10001"}},
                [SETTING_STANDARD_INPUT] = {{"null", "data", "pipe"},
                                            {"", "NULL", "null|data", "tty", "inherit"}},
                [SETTING_STANDARD_INPUT_DATA] = {{"", "some\nlines"}, {0}},
                [SETTING_STANDARD_INPUT_FD] = {{""}, {0}},
                [SETTING_STANDARD_OUTPUT_FD] = {{""}, {0}},
                [SETTING_STANDARD_ERROR_FD] = {{""}, {0}},
                [SETTING_TEE] = {{"true", "false"}, {0}},
                [SETTING_MERGE_OUTPUT] = {{"true", "false"}, {0}},
                [SETTING_TTY] = {{"true", "false"}, {0}},
                [SETTING_TTY_ROWS] = {{"1", "65535"}, {"0"}},
                [SETTING_TTY_COLUMNS] = {{"1", "65535"}, {"0"}},
                [SETTING_TERM] = {{"xterm", "vt100"}, {""}},
                [SETTING_RUNTIME_MAX] = {{"0", "1", MAX64}, {0}},
                [SETTING_KILL_SIGNAL] = {{"1", "15", "64"}, {"0", "65", "-15"}},
                [SETTING_TIMEOUT_STOP] = {{"0", "1", MAX64}, {0}},
                [SETTING_KILL_MODE] = {{"control-group", "mixed"},
                                       {"", "process", "none", "Mixed", "control"}},
                [SETTING_NOTIFY_ACCESS] = {{"none", "main", "all"}, {"", "exec"}},
                [SETTING_WATCHDOG] = {{"0", "1", MAX64}, {0}},
                [SETTING_KILL_ON_EXIT] = {{"true", "false"}, {0}},
                [SETTING_KILL_ON_DISCONNECT] = {{"true", "false"}, {0}},
                [SETTING_KILL_ON_CANCEL] = {{"true", "false"}, {0}},
                [SETTING_RESTART] = {{"no", "on-failure", "on-abnormal", "always", "on-success"},
                                     {"", "on-abort", "yes"}},
                [SETTING_RESTART_DELAY] = {{"0", MAX64}, {0}},
                [SETTING_RESTART_MAX_DELAY] = {{"0", MAX64}, {0}},
                [SETTING_START_LIMIT_BURST] = {{"0", "4294967295"}, {"4294967296"}},
                [SETTING_START_LIMIT_INTERVAL] = {{"0", MAX64}, {0}},
                [SETTING_INITIAL_OUTPUT] = {{"0", MAX64}, {0}},
                [SETTING_DRAIN_TIMEOUT] = {{"0", MAX64}, {0}},
                [SETTING_OUTPUT_MAX_BYTES] = {{"0", "16777216"}, {"16777217", MAX64}},
                [SETTING_LOG_MAX_BYTES] = {{"65536", MAX64}, {"0", "65535"}},
                [SETTING_TEXT] = {{"true", "false"}, {0}},
                [SETTING_CONTROL_ACCESS] = {{"none", "session", "all"}, {"", "main"}},
};

START_TEST(what_is_right_is_taken)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                ck_assert_msg(cases[id].good[0], "%s is not tested", settings[id].name);
                for (size_t i = 0; i < 6 && cases[id].good[i]; i++) {
                        ExecSpec s;

                        exec_spec_init(&s);
                        ck_assert(!exec_spec_is_given(&s, id));
                        set_ok(&s, id, cases[id].good[i]);
                        for (SettingId other = 0; other < _SETTING_MAX; other++)
                                ck_assert_int_eq(exec_spec_is_given(&s, other), other == id);
                        exec_spec_done(&s);
                        ck_assert(!exec_spec_is_given(&s, id)); /* as new */
                }
        }
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                for (size_t i = 0; i < 8 && cases[id].bad[i]; i++) {
                        Error e = ERROR_NULL;
                        ExecSpec s;

                        exec_spec_init(&s);
                        ck_assert_msg(set(&s, id, cases[id].bad[i], &e) == -EINVAL, "%s takes \"%s\"",
                                      settings[id].name, cases[id].bad[i]);
                        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
                        ck_assert_msg(startswith(e.message, settings[id].name), "%s: %s", settings[id].name,
                                      e.message);
                        ck_assert(!exec_spec_is_given(&s, id));
                        set_ok(&s, id, cases[id].good[0]); /* nothing of it is left */
                        exec_spec_done(&s);
                }
}
END_TEST

START_TEST(given_twice)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                Error e = ERROR_NULL;
                ExecSpec s;

                exec_spec_init(&s);
                set_ok(&s, id, cases[id].good[0]);
                ck_assert_int_eq(set(&s, id, cases[id].good[0], &e), -EINVAL);
                ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
                ck_assert_msg(startswith(e.message, settings[id].name), "%s", e.message);
                exec_spec_done(&s);
        }
}
END_TEST

START_TEST(too_much_input)
{
        static char large[EXEC_INPUT_DATA_MAX + 1];
        SettingValue v = {.type = SETTING_TYPE_BLOB, .blob = {.data = large, .size = sizeof(large)}};
        Error e = ERROR_NULL;
        ExecSpec s;

        exec_spec_init(&s);
        ck_assert_int_lt(exec_spec_set(&s, SETTING_STANDARD_INPUT_DATA, &v, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_LIMITS_EXCEEDED);
        ck_assert_ptr_eq(v.blob.data, large); /* still ours */
        v.blob.data = calloc(1, EXEC_INPUT_DATA_MAX);
        v.blob.size = EXEC_INPUT_DATA_MAX;
        ck_assert_int_eq(exec_spec_set(&s, SETTING_STANDARD_INPUT_DATA, &v, &e), 0);
        ck_assert_ptr_null(v.blob.data); /* taken, not copied */
        exec_spec_done(&s);
}
END_TEST

START_TEST(values_arrive)
{
        ExecSpec s;

        exec_spec_init(&s);
        set_ok(&s, SETTING_ID, "id");
        set_ok(&s, SETTING_NICE, "-5");
        set_ok(&s, SETTING_UMASK, "0027");
        set_ok(&s, SETTING_ENVIRONMENT, "A=1|B=2");
        set_ok(&s, SETTING_LIMIT_NOFILE, "77");
        set_ok(&s, SETTING_LIMIT_CORE, "78");
        set_ok(&s, SETTING_STANDARD_INPUT, "data");
        set_ok(&s, SETTING_STANDARD_INPUT_DATA, "input");
        set_ok(&s, SETTING_KILL_MODE, "mixed");
        set_ok(&s, SETTING_KILL_SIGNAL, "2");
        set_ok(&s, SETTING_RUNTIME_MAX, "1000");
        set_ok(&s, SETTING_MERGE_OUTPUT, "true");
        ck_assert_str_eq(s.id, "id");
        ck_assert_int_eq(s.nice, -5);
        ck_assert_uint_eq(s.umask, 027);
        ck_assert_uint_eq(strv_length(s.environment), 2);
        ck_assert_uint_eq(s.limits[RLIMIT_NOFILE], 77);
        ck_assert_uint_eq(s.limits[RLIMIT_CORE], 78);
        ck_assert_int_eq(s.input, EXEC_INPUT_DATA);
        ck_assert_uint_eq(s.input_size, 5);
        ck_assert_mem_eq(s.input_data, "input", 5);
        ck_assert(s.kill_mixed && s.merge_output && !s.kill_on_exit);
        ck_assert_int_eq(s.kill_signal, 2);
        ck_assert_uint_eq(s.runtime_max, 1000);

        exec_spec_trim(&s);
        ck_assert_ptr_null(s.environment);
        ck_assert_ptr_null(s.input_data);
        ck_assert_uint_eq(s.input_size, 0);
        ck_assert_str_eq(s.id, "id");
        exec_spec_done(&s);
}
END_TEST

START_TEST(defaults_of_the_contract)
{
        ExecSpec s;

        exec_spec_init(&s);
        ck_assert_uint_eq(s.runtime_max, USEC_INFINITY);
        ck_assert_uint_eq(s.timeout_stop, 10 * USEC_PER_SEC);
        ck_assert_int_eq(s.kill_signal, 15);
        ck_assert_uint_eq(s.drain_timeout, 100 * USEC_PER_MSEC);
        ck_assert_uint_eq(s.output_max_bytes, 1024 * 1024);
        ck_assert_uint_eq(s.initial_output, 0);
        ck_assert_int_eq(s.input, EXEC_INPUT_NULL);
        set_ok(&s, SETTING_RUNTIME_MAX, "0"); /* "0, UINT64_MAX: none" */
        ck_assert_uint_eq(s.runtime_max, USEC_INFINITY);
        exec_spec_done(&s);
}
END_TEST

static void check_kind(const ExecSpec *s, bool start, ErrorKind kind, const char *name)
{
        Error e = ERROR_NULL;
        int r = exec_spec_check(s, start, &e);

        ck_assert_msg(e.kind == kind, "%s: %s", name ?: "", e.message);
        ck_assert_int_eq(r, kind == ERROR_NONE ? 0 : kind == ERROR_INVALID_ARGS ? -EINVAL : -EOPNOTSUPP);
        ck_assert_msg(kind == ERROR_NONE || startswith(e.message, name), "%s: %s", name, e.message);
}

/* Two settings, NULL for none; what becomes of them for Start. */
static void check_pair(SettingId a, const char *text_a, SettingId b, const char *text_b, ErrorKind kind,
                       const char *name)
{
        ExecSpec s;

        exec_spec_init(&s);
        set_ok(&s, a, text_a);
        if (text_b)
                set_ok(&s, b, text_b);
        check_kind(&s, true, kind, name);
        exec_spec_done(&s);
}

START_TEST(contradictions)
{
        check_pair(SETTING_STANDARD_INPUT_DATA, "x", 0, NULL, ERROR_INVALID_ARGS, "StandardInputData");
        check_pair(SETTING_STANDARD_INPUT_DATA, "x", SETTING_STANDARD_INPUT, "null", ERROR_INVALID_ARGS,
                   "StandardInputData");
        check_pair(SETTING_STANDARD_INPUT_DATA, "x", SETTING_STANDARD_INPUT, "pipe", ERROR_INVALID_ARGS,
                   "StandardInputData");
        check_pair(SETTING_STANDARD_INPUT_DATA, "x", SETTING_STANDARD_INPUT, "data", ERROR_NONE, NULL);
        check_pair(SETTING_STANDARD_INPUT, "data", 0, NULL, ERROR_NONE, NULL); /* no bytes of it */
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_INPUT, "null", ERROR_INVALID_ARGS, "StandardInput");
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_INPUT_FD, "", ERROR_INVALID_ARGS,
                   "StandardInputFileDescriptor");
        check_pair(SETTING_STANDARD_INPUT, "null", SETTING_STANDARD_INPUT_FD, "", ERROR_INVALID_ARGS,
                   "StandardInputFileDescriptor");
        check_pair(SETTING_STANDARD_INPUT_FD, "", 0, NULL, ERROR_NONE, NULL);
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_INPUT_DATA, "x", ERROR_INVALID_ARGS,
                   "StandardInputData");
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_OUTPUT_FD, "", ERROR_INVALID_ARGS,
                   "StandardOutputFileDescriptor");
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_ERROR_FD, "", ERROR_INVALID_ARGS,
                   "StandardErrorFileDescriptor");
        check_pair(SETTING_TTY, "true", SETTING_TEE, "true", ERROR_INVALID_ARGS, "Tee");
        check_pair(SETTING_TTY, "true", SETTING_MERGE_OUTPUT, "false", ERROR_INVALID_ARGS, "MergeOutput");
        check_pair(SETTING_TTY, "true", SETTING_MERGE_OUTPUT, "true", ERROR_NONE, NULL); /* "a TTY is so" */
        check_pair(SETTING_TTY, "false", SETTING_STANDARD_INPUT, "pipe", ERROR_NONE, NULL);
        check_pair(SETTING_TTY, "true", SETTING_TTY_ROWS, "1", ERROR_NONE, NULL);
        check_pair(SETTING_TTY, "false", SETTING_TTY_ROWS, "1", ERROR_INVALID_ARGS, "TTYRows");
        check_pair(SETTING_TTY_ROWS, "1", 0, NULL, ERROR_INVALID_ARGS, "TTYRows");
        check_pair(SETTING_TTY_COLUMNS, "1", 0, NULL, ERROR_INVALID_ARGS, "TTYColumns");
        check_pair(SETTING_TERM, "vt100", 0, NULL, ERROR_INVALID_ARGS, "Term");
        check_pair(SETTING_MERGE_OUTPUT, "true", SETTING_STANDARD_ERROR_FD, "", ERROR_INVALID_ARGS,
                   "MergeOutput");
        check_pair(SETTING_MERGE_OUTPUT, "true", SETTING_STANDARD_OUTPUT_FD, "", ERROR_NONE, NULL);
        check_pair(SETTING_TEE, "true", 0, NULL, ERROR_INVALID_ARGS, "Tee");
        check_pair(SETTING_TEE, "false", 0, NULL, ERROR_NONE, NULL);
        check_pair(SETTING_TEE, "true", SETTING_STANDARD_INPUT_FD, "", ERROR_INVALID_ARGS, "Tee");
}
END_TEST

START_TEST(not_built_yet_is_told_by_name)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                bool start_only = (settings[id].flags & SETTING_START_ONLY) != 0;
                bool unavailable = (settings[id].flags & SETTING_UNAVAILABLE) != 0;
                ExecSpec s;

                exec_spec_init(&s);
                set_ok(&s, id, cases[id].good[0]);
                if (id == SETTING_STANDARD_INPUT_DATA)
                        set_ok(&s, SETTING_STANDARD_INPUT, "data");
                if (id == SETTING_TTY_ROWS || id == SETTING_TTY_COLUMNS || id == SETTING_TERM)
                        set_ok(&s, SETTING_TTY, "true");
                if (id == SETTING_TEE)
                        set_ok(&s, SETTING_STANDARD_ERROR_FD, "");
                check_kind(&s, true, unavailable ? ERROR_NOT_SUPPORTED : ERROR_NONE, settings[id].name);
                check_kind(&s, false,
                           start_only    ? ERROR_INVALID_ARGS
                           : unavailable ? ERROR_NOT_SUPPORTED
                                         : ERROR_NONE,
                           settings[id].name);
                exec_spec_done(&s);
        }
}
END_TEST

/* What is wrong is said before what is impossible. */
START_TEST(wrong_comes_before_impossible)
{
        ExecSpec s;

        check_pair(SETTING_STANDARD_INPUT_DATA, "x", SETTING_MEMORY_MAX, "1", ERROR_INVALID_ARGS,
                   "StandardInputData");
        check_pair(SETTING_TTY, "true", SETTING_STANDARD_INPUT, "pipe", ERROR_INVALID_ARGS, "StandardInput");
        exec_spec_init(&s);
        set_ok(&s, SETTING_MEMORY_MAX, "1");
        set_ok(&s, SETTING_RESTART, "always");
        check_kind(&s, false, ERROR_INVALID_ARGS, "Restart");
        check_kind(&s, true, ERROR_NOT_SUPPORTED, "MemoryMax");
        exec_spec_done(&s);
}
END_TEST

START_TEST(argv_is_copied_whole)
{
        char *const argv[] = {(char *) "sh", (char *) "", (char *) "a b\n\"$x'", NULL},
                    *const none[] = {NULL};
        Error e = ERROR_NULL;
        ExecSpec s;

        exec_spec_init(&s);
        ck_assert_int_eq(exec_spec_set_argv(&s, none, &e), -EINVAL);
        ck_assert_int_eq(exec_spec_set_argv(&s, NULL, &e), -EINVAL);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        for (unsigned i = 0; i < 2; i++) { /* again: in place of the first */
                ck_assert_int_eq(exec_spec_set_argv(&s, argv, &e), 0);
                ck_assert(strv_equal(s.argv, argv));
                ck_assert_ptr_ne(s.argv[0], argv[0]);
        }
        for (unsigned n = 1; n <= 4; n++) {
                alloc_fault_set(n, false);
                e = ERROR_NULL;
                ck_assert_int_eq(exec_spec_set_argv(&s, argv, &e), -ENOMEM);
                ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
                ck_assert_uint_eq(alloc_fault_hits(), 1);
                ck_assert(strv_equal(s.argv, argv));
        }
        alloc_fault_set(0, false);
        exec_spec_done(&s);
        ck_assert_ptr_null(s.argv);
}
END_TEST

/* A value is taken, not copied: no allocation that could fail. */
START_TEST(setting_needs_no_memory)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                SettingValue v = value_of(id, cases[id].good[0]);
                ExecSpec s;

                exec_spec_init(&s);
                alloc_fault_set(1, true);
                ck_assert_int_eq(exec_spec_set(&s, id, &v, NULL), 0);
                ck_assert_uint_eq(alloc_fault_hits(), 0);
                alloc_fault_set(0, false);
                setting_value_done(&v);
                exec_spec_done(&s);
        }
}
END_TEST

START_TEST(limits_by_resource)
{
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_NOFILE), SETTING_LIMIT_NOFILE);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_NPROC), SETTING_LIMIT_NPROC);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_CORE), SETTING_LIMIT_CORE);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_FSIZE), SETTING_LIMIT_FSIZE);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_AS), SETTING_LIMIT_AS);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_CPU), SETTING_LIMIT_CPU);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_STACK), SETTING_LIMIT_STACK);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_MEMLOCK), SETTING_LIMIT_MEMLOCK);
        ck_assert_int_eq(exec_spec_limit_setting(RLIMIT_RSS), -ENOENT);
        ck_assert_int_eq(exec_spec_limit_setting(-1), -ENOENT);
        ck_assert_int_eq(exec_spec_limit_setting(RLIM_NLIMITS), -ENOENT);
}
END_TEST

TEST_MAIN("exec-spec", what_is_right_is_taken, what_is_wrong_is_named, given_twice, too_much_input,
          values_arrive, defaults_of_the_contract, contradictions, not_built_yet_is_told_by_name,
          wrong_comes_before_impossible, argv_is_copied_whole, setting_needs_no_memory, limits_by_resource)
