/* Memory of the rings: zeroed, shared, and not in a forked child. */

#include "sys/ring-memory.h"

#include <string.h>
#include <sys/mman.h>

#include "rig.h"

static size_t kib_of(const char *key, const void *at)
{
        char line[512];
        bool inside = false;
        size_t kib = 0;
        FILE *f = fopen("/proc/self/smaps", "re");

        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f)) {
                unsigned long low, high;

                if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
                        inside = (unsigned long) at >= low && (unsigned long) at < high;
                else if (inside && strncmp(line, key, strlen(key)) == 0)
                        sscanf(line + strlen(key), " %zu", &kib);
        }
        fclose(f);
        return kib;
}

START_TEST(zeroed_and_writable)
{
        size_t size = 1024 * 1024;
        unsigned char *m = ring_memory_map(size);

        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq((uintptr_t) m % 4096, 0);
        for (size_t i = 0; i < size; i += 511)
                ck_assert_uint_eq(m[i], 0);
        memset(m, 0xaa, size);
        ck_assert_uint_eq(m[size - 1], 0xaa);
        ring_memory_unmap(m, size);
        ring_memory_unmap(NULL, size);
}
END_TEST

START_TEST(costs_what_is_used)
{
        size_t size = 16 * 1024 * 1024;
        unsigned char *m = ring_memory_map(size);

        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(kib_of("Rss:", m), 0);
        m[0] = 1;
        ck_assert_uint_lt(kib_of("Rss:", m), 4096);
        ring_memory_unmap(m, size);
}
END_TEST

static int child_without_it(void *data)
{
        unsigned char in;

        /* ENOMEM: nothing is mapped there. */
        RIG_CHECK(mincore(data, 4096, &in) < 0 && errno == ENOMEM);
        return 0;
}

START_TEST(not_in_a_child)
{
        void *m = ring_memory_map(65536);

        ck_assert_ptr_nonnull(m);
        ck_assert_int_eq(rig_in_child(child_without_it, m), 0);
        ring_memory_unmap(m, 65536);
}
END_TEST

START_TEST(too_much)
{
        ck_assert_ptr_null(ring_memory_map((size_t) 1 << 62));
}
END_TEST

TEST_MAIN("ring-memory", zeroed_and_writable, costs_what_is_used, not_in_a_child, too_much)
