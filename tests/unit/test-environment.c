/* The order of the layers of a job's environment, as the contract has it. */

#include "core/environment.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "sys/userdb.h"
#include "test-main.h"

#define STRV(...) ((char *const[]){__VA_ARGS__, NULL})
#define S(text) ((char *) (text))

static char **make(char *const *session, const UserRecord *user, char *const *set, char *const *unset)
{
        const EnvironmentRequest request = {
                        .session = session,
                        .user = user,
                        .job_id = "j1",
                        .session_name = "default",
                        .set = set,
                        .unset = unset,
        };
        char **v = NULL;

        ck_assert_int_eq(environment_make(&request, &v), 0);
        for (char **s = v; *s; s++) /* each name stands once */
                for (char **t = s + 1; *t; t++)
                        ck_assert_msg(strncmp(*s, *t, strcspn(*s, "=") + 1) != 0, "%s and %s", *s, *t);
        return v;
}

static void check(char **v, const char *name, const char *value)
{
        const char *found = env_get(v, name);

        ck_assert_msg(streq_ptr(found, value), "%s is %s instead of %s", name, found ?: "unset",
                      value ?: "unset");
}

static const UserRecord alice = {.name = S("alice"),
                                 .home = S("/home/alice"),
                                 .shell = S("/bin/bash"),
                                 .uid = 1000,
                                 .gid = 1000};
static const UserRecord number = {.uid = 4711, .gid = 4711};

