/* Random bytes differ, all of them, and only those that were asked for. */

#include "sys/entropy.h"

#include <string.h>

#include "rig.h"

START_TEST(differ)
{
        unsigned char a[64], b[64];

        random_bytes(a, sizeof(a));
        random_bytes(b, sizeof(b));
        ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
}
END_TEST

START_TEST(no_more_than_asked_for)
{
        for (size_t size = 0; size < 24; size++) {
                unsigned char buf[32];
                bool changed = size == 0;

                for (int attempt = 0; attempt < 64 && !changed; attempt++) {
                        memset(buf, 0, sizeof(buf));
                        random_bytes(buf, size);
                        changed = buf[size - 1] != 0;
                        for (size_t i = size; i < sizeof(buf); i++)
                                ck_assert_uint_eq(buf[i], 0);
                }
                ck_assert(changed);
        }
}
END_TEST

TEST_MAIN("entropy", differ, no_more_than_asked_for)
