/*
 * What the kernel's command line has for init. The kernel itself passes on what stands after "--", but also
 * every word before it that it does not know ("splash", "auto", "BOOT_IMAGE=..." as a variable): in argv the
 * two look alike. The command line tells them apart. A script between the kernel and init (that of an
 * initramfs) may have put words of its own there: so a word is a stray only when the command line has it,
 * before the "--".
 */

#include "basic/kernel-line.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"

static bool is_blank(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r') || c == '\xa0';
}

/* One word, from *line on, whose quotes are taken off where the kernel does: around all of it, around the
 * value. NULL: no memory. */
static char *take_word(const char **line)
{
        const char *s = *line, *begin, *value = NULL;
        bool quoted = *s == '"', in_quote = quoted;
        size_t n, name;
        char *word;

        begin = quoted ? ++s : s;
        for (; *s && (in_quote || !is_blank(*s)); s++) {
                if (*s == '=' && !value)
                        value = s + 1;
                else if (*s == '"')
                        in_quote = !in_quote;
        }
        *line = s;
        n = (size_t) (s - begin);
        if (value && *value == '"' && !quoted) {
                name = (size_t) (value - begin);
                value++;
                n -= name + 1;
                if (n > 0 && value[n - 1] == '"')
                        n--;
                word = alloc_zero(name + n + 1);
                if (word)
                        memcpy(mempcpy(word, begin, name), value, n);
                return word;
        }
        if (quoted && n > 0 && begin[n - 1] == '"')
                n--;
        return str_copy_n(begin, n);
}

int kernel_line_split(const char *line, char ***ret_parameters, char ***ret_init)
{
        _cleanup_strv_ char **parameters = NULL, **init = NULL;
        bool after = false;

        for (;;) {
                char *word;
                int r;

                while (is_blank(*line))
                        line++;
                if (!*line)
                        break;
                word = take_word(&line);
                if (!word)
                        return -ENOMEM;
                if (streq(word, "--")) {
                        free(word);
                        if (after) /* the kernel stops at a second one, too */
                                break;
                        after = true;
                        continue;
                }
                r = strv_consume(after ? &init : &parameters, word);
                if (r < 0)
                        return r;
        }
        *ret_parameters = TAKE_PTR(parameters);
        *ret_init = TAKE_PTR(init);
        return 0;
}

const char *kernel_line_get(char *const *parameters, const char *name)
{
        const char *found = NULL;

        for (; parameters && *parameters; parameters++) {
                const char *a = *parameters, *b = name;

                while (*b && (*a == *b || (strchr("-_", *a) && strchr("-_", *b) && *a)))
                        a++, b++;
                if (*b == '\0' && (*a == '\0' || *a == '='))
                        found = *a ? a + 1 : a;
        }
        return found;
}

size_t kernel_line_strays(char *const *argv, char *const *parameters, char *const *init)
{
        size_t argc = strv_length(argv), own = strv_length(init), n = 0;

        if (argc == 0)
                return 0;
        /* Where argv does not end with what stands after the "--", somebody else has made it. */
        if (own > argc - 1 || (own > 0 && !strv_equal(argv + argc - own, init)))
                own = 0;
        while (n < argc - 1 - own && strv_contains(parameters, argv[1 + n]))
                n++;
        return n;
}
