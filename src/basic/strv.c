/* String arrays, in the one layout that execve(2) takes: NULL-terminated, so that an argv or an environment
 * is passed on as it is. Lengths are counted, not stored; arrays are as long as command lines are, and that
 * is short enough. */

#include "basic/strv.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"

char **strv_free(char **v)
{
        STRV_FOREACH (s, v)
                free(*s);
        free(v);
        return NULL;
}

size_t strv_length(char *const *v)
{
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

char **strv_copy(char *const *v)
{
        _cleanup_strv_ char **copy = NULL;
        size_t n = strv_length(v);

        copy = alloc_zero((n + 1) * sizeof(char *));
        if (!copy)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                copy[i] = str_copy(v[i]);
                if (!copy[i])
                        return NULL;
        }
        return TAKE_PTR(copy);
}

bool strv_equal(char *const *a, char *const *b)
{
        size_t n = strv_length(a);

        if (strv_length(b) != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;
        return true;
}

bool strv_contains(char *const *v, const char *s)
{
        for (; v && *v; v++)
                if (streq(*v, s))
                        return true;
        return false;
}

int strv_consume(char ***v, char *s)
{
        size_t n = strv_length(*v);
        char **longer;

        longer = alloc_resize(*v, n + 2, sizeof(char *));
        if (!longer) {
                free(s);
                return -ENOMEM;
        }
        longer[n] = s;
        longer[n + 1] = NULL;
        *v = longer;
        return 0;
}

int strv_append(char ***v, const char *s)
{
        char *copy;

        copy = str_copy(s);
        if (!copy)
                return -ENOMEM;
        return strv_consume(v, copy);
}

char *strv_join(char *const *v, const char *separator)
{
        size_t n = strv_length(v), size = 1, n_separator = strlen(separator);
        char *joined, *end;

        for (size_t i = 0; i < n; i++)
                size += strlen(v[i]) + (i > 0 ? n_separator : 0);
        joined = alloc_resize(NULL, size, 1);
        if (!joined)
                return NULL;

        end = joined;
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        end = stpcpy(end, separator);
                end = stpcpy(end, v[i]);
        }
        *end = 0;
        return joined;
}

static bool is_name_character(char c, bool first)
{
        /* Not isalpha(3): that asks the locale. */
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
}

bool env_name_is_valid(const char *name, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if (!is_name_character(name[i], i == 0))
                        return false;
        return length > 0;
}

bool env_assignment_is_valid(const char *assignment)
{
        const char *eq = strchr(assignment, '=');

        return eq && env_name_is_valid(assignment, eq - assignment);
}

/* The value, when assignment is one of the name of `length` bytes. */
static const char *assignment_value(const char *assignment, const char *name, size_t length)
{
        return strncmp(assignment, name, length) == 0 && assignment[length] == '=' ? assignment + length + 1
                                                                                   : NULL;
}

const char *env_get(char *const *v, const char *name)
{
        size_t length = strlen(name);
        const char *found = NULL;

        for (; v && *v; v++)
                found = assignment_value(*v, name, length) ?: found;
        return found;
}

static void env_unset_n(char **v, const char *name, size_t length)
{
        char **kept = v;

        if (!v)
                return;
        STRV_FOREACH (s, v) {
                if (assignment_value(*s, name, length))
                        free(*s);
                else
                        *kept++ = *s;
        }
        *kept = NULL;
}

void env_unset(char **v, const char *name)
{
        env_unset_n(v, name, strlen(name));
}

static int env_put_consume(char ***v, char *assignment)
{
        size_t length = strcspn(assignment, "=");

        STRV_FOREACH (s, *v) {
                if (!assignment_value(*s, assignment, length))
                        continue;
                /* The first one of the name keeps its place; later ones, if somebody made any, go. */
                free(*s);
                *s = assignment;
                env_unset_n(s + 1, assignment, length);
                return 0;
        }
        return strv_consume(v, assignment);
}

int env_put(char ***v, const char *assignment)
{
        char *copy;

        assert(strchr(assignment, '='));

        copy = str_copy(assignment);
        return copy ? env_put_consume(v, copy) : -ENOMEM;
}

int env_set(char ***v, const char *name, const char *value)
{
        char *assignment;

        assignment = str_printf("%s=%s", name, value);
        return assignment ? env_put_consume(v, assignment) : -ENOMEM;
}

typedef struct Entry {
        char *string;
        size_t place;
} Entry;

int env_compare_names(const char *a, const char *b)
{
        size_t n = strcspn(a, "="), m = strcspn(b, "=");
        int c = memcmp(a, b, MIN(n, m));

        return c != 0 ? c : n < m ? -1 : n > m;
}

static int compare_entries(const void *a, const void *b)
{
        const Entry *x = a, *y = b;
        int c = env_compare_names(x->string, y->string);

        return c != 0 ? c : x->place < y->place ? -1 : 1;
}

int env_settle(char **v)
{
        size_t n = strv_length(v), kept = 0;
        _cleanup_free_ Entry *entries = alloc_array(Entry, n + 1);

        if (!entries)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                entries[i] = (Entry){.string = v[i], .place = i};
                v[i] = NULL;
        }
        qsort(entries, n, sizeof(Entry), compare_entries);
        for (size_t i = 0, first = 0; i < n; i++) {
                bool last = i + 1 == n || env_compare_names(entries[i].string, entries[i + 1].string) != 0;

                if (last && strchr(entries[i].string, '='))
                        v[entries[first].place] = entries[i].string;
                else
                        free(entries[i].string);
                if (last)
                        first = i + 1;
        }
        for (size_t i = 0; i < n; i++)
                if (v[i])
                        v[kept++] = v[i];
        if (v)
                v[kept] = NULL;
        return 0;
}

int strv_extend(char ***v, char *const *more)
{
        size_t n = strv_length(*v), m = strv_length(more);
        char **longer;

        longer = alloc_resize(*v, n + m + 1, sizeof(char *));
        if (!longer)
                return -ENOMEM;
        *v = longer;
        longer[n] = NULL;
        for (size_t i = 0; i < m; i++) {
                longer[n + i] = str_copy(more[i]);
                if (!longer[n + i])
                        return -ENOMEM;
                longer[n + i + 1] = NULL;
        }
        return 0;
}

int strv_push(char ***v, size_t *n, size_t *allocated, char *s)
{
        if (*n + 1 >= *allocated) {
                size_t larger = *allocated ? *allocated * 2 : 8;
                char **longer = alloc_resize(*v, larger, sizeof(char *));

                if (!longer) {
                        free(s);
                        return -ENOMEM;
                }
                *v = longer;
                *allocated = larger;
        }
        (*v)[(*n)++] = s;
        (*v)[*n] = NULL;
        return 0;
}
