/* The line before a command, what is read of a report, and what counts as changed. */

#include "core/shell-state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "test-main.h"

#define V(...) ((char *const[]){(char *) __VA_ARGS__, NULL})
#define S(text) ((char *) (text))

START_TEST(script)
{
        _cleanup_free_ char *plain = shell_state_script("/usr/bin/reeve", "unix:abstract=a", "cd /\nls"),
                            *quoted = shell_state_script("/it's", "a", "#"),
                            *without = shell_state_script(NULL, "a", "ls"),
                            *nowhere = shell_state_script("/r", NULL, "ls");

        ck_assert_str_eq(plain, "trap '('\\''/usr/bin/reeve'\\'' --session-report '\\''unix:abstract=a'\\'' "
                                "\"${PWD-}\" "
                                "\"${OLDPWD-}\") 2>/dev/null || :' EXIT\ncd /\nls");
        ck_assert_ptr_nonnull(strstr(quoted, "'\\''/it'\\''\\'\\'''\\''s'\\''"));
        ck_assert_str_eq(without, "ls");
        ck_assert_str_eq(nowhere, "ls");
}
END_TEST

static int parse(const char *report, size_t size, ShellState *ret)
{
        /* A copy that ends where it ends: who reads on is seen. */
        _cleanup_free_ char *copy = alloc_copy(report, size);

        return shell_state_parse(copy, size, ret);
}

#define PARSE(text, ret) parse((text), sizeof(text) - 1, (ret))

START_TEST(report)
{
        ShellState s;

        ck_assert_int_eq(PARSE("u0027\0d/a b\nc\0eA=1\0eB=\nx=y\0.\0", &s), 0);
        ck_assert_int_eq(s.umask, 027);
        ck_assert_str_eq(s.directory, "/a b\nc");
        ck_assert(strv_equal(s.environment, ((char *const[]){S("A=1"), S("B=\nx=y"), NULL})));
        shell_state_done(&s);
        ck_assert_int_eq(PARSE(".\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("d/\0u22\0.\0", &s), 0);
        ck_assert_uint_eq(strv_length(s.environment), 0);
        shell_state_done(&s);
}
END_TEST

START_TEST(not_a_report)
{
        static char far[3 + 1 + PATH_MAX + 3];
        ShellState s = {.umask = 1};

        ck_assert_int_eq(PARSE("", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("u0022\0d/\0eA=1\0", &s), -EBADMSG);  /* cut off */
        ck_assert_int_eq(PARSE("u0022\0d/\0eA=1\0.", &s), -EBADMSG); /* in the middle of the last */
        ck_assert_int_eq(PARSE("d/\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("u0022\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("u0022\0drelative\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("u0022\0d/\0d/\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("u9\0d/\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("\0u0022\0d/\0.\0", &s), -EBADMSG);
        ck_assert_int_eq(PARSE("x\0", &s), -EBADMSG);
        memset(far, 'x', sizeof(far)); /* a directory that nobody can go to */
        memcpy(far, "u0\0d/", 5);
        memcpy(far + sizeof(far) - 3, "\0.", 3);
        ck_assert_int_eq(shell_state_parse(far, sizeof(far), &s), -EBADMSG);
        ck_assert_int_eq(s.umask, 1);
        for (unsigned nth = 1; nth <= 3; nth++) {
                alloc_fault_set(nth, 0);
                ck_assert_int_eq(shell_state_parse("u0\0d/\0eA=1\0.", 13, &s), -ENOMEM);
                alloc_fault_set(0, 0);
        }
}
END_TEST

static void check_changes(char *const *start, char *const *end, char *const *expected)
{
        _cleanup_strv_ char **found = NULL;

        ck_assert_int_eq(shell_state_changes(start, end, &found), 0);
        if (!strv_equal(found, expected))
                ck_abort_msg("%s", strv_join(found, " "));
}

START_TEST(changes)
{
        char *const nothing[] = {NULL};

        check_changes(nothing, nothing, nothing);
        check_changes(V("A=1"), V("A=1"), nothing);
        check_changes(V("A=1", S("B=2")), V("B=2", S("A=1")), nothing);
        check_changes(V("A=1"), V("A=2"), V("A=2"));
        check_changes(V("A=1"), nothing, V("A"));
        check_changes(nothing, V("A=x\n'\""), V("A=x\n'\""));
        check_changes(V("A=1", S("AB=1"), S("B=1")), V("AB=2", S("C=1")),
                      V("A", S("AB=2"), S("B"), S("C=1")));
        /* The shell's own, and names that no shell can set. */
        check_changes(V("PWD=/", S("SHLVL=1"), S("_=/bin/a")), V("PWD=/a", S("SHLVL=2"), S("_=/bin/b")),
                      nothing);
        check_changes(nothing, V("SHELLOPTS=xtrace", S("BASHOPTS=x")), nothing);
        check_changes(nothing, V("BASH_FUNC_f%%=() { :; }", S("1=2")), nothing);
        check_changes(V("SHLVL=1"), nothing, nothing);
        /* What is the one command's. */
        check_changes(V("WATCHDOG_PID=0000000000", S("NOTIFY_SOCKET=@x")), V("WATCHDOG_PID=7"), nothing);
        check_changes(nothing, V("WATCHDOG_USEC=1", S("NOTIFY_SOCKET=@x")), nothing);
        check_changes(NULL, V("A=1"), V("A=1"));
}
END_TEST

START_TEST(no_memory_for_changes)
{
        char **found = NULL;

        for (unsigned nth = 1; nth <= 5; nth++) {
                alloc_fault_set(nth, 0);
                ck_assert_int_eq(shell_state_changes(V("A=1", S("C=1")), V("B=1"), &found), -ENOMEM);
                alloc_fault_set(0, 0);
                ck_assert_ptr_null(found);
        }
}
END_TEST

/* Long lists are sorted, not searched. */
START_TEST(many)
{
        enum { N = 50000 };
        _cleanup_strv_ char **start = alloc_zero((N + 1) * sizeof(char *)),
                            **end = alloc_zero((N + 1) * sizeof(char *)), **changed = NULL;

        for (int i = 0; i < N; i++) {
                start[i] = str_printf("V%d=%d", i, i);
                end[i] = str_printf("V%d=%d", N - 1 - i, N - 1 - i + (i == 7));
        }
        ck_assert_int_eq(shell_state_changes(start, end, &changed), 0);
        ck_assert(strv_equal(changed, V("V49992=49993")));
}
END_TEST

TEST_MAIN("shell-state", script, report, not_a_report, changes, no_memory_for_changes, many)
