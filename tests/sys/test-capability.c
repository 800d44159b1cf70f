/* Names of capabilities, against the kernel's own idea of how many there are. */

#include "sys/capability.h"

#include <linux/capability.h>

#include "rig.h"

START_TEST(names)
{
        ck_assert_int_eq(capability_from_string("CAP_CHOWN"), CAP_CHOWN);
        ck_assert_int_eq(capability_from_string("cap_net_bind_service"), CAP_NET_BIND_SERVICE);
        ck_assert_int_eq(capability_from_string("Cap_Sys_Admin"), CAP_SYS_ADMIN);
        ck_assert_int_eq(capability_from_string("CAP_CHECKPOINT_RESTORE"), 40);
        ck_assert_int_eq(capability_from_string("CHOWN"), -EINVAL);
        ck_assert_int_eq(capability_from_string("CAP_"), -EINVAL);
        ck_assert_int_eq(capability_from_string("CAP_CHOWN "), -EINVAL);
        ck_assert_int_eq(capability_from_string(""), -EINVAL);
        ck_assert_int_eq(capability_from_string("0"), -EINVAL);
}
END_TEST

START_TEST(last)
{
        FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");
        int n = -1;

        if (f) {
                ck_assert_int_eq(fscanf(f, "%d", &n), 1);
                fclose(f);
                ck_assert_int_eq(capability_last(), n);
        }
        ck_assert_int_ge(capability_last(), CAP_SETFCAP);
        ck_assert_int_lt(capability_last(), 64);
}
END_TEST

TEST_MAIN("capability", names, last)
