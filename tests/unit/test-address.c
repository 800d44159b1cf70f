/* Addresses of sockets, as D-Bus writes them. */

#include "basic/address.h"

#include <errno.h>
#include <stdio.h>

#include "test-main.h"

static char path[108];

static int parse(const char *address, bool with_guid)
{
        memset(path, 0, sizeof(path));
        return address_parse_unix(address, with_guid, path, sizeof(path));
}

START_TEST(paths)
{
        ck_assert_int_eq(parse("unix:path=/run/x", false), 6);
        ck_assert_str_eq(path, "/run/x");
        ck_assert_int_eq(parse("unix:path=/a%2cb%3D%41", false), 6);
        ck_assert_str_eq(path, "/a,b=A");
        ck_assert_int_eq(parse("unix:abstract=/tmp/x", false), 7);
        ck_assert_int_eq(path[0], '\0');
        ck_assert_str_eq(path + 1, "/tmp/x");
}
END_TEST

START_TEST(no_addresses)
{
        const char *const bad[] = {"",
                                   "/run/x",
                                   "unix:path=",
                                   "unix:path=relative",
                                   "unix:abstract=",
                                   "unix:dir=/tmp",
                                   "unix:path=/a;unix:path=/b",
                                   "unix:path=/a,abstract=b",
                                   "unix:path=/a%0",
                                   "unix:path=/a%zz",
                                   "unix:path=/a%00b",
                                   "unix:path=/a%",
                                   "tcp:host=localhost,port=1",
                                   "unixexec:path=/bin/true"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ck_assert_msg(parse(bad[i], false) == -EINVAL, "%s", bad[i]);
                ck_assert_msg(parse(bad[i], true) == -EINVAL, "%s", bad[i]);
        }
}
END_TEST

START_TEST(guids)
{
        ck_assert_int_eq(parse("unix:path=/a,guid=00ffAA", false), -EINVAL);
        ck_assert_int_eq(parse("unix:path=/a,guid=00ffAA", true), 2);
        ck_assert_str_eq(path, "/a");
        ck_assert_int_eq(parse("unix:abstract=a,guid=00", true), 2);
        ck_assert_int_eq(parse("unix:path=/a,guid=0g", true), -EINVAL);
        ck_assert_int_eq(parse("unix:path=/a,guid=00,x=y", true), -EINVAL);
        ck_assert_int_eq(parse("unix:path=/a%4,guid=00", true), -EINVAL);
}
END_TEST

START_TEST(lengths)
{
        char address[300];

        /* A path has its NUL, an abstract name needs none. */
        snprintf(address, sizeof(address), "unix:path=/%0106d", 0);
        ck_assert_int_eq(parse(address, false), 107);
        snprintf(address, sizeof(address), "unix:path=/%0107d", 0);
        ck_assert_int_eq(parse(address, false), -ENAMETOOLONG);
        snprintf(address, sizeof(address), "unix:abstract=%0107d", 0);
        ck_assert_int_eq(parse(address, false), 108);
        snprintf(address, sizeof(address), "unix:abstract=%0108d", 0);
        ck_assert_int_eq(parse(address, false), -ENAMETOOLONG);
}
END_TEST

TEST_MAIN("address", paths, no_addresses, guids, lengths)
