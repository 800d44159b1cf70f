#pragma once

/* NULL-terminated arrays of owned strings: argv, environments, lists of names. NULL is an empty one. */

#include <stddef.h>

#include "basic/macro.h"

#define STRV_FOREACH(s, v) for (char **s = (v); s && *s; s++)

char **strv_free(char **v); /* returns NULL */
DEFINE_CLEANUP(char **, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *v) _pure_;
/* NULL when there is no memory; a copy of NULL is an empty array, not NULL. */
char **strv_copy(char *const *v);
bool strv_equal(char *const *a, char *const *b) _pure_;
bool strv_contains(char *const *v, const char *s) _pure_;
/* Appends a copy. 0 or -ENOMEM. */
int strv_append(char ***v, const char *s);
/* Appends s itself, and frees it when that fails. */
int strv_consume(char ***v, char *s);
/* The same for long lists, whose length and room the caller keeps: 0 for a list of none. */
int strv_push(char ***v, size_t *n, size_t *allocated, char *s);
/* Appends copies of all. 0, or -ENOMEM, and then of some. */
int strv_extend(char ***v, char *const *more);
/* Joined with separator. NULL: no memory. */
char *strv_join(char *const *v, const char *separator);

/* Environments: "NAME=VALUE" each, names as POSIX's ([A-Za-z_][A-Za-z0-9_]*). */
bool env_name_is_valid(const char *name, size_t length) _pure_;
bool env_assignment_is_valid(const char *assignment) _pure_;
/* The value of name, within v; NULL when it is not there. The last one counts. */
const char *env_get(char *const *v, const char *name) _pure_;
/* Replaces every assignment of the same name, or appends. 0 or -ENOMEM. */
int env_put(char ***v, const char *assignment);
int env_set(char ***v, const char *name, const char *value);
/* Takes every assignment of name (no "=") away, in place. */
void env_unset(char **v, const char *name);
/* In place: of several entries of a name the last counts, at the place of the first; NAME without "=" takes
 * it away. For long lists, where env_put() would be quadratic. 0, or -ENOMEM, and then nothing changed. */
int env_settle(char **v);
/* strcmp(3) of what stands before "=". */
int env_compare_names(const char *a, const char *b);
