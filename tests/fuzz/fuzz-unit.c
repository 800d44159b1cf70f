/*
 * Unit files, from bytes to what would be run. An input is several files, each behind a line "=== PATH":
 * what is before the first is /u/a.service. Whatever it holds, the loader returns, and what it promises is
 * true: refused units say why, the others can be run, and there is an order.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "core/unit-bundle.h"
#include "core/unit-load.h"
#include "fuzz.h"
#include "sys/unit-files.h"
#include "unit/command.h"
#include "unit/environment-file.h"
#include "unit/order.h"

#define MARK "=== "
#define HOLDS(expression)                                                                                   \
        do {                                                                                                \
                if (!(expression))                                                                          \
                        abort();                                                                            \
        } while (0)

static UnitFileKind kind_of(const char *path)
{
        const char *dot = strrchr(path, '.');

        return dot && streq(dot, ".conf")      ? UNIT_FILE_DROPIN
               : dot && streq(dot, ".service") ? UNIT_FILE_FRAGMENT
                                               : UNIT_FILE_OTHER;
}

static void put(Buffer *block, const char *path, const char *text, size_t size)
{
        UnitFileRecord r = {.kind = kind_of(path), .folder = path[0] == '/' && path[1] == 'l'};

        r.path_size = (uint32_t) strlen(path);
        r.text_size = r.kind == UNIT_FILE_OTHER ? 0 : (uint32_t) size;
        buffer_append(block, &r, sizeof(r));
        buffer_append_string(block, path);
        buffer_append(block, text, r.text_size);
}

static const char *find_mark(const char *s, const char *end)
{
        for (const char *p = s; (p = memmem(p, (size_t) (end - p), "\n" MARK, strlen(MARK) + 1)); p++)
                return p + 1;
        return NULL;
}

static void make_block(const char *data, size_t size, Buffer *block)
{
        const char *end = data + size, *next;
        _cleanup_free_ char *path = str_copy("/u/a.service");

        do {
                const char *line_end;

                next = find_mark(data, end);
                put(block, path, data, (size_t) ((next ?: end) - data));
                if (!next)
                        break;
                line_end = memchr(next, '\n', (size_t) (end - next)) ?: end;
                free(path);
                path = str_copy_n(next + strlen(MARK), (size_t) (line_end - next) - strlen(MARK));
                data = line_end < end ? line_end + 1 : end;
        } while (path);
        buffer_append(block, &(UnitFileRecord){.kind = UNIT_FILE_END}, sizeof(UnitFileRecord));
}

static void check_unit(const Unit *u)
{
        char *const environment[] = {(char *) "A=a b 'c", (char *) "PATH=/bin", NULL};

        HOLDS(!u->refused || u->reason);
        HOLDS(u->refused || u->n_commands[UNIT_EXEC_START] > 0 || u->n_commands[UNIT_EXEC_STOP] > 0);
        HOLDS(u->refused || u->type == UNIT_TYPE_ONESHOT || u->n_commands[UNIT_EXEC_START] == 1);
        for (unsigned kind = 0; kind < _UNIT_COMMAND_KIND_MAX; kind++)
                for (size_t i = 0; i < u->n_commands[kind]; i++) {
                        char **argv = NULL;
                        int r = unit_command_expand(&u->commands[kind][i], environment, &argv);

                        HOLDS(r == -E2BIG || (r == 0 && argv && argv[0]));
                        strv_free(argv);
                }
}

static void check_table(const UnitBundle *b, UnitTable *t, UnitProblems *problems)
{
        HOLDS(t->n <= UNITS_MAX);
        (void) unit_load_one(b, "t@x-y.service", t, problems);
        for (size_t i = 0; i < t->n; i++)
                check_unit(t->units[i]);
        HOLDS(unit_order_sort(t->units, t->n) == 0);
        for (size_t i = 0; i < problems->n; i++)
                HOLDS(problems->list[i].message[0] && !strchr(problems->list[i].message, '\n'));
}

static void load(void *block, size_t size, bool whole)
{
        UnitProblems problems = UNIT_PROBLEMS_INIT;
        UnitBundle b = UNIT_BUNDLE_INIT;
        UnitTable t;
        int r;

        r = unit_bundle_take(block, size, &b, &problems);
        HOLDS(r == 0 || (r == -EBADMSG && !whole));
        if (r == 0) {
                HOLDS(unit_load_all(&b, &t, &problems) == 0);
                check_table(&b, &t, &problems);
                unit_table_done(&t);
        }
        unit_bundle_done(&b);
        unit_problems_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;
        _cleanup_strv_ char **variables = NULL;
        size_t block_size = 0;
        void *copy;

        make_block((const char *) data, size, &block);
        copy = buffer_take(&block, &block_size);
        HOLDS(copy);
        load(copy, block_size, true);
        load(alloc_copy(data, size), size, false); /* as if it were a block itself */
        HOLDS(environment_file_parse("/f", (const char *) data, size, &variables, NULL) == 0);
        STRV_FOREACH (variable, variables)
                HOLDS(env_assignment_is_valid(*variable));
        return 0;
}
