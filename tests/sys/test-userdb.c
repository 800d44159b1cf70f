/* Users and groups from fixtures, with what real files have in them: blanks, broken lines, "+", very long
 * lines. */

#include "sys/userdb.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/alloc.h"
#include "rig.h"

static const char *root(const char *passwd, const char *group)
{
        char path[128];

        snprintf(path, sizeof(path), "%s/etc", rig_folder());
        (void) mkdir(path, 0755);
        snprintf(path, sizeof(path), "%s/etc/passwd", rig_folder());
        (void) unlink(path);
        snprintf(path, sizeof(path), "%s/etc/group", rig_folder());
        (void) unlink(path);
        if (passwd)
                rig_file("etc/passwd", passwd, 0644);
        if (group)
                rig_file("etc/group", group, 0644);
        return rig_folder();
}

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/bash\n"
                                  "# a comment\n"
                                  "\n"
                                  "broken line\n"
                                  "+nis::::::\n"
                                  "+:x:77:77::/:\n"
                                  "ann:x:1000:1001:Ann,,,:/home/ann:/bin/zsh\n"
                                  "bare:x:1002:1002:::\n"
                                  "letters:x:abc:1:::\n"
                                  "sixteen:x:65535:1::/:/bin/sh\n"
                                  "ann:x:2000:2000:the second:/:/bin/sh\n"
                                  "last:x:1003:1003:no newline:/home/last:/bin/sh";

static const char group_text[] = "root:x:0:\n"
                                 "ann:x:1001:\n"
                                 "wheel:x:10:root,ann\n"
                                 "+:x:99:ann\n"
                                 "docker:x:998:ann,bare,ann\n"
                                 "alias:x:10:ann\n"
                                 "empty:x:11:\n"
                                 "last:x:1003:last";

START_TEST(user_by_name)
{
        const char *r = root(passwd_text, group_text);
        UserRecord u;

        ck_assert_int_eq(userdb_user(r, "ann", &u), 0);
        ck_assert_str_eq(u.name, "ann");
        ck_assert_str_eq(u.home, "/home/ann");
        ck_assert_str_eq(u.shell, "/bin/zsh");
        ck_assert_uint_eq(u.uid, 1000);
        ck_assert_uint_eq(u.gid, 1001);
        user_record_done(&u);

        ck_assert_int_eq(userdb_user(r, "last", &u), 0);
        ck_assert_str_eq(u.shell, "/bin/sh");
        user_record_done(&u);

        ck_assert_int_eq(userdb_user(r, "bare", &u), 0);
        ck_assert_str_eq(u.home, "");
        ck_assert_str_eq(u.shell, "");
        user_record_done(&u);
}
END_TEST

START_TEST(user_by_number)
{
        const char *r = root(passwd_text, group_text);
        UserRecord u;

        ck_assert_int_eq(userdb_user(r, "1000", &u), 0);
        ck_assert_str_eq(u.name, "ann");
        ck_assert_uint_eq(u.gid, 1001);
        user_record_done(&u);

        ck_assert_int_eq(userdb_user(r, "31337", &u), 0);
        ck_assert_ptr_null(u.name);
        ck_assert_ptr_null(u.home);
        ck_assert_ptr_null(u.shell);
        ck_assert_uint_eq(u.uid, 31337);
        ck_assert_uint_eq(u.gid, 31337);
        user_record_done(&u);

        ck_assert_int_eq(userdb_user(r, "0", &u), 0);
        ck_assert_str_eq(u.name, "root");
        user_record_done(&u);

        ck_assert_int_eq(userdb_user(r, "4294967294", &u), 0);
        ck_assert_uint_eq(u.uid, 4294967294U);
        user_record_done(&u);
}
END_TEST

START_TEST(nobody)
{
        const char *r = root(passwd_text, group_text);
        UserRecord u = {.uid = 7};
        gid_t gid = 7;

        ck_assert_int_eq(userdb_user(r, "nosuch", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "+nis", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "+", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "letters", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "-1", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "65535", &u), -EINVAL);
        ck_assert_int_eq(userdb_user(r, "sixteen", &u), -EINVAL);
        ck_assert_int_eq(userdb_user(r, "4294967295", &u), -EINVAL);
        ck_assert_int_eq(userdb_user(r, "4294967296", &u), -EINVAL);
        ck_assert_int_eq(userdb_user(r, "99999999999999999999999", &u), -EINVAL);
        ck_assert_uint_eq(u.uid, 7);

        ck_assert_int_eq(userdb_group(r, "nosuch", &gid), -ESRCH);
        ck_assert_int_eq(userdb_group(r, "65535", &gid), -EINVAL);
        ck_assert_int_eq(userdb_group(r, "4294967295", &gid), -EINVAL);
        ck_assert_uint_eq(gid, 7);
}
END_TEST

