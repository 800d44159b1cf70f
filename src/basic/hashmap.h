#pragma once

/* A map from strings or 64-bit numbers to pointers. Open addressing, grows by doubling, remembers neither
 * keys nor values for anybody: a string key belongs to the value and must live as long as its entry. */

#include <stdint.h>

#include "basic/macro.h"

typedef enum HashmapKind {
        HASHMAP_STRING,
        HASHMAP_NUMBER,
} HashmapKind;

typedef struct HashmapSlot {
        union {
                const char *string;
                uint64_t number;
        } key;
        void *value; /* NULL: free */
} HashmapSlot;

typedef struct Hashmap {
        HashmapKind kind;
        HashmapSlot *slots;
        size_t n_slots; /* a power of two, or 0 */
        size_t n_entries;
} Hashmap;

void hashmap_init(Hashmap *m, HashmapKind kind);
void hashmap_done(Hashmap *m); /* frees the table, not the values */

/* 0; -EEXIST when the key is there; -ENOMEM, and then nothing changed. value is not NULL. */
int hashmap_put_string(Hashmap *m, const char *key, void *value);
int hashmap_put_number(Hashmap *m, uint64_t key, void *value);

void *hashmap_get_string(const Hashmap *m, const char *key);
void *hashmap_get_number(const Hashmap *m, uint64_t key);

/* The value that was there, or NULL. */
void *hashmap_remove_string(Hashmap *m, const char *key);
void *hashmap_remove_number(Hashmap *m, uint64_t key);
