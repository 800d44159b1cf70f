/* A hash table with open addressing: one array, linear probing, at most three quarters full. An entry that
 * goes is filled by those behind it (backward shift), so there are no tombstones, and a table that lives as
 * long as PID 1 stays as fast as on its first day. Keys of clients (job identifiers) come in here; the seed
 * is the kernel's random bytes of this process (AT_RANDOM, getauxval(3)), so that nobody outside can choose
 * colliding ones. */

#include "basic/hashmap.h"

#include <errno.h>
#include <sys/auxv.h>

#include "basic/alloc.h"

#define SLOTS_MIN 8U

static uint64_t hash_seed(void)
{
        const void *random = (const void *) getauxval(AT_RANDOM);
        uint64_t seed = 0;

        if (random)
                memcpy(&seed, random, sizeof(seed));
        return seed;
}

/* The finalizer of MurmurHash3: every bit of the input moves every bit of the output. */
static uint64_t hash_mix(uint64_t x)
{
        x ^= x >> 33;
        x *= UINT64_C(0xff51afd7ed558ccd);
        x ^= x >> 33;
        x *= UINT64_C(0xc4ceb9fe1a85ec53);
        x ^= x >> 33;
        return x;
}

static uint64_t hash_key(HashmapKind kind, const HashmapSlot *slot)
{
        uint64_t h = hash_seed();

        if (kind == HASHMAP_NUMBER)
                return hash_mix(h ^ slot->key.number);

        for (const char *c = slot->key.string; *c; c++) { /* FNV-1a */
                h ^= (unsigned char) *c;
                h *= UINT64_C(0x100000001b3);
        }
        return hash_mix(h);
}

static bool key_equal(HashmapKind kind, const HashmapSlot *a, const HashmapSlot *b)
{
        if (kind == HASHMAP_NUMBER)
                return a->key.number == b->key.number;
        return streq(a->key.string, b->key.string);
}

/* The slot of the key, or the free one where it belongs. There is always a free one. */
static size_t slot_find(const Hashmap *m, const HashmapSlot *wanted)
{
        size_t mask = m->n_slots - 1, i;

        for (i = hash_key(m->kind, wanted) & mask; m->slots[i].value; i = (i + 1) & mask)
                if (key_equal(m->kind, &m->slots[i], wanted))
                        break;
        return i;
}

void hashmap_init(Hashmap *m, HashmapKind kind)
{
        *m = (Hashmap){.kind = kind};
}

void hashmap_done(Hashmap *m)
{
        free(m->slots);
        *m = (Hashmap){.kind = m->kind};
}

static int hashmap_grow(Hashmap *m)
{
        Hashmap larger = {.kind = m->kind, .n_slots = MAX(m->n_slots * 2, (size_t) SLOTS_MIN)};

        if (larger.n_slots > SIZE_MAX / sizeof(HashmapSlot))
                return -ENOMEM;
        larger.slots = alloc_zero(larger.n_slots * sizeof(HashmapSlot));
        if (!larger.slots)
                return -ENOMEM;

        for (size_t i = 0; i < m->n_slots; i++)
                if (m->slots[i].value)
                        larger.slots[slot_find(&larger, &m->slots[i])] = m->slots[i];
        larger.n_entries = m->n_entries;

        free(m->slots);
        *m = larger;
        return 0;
}

static int hashmap_put(Hashmap *m, HashmapSlot entry)
{
        int r;

        assert(entry.value);

        if (m->n_slots > 0 && m->slots[slot_find(m, &entry)].value)
                return -EEXIST;
        if (m->n_entries + 1 > m->n_slots / 4 * 3) {
                r = hashmap_grow(m);
                if (r < 0)
                        return r;
        }
        m->slots[slot_find(m, &entry)] = entry;
        m->n_entries++;
        return 0;
}

static void *hashmap_get(const Hashmap *m, const HashmapSlot *wanted)
{
        return m->n_slots == 0 ? NULL : m->slots[slot_find(m, wanted)].value;
}

static void *hashmap_remove(Hashmap *m, const HashmapSlot *wanted)
{
        size_t mask = m->n_slots - 1, hole, i;
        void *value;

        if (m->n_slots == 0)
                return NULL;
        hole = slot_find(m, wanted);
        value = m->slots[hole].value;
        if (!value)
                return NULL;

        /* Whoever stands behind the hole and may not stand before its own place closes it. */
        for (i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
                size_t home = hash_key(m->kind, &m->slots[i]) & mask;

                if (((i - home) & mask) < ((i - hole) & mask))
                        continue;
                m->slots[hole] = m->slots[i];
                hole = i;
        }
        m->slots[hole] = (HashmapSlot){0};
        m->n_entries--;
        return value;
}

int hashmap_put_string(Hashmap *m, const char *key, void *value)
{
        assert(m->kind == HASHMAP_STRING);
        return hashmap_put(m, (HashmapSlot){.key.string = key, .value = value});
}

int hashmap_put_number(Hashmap *m, uint64_t key, void *value)
{
        assert(m->kind == HASHMAP_NUMBER);
        return hashmap_put(m, (HashmapSlot){.key.number = key, .value = value});
}

void *hashmap_get_string(const Hashmap *m, const char *key)
{
        assert(m->kind == HASHMAP_STRING);
        return hashmap_get(m, &(HashmapSlot){.key.string = key});
}

void *hashmap_get_number(const Hashmap *m, uint64_t key)
{
        assert(m->kind == HASHMAP_NUMBER);
        return hashmap_get(m, &(HashmapSlot){.key.number = key});
}

void *hashmap_remove_string(Hashmap *m, const char *key)
{
        assert(m->kind == HASHMAP_STRING);
        return hashmap_remove(m, &(HashmapSlot){.key.string = key});
}

void *hashmap_remove_number(Hashmap *m, uint64_t key)
{
        assert(m->kind == HASHMAP_NUMBER);
        return hashmap_remove(m, &(HashmapSlot){.key.number = key});
}