START_TEST(nothing_is_asked_for)
{
        _cleanup_strv_ char **v = make(NULL, NULL, NULL, NULL);

        check(v, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        check(v, "REEVE_JOB", "j1");
        check(v, "REEVE_SESSION", "default");
        check(v, "HOME", NULL);
        check(v, "TERM", NULL);
        ck_assert_uint_eq(strv_length(v), 3);
}
END_TEST

START_TEST(the_sessions_stays)
{
        _cleanup_strv_ char **v = make(STRV(S("A=1"), S("HOME=/x"), S("PATH=/p")), NULL, NULL, NULL);

        check(v, "A", "1");
        check(v, "HOME", "/x");
        check(v, "PATH", "/p");
        ck_assert_uint_eq(strv_length(v), 5);
}
END_TEST

START_TEST(the_user_is_over_the_session)
{
        _cleanup_strv_ char **v = make(STRV(S("HOME=/root"), S("USER=root"), S("LOGNAME=root"),
                                            S("SHELL=/bin/sh"), S("A=1")),
                                       &alice, NULL, NULL);

        check(v, "HOME", "/home/alice");
        check(v, "USER", "alice");
        check(v, "LOGNAME", "alice");
        check(v, "SHELL", "/bin/bash");
        check(v, "A", "1");
}
END_TEST

/* A number that the file does not know says nothing of itself. */
START_TEST(a_user_without_a_record)
{
        _cleanup_strv_ char **v = make(STRV(S("HOME=/root")), &number, NULL, NULL);

        check(v, "HOME", "/root");
        check(v, "USER", NULL);
        check(v, "SHELL", NULL);
}
END_TEST

START_TEST(the_options_are_over_all)
{
        _cleanup_strv_ char **v = make(
                        STRV(S("A=session"), S("PATH=/p")), &alice,
                        STRV(S("A=1"), S("HOME=/h"), S("PATH=/q"), S("REEVE_JOB=mine"), S("B="), S("A=2")),
                        NULL);

        check(v, "A", "2"); /* the last of a name counts */
        check(v, "HOME", "/h");
        check(v, "USER", "alice");
        check(v, "PATH", "/q");
        check(v, "REEVE_JOB", "mine");
        check(v, "B", "");
}
END_TEST

START_TEST(unset_takes_away)
{
        _cleanup_strv_ char **v =
                        make(STRV(S("A=1"), S("AB=2"), S("C=3")), &alice, STRV(S("B=1"), S("C=4")),
                             STRV(S("A"), S("B"), S("HOME"), S("PATH"), S("REEVE_SESSION"), S("NONE")));

        check(v, "A", NULL);
        check(v, "AB", "2");
        check(v, "B", NULL);
        check(v, "C", "4");
        check(v, "HOME", NULL);
        check(v, "PATH", NULL); /* asked for: no default in its place */
        check(v, "REEVE_SESSION", NULL);
        check(v, "REEVE_JOB", "j1");
}
END_TEST

START_TEST(what_is_reeves_alone_is_not_inherited)
{
        _cleanup_strv_ char **v = environment_inherit(
                        STRV(S("NOTIFY_SOCKET=/run/n"), S("A=1"), S("LISTEN_PID=1"), S("LISTEN_FDS=2"),
                             S("LISTEN_FDNAMES=a:b"), S("LISTEN_PIDFDID=3"), S("WATCHDOG_PID=1"),
                             S("WATCHDOG_USEC=5"), S("CREDENTIALS_DIRECTORY=/c"), S("MAINPID=9"),
                             S("NOTIFY_SOCKETS=stays"), S("PATH=/p")));

        ck_assert(strv_equal(v, STRV(S("A=1"), S("NOTIFY_SOCKETS=stays"), S("PATH=/p"))));
        strv_free(v);
        v = environment_inherit(NULL);
        ck_assert_ptr_nonnull(v);
        ck_assert_uint_eq(strv_length(v), 0);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
        const EnvironmentRequest request = {
                        .session = STRV(S("A=1"), S("B=2")),
                        .user = &alice,
                        .job_id = "j1",
                        .session_name = "default",
                        .set = STRV(S("C=3"), S("A=4")),
        };
        char *nothing[] = {NULL}, **v = nothing;
        unsigned n = 0;
        int r;

        for (;;) {
                alloc_fault_set(++n, false);
                r = environment_make(&request, &v);
                if (alloc_fault_hits() == 0)
                        break;
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_ptr_eq(v, nothing);
        }
        alloc_fault_set(0, false);
        ck_assert_int_eq(r, 0);
        ck_assert_uint_gt(n, 10);
        strv_free(v);

        for (n = 1;; n++) {
                alloc_fault_set(n, false);
                v = environment_inherit(request.session);
                if (alloc_fault_hits() == 0)
                        break;
                ck_assert_ptr_null(v);
        }
        alloc_fault_set(0, false);
        ck_assert_uint_eq(n, 4);
        strv_free(v);
}
END_TEST

START_TEST(who_notifies_is_told_where)
{
        EnvironmentRequest request = {
                        .session = STRV(S("NOTIFY_SOCKET=old"), S("WATCHDOG_USEC=1")),
                        .job_id = "j1",
                        .session_name = "default",
                        .notify_socket = "@there",
        };
        char **v = NULL;

        ck_assert_int_eq(environment_make(&request, &v), 0);
        check(v, "NOTIFY_SOCKET", "@there");
        check(v, "WATCHDOG_USEC", "1");
        check(v, "WATCHDOG_PID", NULL);
        strv_free(v);

        request.watchdog = USEC_INFINITY - 1;
        ck_assert_int_eq(environment_make(&request, &v), 0);
        check(v, "WATCHDOG_USEC", "18446744073709551614");
        check(v, "WATCHDOG_PID", ENVIRONMENT_PID_SLOT);
        strv_free(v);

        request.unset = STRV(S("NOTIFY_SOCKET"), S("WATCHDOG_PID"));
        request.set = STRV(S("WATCHDOG_USEC=9"));
        ck_assert_int_eq(environment_make(&request, &v), 0);
        check(v, "NOTIFY_SOCKET", NULL);
        check(v, "WATCHDOG_USEC", "9");
        check(v, "WATCHDOG_PID", NULL);
        strv_free(v);
}
END_TEST

TEST_MAIN("environment", nothing_is_asked_for, the_sessions_stays, the_user_is_over_the_session,
          a_user_without_a_record, the_options_are_over_all, unset_takes_away,
          what_is_reeves_alone_is_not_inherited, who_notifies_is_told_where, each_allocation_may_fail)
