/* The hash table, beside an array that knows what must be in it. */

#include "basic/hashmap.h"

#include <errno.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "test-main.h"

#define N 3000U

START_TEST(strings)
{
        static char keys[N][12];
        Hashmap m;

        hashmap_init(&m, HASHMAP_STRING);
        ck_assert_ptr_null(hashmap_get_string(&m, "x"));
        ck_assert_ptr_null(hashmap_remove_string(&m, "x"));
        for (unsigned i = 0; i < N; i++) {
                snprintf(keys[i], sizeof(keys[i]), "job-%u", i);
                ck_assert_int_eq(hashmap_put_string(&m, keys[i], keys[i]), 0);
                ck_assert_int_eq(hashmap_put_string(&m, keys[i], keys[0]), -EEXIST);
        }
        for (unsigned i = 0; i < N; i++) {
                char copy[12];

                strcpy(copy, keys[i]); /* equal, not the same */
                ck_assert_ptr_eq(hashmap_get_string(&m, copy), keys[i]);
        }
        ck_assert_ptr_null(hashmap_get_string(&m, "job-"));
        ck_assert_uint_eq(m.n_entries, N);
        hashmap_done(&m);
        ck_assert_uint_eq(m.n_entries, 0);
        ck_assert_ptr_null(hashmap_get_string(&m, "job-1"));
}
END_TEST

/* Comes and goes at random; after each step the table and the array agree on the key that was touched, and
 * at the end on all of them. Few keys, so that probes run long and removals happen in the middle of them. */
START_TEST(numbers_at_random)
{
        static bool there[512];
        static char values[512];
        unsigned short seed[3] = {1, 2, 3};
        size_t n = 0;
        Hashmap m;

        memset(there, 0, sizeof(there));
        hashmap_init(&m, HASHMAP_NUMBER);
        for (int step = 0; step < 200000; step++) {
                unsigned i = nrand48(seed) % ELEMENTSOF(there);
                uint64_t key = i * UINT64_C(0x100000001); /* 0 is a key as well */

                if (nrand48(seed) % 2) {
                        ck_assert_int_eq(hashmap_put_number(&m, key, &values[i]), there[i] ? -EEXIST : 0);
                        n += !there[i];
                        there[i] = true;
                } else {
                        ck_assert_ptr_eq(hashmap_remove_number(&m, key), there[i] ? &values[i] : NULL);
                        n -= there[i];
                        there[i] = false;
                }
                ck_assert_ptr_eq(hashmap_get_number(&m, key), there[i] ? &values[i] : NULL);
                ck_assert_uint_eq(m.n_entries, n);
                if (step % 1000 == 0)
                        for (unsigned j = 0; j < ELEMENTSOF(there); j++)
                                ck_assert_ptr_eq(hashmap_get_number(&m, j * UINT64_C(0x100000001)),
                                                 there[j] ? &values[j] : NULL);
        }
        ck_assert_uint_le(m.n_slots, 1024);
        hashmap_done(&m);
}
END_TEST

START_TEST(no_memory)
{
        static char value;
        uint64_t n = 0;
        Hashmap m;

        hashmap_init(&m, HASHMAP_NUMBER);
        alloc_fault_set(1, true);
        ck_assert_int_eq(hashmap_put_number(&m, 1, &value), -ENOMEM);
        ck_assert_ptr_null(hashmap_get_number(&m, 1));

        alloc_fault_set(2, true); /* the first table, and no larger one */
        while (hashmap_put_number(&m, n, &value) == 0)
                n++;
        ck_assert_uint_eq(alloc_fault_hits(), 1);
        ck_assert_uint_eq(m.n_entries, n);
        for (uint64_t i = 0; i < n; i++)
                ck_assert_ptr_eq(hashmap_get_number(&m, i), &value);
        ck_assert_ptr_null(hashmap_get_number(&m, n));

        alloc_fault_set(0, false);
        ck_assert_int_eq(hashmap_put_number(&m, n, &value), 0);
        hashmap_done(&m);
}
END_TEST

TEST_MAIN("hashmap", strings, numbers_at_random, no_memory)