START_TEST(group)
{
        const char *r = root(passwd_text, group_text);
        gid_t gid;

        ck_assert_int_eq(userdb_group(r, "wheel", &gid), 0);
        ck_assert_uint_eq(gid, 10);
        ck_assert_int_eq(userdb_group(r, "last", &gid), 0);
        ck_assert_uint_eq(gid, 1003);
        ck_assert_int_eq(userdb_group(r, "4711", &gid), 0);
        ck_assert_uint_eq(gid, 4711);
}
END_TEST

START_TEST(groups_of_a_user)
{
        const char *r = root(passwd_text, group_text);
        gid_t *groups;
        size_t n;

        ck_assert_int_eq(userdb_groups(r, "ann", 1001, &groups, &n), 0);
        ck_assert_uint_eq(n, 3);
        ck_assert_uint_eq(groups[0], 1001);
        ck_assert_uint_eq(groups[1], 10);
        ck_assert_uint_eq(groups[2], 998);
        free(groups);

        ck_assert_int_eq(userdb_groups(r, "31337", 5, &groups, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(groups[0], 5);
        free(groups);
}
END_TEST

START_TEST(no_files)
{
        const char *r = root(NULL, NULL);
        UserRecord u;
        gid_t *groups, gid;
        size_t n;

        ck_assert_int_eq(userdb_user(r, "root", &u), -ESRCH);
        ck_assert_int_eq(userdb_user(r, "12", &u), 0);
        user_record_done(&u);
        ck_assert_int_eq(userdb_group(r, "root", &gid), -ESRCH);
        ck_assert_int_eq(userdb_groups(r, "root", 0, &groups, &n), 0);
        ck_assert_uint_eq(n, 1);
        free(groups);
}
END_TEST

/* A FIFO there would hold up whoever opens it. */
START_TEST(no_plain_file)
{
        const char *r = root(NULL, NULL);
        char path[128];
        UserRecord u;

        snprintf(path, sizeof(path), "%s/etc/passwd", r);
        ck_assert_int_eq(mkfifo(path, 0644), 0);
        ck_assert_int_eq(userdb_user(r, "root", &u), -EBADF);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(long_lines)
{
        size_t members = 20000, at = 0, size = members * 12 + 256, n;
        char *text = malloc(size);
        gid_t *groups, gid;

        at += (size_t) snprintf(text + at, size - at, "first:x:1:zed\nlarge:x:2:");
        for (size_t i = 0; i < members; i++)
                at += (size_t) snprintf(text + at, size - at, "u%zu,", i);
        snprintf(text + at, size - at, "zed\nafter:x:3:zed\n");

        const char *r = root("", text);

        ck_assert_int_eq(userdb_groups(r, "zed", 9, &groups, &n), 0);
        ck_assert_uint_eq(n, 4);
        ck_assert_uint_eq(groups[3], 3);
        free(groups);
        ck_assert_int_eq(userdb_group(r, "after", &gid), 0);
        ck_assert_uint_eq(gid, 3);
        free(text);
}
END_TEST

START_TEST(without_memory)
{
        const char *r = root(passwd_text, group_text);
        UserRecord u;
        gid_t *groups;
        size_t n;

        for (unsigned nth = 1;; nth++) {
                int q;

                alloc_fault_set(nth, false);
                q = userdb_user(r, "ann", &u);
                if (q >= 0)
                        break;
                ck_assert_int_eq(q, -ENOMEM);
        }
        user_record_done(&u);
        for (unsigned nth = 1;; nth++) {
                int q;

                alloc_fault_set(nth, false);
                q = userdb_groups(r, "ann", 1, &groups, &n);
                if (q >= 0)
                        break;
                ck_assert_int_eq(q, -ENOMEM);
        }
        free(groups);
        alloc_fault_set(0, false);
}
END_TEST

TEST_MAIN("userdb", user_by_name, user_by_number, nobody, group, groups_of_a_user, no_files, no_plain_file,
          long_lines, without_memory)
