/*
 * The line before the command is a line of its own: so a syntax error in the command finds the trap set, and
 * no shell shows the trap as the line in which it found the error. The price is that shells which count
 * lines count one more.
 */

#include "core/shell-state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/parse.h"
#include "basic/strv.h"

static void append_quoted(Buffer *b, const char *s)
{
        buffer_append_string(b, "'");
        for (; *s; s++)
                if (*s == '\'')
                        buffer_append_string(b, "'\\''");
                else
                        buffer_append(b, s, 1);
        buffer_append_string(b, "'");
}

char *shell_state_script(const char *program, const char *address, const char *command)
{
        _cleanup_(buffer_done) Buffer trap = BUFFER_INIT, script = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;

        if (!program || !address)
                return str_copy(command);
        /* In a child of its own, which takes stderr away before it does anything: so `set -x` tells nothing
         * of it, a shell at the end of its descriptors fails there alone, and what fails is not the
         * command's failure, also under `set -e`. No word in it can be an alias or a function. */
        buffer_append_string(&trap, "(");
        append_quoted(&trap, program);
        buffer_append_string(&trap, " --session-report ");
        append_quoted(&trap, address);
        buffer_append_string(&trap, " \"${PWD-}\" \"${OLDPWD-}\") 2>/dev/null || :");
        text = buffer_take(&trap, NULL);
        if (!text)
                return NULL;
        buffer_append_string(&script, "trap ");
        append_quoted(&script, text);
        buffer_append_string(&script, " EXIT\n");
        buffer_append_string(&script, command);
        return buffer_take(&script, NULL);
}

void shell_state_done(ShellState *s)
{
        free(s->directory);
        strv_free(s->environment);
        *s = (ShellState){0};
}

/* One field: a letter, then its value; an environment's goes to *entry. 1: the end. */
static int parse_field(const char *field, ShellState *s, char **entry, bool *has_umask)
{
        switch (field[0]) {
        case 'u': {
                uint32_t mode;
                int r = parse_mode(field + 1, &mode);

                if (r < 0)
                        return -EBADMSG;
                s->umask = (mode_t) mode;
                *has_umask = true;
                return 0;
        }
        case 'd':
                if (field[1] != '/' || strlen(field + 1) >= PATH_MAX || s->directory)
                        return -EBADMSG;
                s->directory = str_copy(field + 1);
                return s->directory ? 0 : -ENOMEM;
        case 'e': *entry = str_copy(field + 1); return *entry ? 0 : -ENOMEM;
        case '.': return 1;
        default: return -EBADMSG;
        }
}

static size_t count_fields(const char *report, size_t size)
{
        size_t n = 0;

        for (const char *p = report; p; p = memchr(p, '\0', (size_t) (report + size - p))) {
                p += n > 0;
                n++;
        }
        return n;
}

int shell_state_parse(const char *report, size_t size, ShellState *ret)
{
        _cleanup_(shell_state_done) ShellState s = {0};
        bool has_umask = false;
        char **entry;
        int r = 0;

        if (size == 0 || report[size - 1] != '\0')
                return -EBADMSG;
        entry = s.environment = alloc_zero((count_fields(report, size) + 1) * sizeof(char *));
        if (!entry)
                return -ENOMEM;
        for (const char *field = report; r == 0 && field < report + size; field += strlen(field) + 1) {
                r = parse_field(field, &s, entry, &has_umask);
                entry += *entry != NULL;
        }
        if (r < 0)
                return r;
        if (r == 0 || !has_umask || !s.directory)
                return -EBADMSG;
        *ret = s;
        s = (ShellState){0};
        return 0;
}

static int compare_entries(const void *a, const void *b)
{
        return env_compare_names(*(char *const *) a, *(char *const *) b);
}

/* The same strings, by name. */
static char **sorted(char *const *v, size_t *ret_n)
{
        size_t n = strv_length(v);
        char **copy = alloc_array(char *, n + 1);

        if (!copy)
                return NULL;
        if (n > 0)
                memcpy(copy, v, n * sizeof(char *));
        qsort(copy, n, sizeof(char *), compare_entries);
        copy[n] = NULL;
        *ret_n = n;
        return copy;
}

static bool is_of_the_command(const char *assignment)
{
        static const char *const of_the_shell[] = {"PWD", "SHLVL",         "SHELLOPTS",     "BASHOPTS",
                                                   "_",   "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
        size_t n = strcspn(assignment, "=");

        for (size_t i = 0; i < ELEMENTSOF(of_the_shell); i++)
                if (strlen(of_the_shell[i]) == n && strncmp(of_the_shell[i], assignment, n) == 0)
                        return false;
        return env_name_is_valid(assignment, n);
}

/* NULL: none. */
static const char *change(const char *before, const char *after)
{
        if ((before && after && streq(before, after)) || !is_of_the_command(after ?: before))
                return NULL;
        return after ?: before;
}

int shell_state_changes(char *const *start, char *const *end, char ***ret)
{
        size_t n = 0, m = 0, i = 0, j = 0, k = 0;
        _cleanup_free_ char **a = sorted(start, &n), **b = sorted(end, &m);
        _cleanup_strv_ char **changes = NULL;

        if (!a || !b)
                return -ENOMEM;
        changes = alloc_zero((n + m + 1) * sizeof(char *));
        if (!changes)
                return -ENOMEM;
        while (i < n || j < m) {
                int c = i == n ? 1 : j == m ? -1 : env_compare_names(a[i], b[j]);
                const char *changed = change(c <= 0 ? a[i] : NULL, c >= 0 ? b[j] : NULL);

                if (changed) {
                        changes[k] = c < 0 ? str_copy_n(changed, strcspn(changed, "=")) : str_copy(changed);
                        if (!changes[k++])
                                return -ENOMEM;
                }
                i += c <= 0;
                j += c >= 0;
        }
        *ret = TAKE_PTR(changes);
        return 0;
}
