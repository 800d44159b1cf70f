/*
 * Variables in command lines, systemd.service(5): no shell, no defaults, no nesting. What comes out of a
 * variable is not looked at again. Its size is bounded, for a line of 64 KiB can name a large variable ten
 * thousand times.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "unit/command.h"
#include "unit/words.h"

typedef struct Expansion {
        char *const *environment;
        char **argv;
        size_t n, allocated;
        size_t bytes;
} Expansion;

/* Takes word over. */
static int put_consume(Expansion *x, char *word)
{
        if (!word)
                return -ENOMEM;
        x->bytes += strlen(word) + 1 + sizeof(char *);
        if (x->bytes > UNIT_COMMAND_EXPANDED_MAX) {
                free(word);
                return -E2BIG;
        }
        return strv_push(&x->argv, &x->n, &x->allocated, word);
}

/* The value of the n bytes at name; NULL: not set. -ENOMEM. */
static int value_get(const Expansion *x, const char *name, size_t n, const char **ret)
{
        _cleanup_free_ char *copy = str_copy_n(name, n);

        if (!copy)
                return -ENOMEM;
        *ret = *copy ? env_get(x->environment, copy) : NULL;
        return 0;
}

/* "$NAME" alone: its value, split. */
static int words_put(Expansion *x, const char *name)
{
        const char *value;
        char *word = NULL;
        int r;

        r = value_get(x, name, strlen(name), &value);
        if (r < 0 || !value)
                return r;
        while ((r = word_next_relaxed(&value, &word)) > 0) {
                r = put_consume(x, word);
                if (r < 0)
                        return r;
        }
        return r;
}

/* One argument, with ${NAME} replaced and $$ made one; any other $ stays. */
static int word_put(Expansion *x, const char *text)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;

        while (*text && b.size <= UNIT_COMMAND_EXPANDED_MAX) {
                size_t n = strcspn(text, "$");
                const char *close, *value;

                buffer_append(&b, text, n);
                text += n;
                close = text[0] && text[1] == '{' ? strchr(text, '}') : NULL;
                if (close) {
                        int r = value_get(x, text + 2, (size_t) (close - text) - 2, &value);

                        if (r < 0)
                                return r;
                        buffer_append_string(&b, value ?: "");
                        text = close + 1;
                } else if (*text) {
                        buffer_append(&b, "$", 1);
                        text += text[1] == '$' ? 2 : 1;
                }
        }
        return put_consume(x, buffer_take(&b, NULL));
}

static int expand(Expansion *x, const UnitCommand *c)
{
        for (size_t i = 0; c->argv[i]; i++) {
                const char *word = c->argv[i];
                int r;

                if (c->no_variables || (i == 0 && streq(word, c->path)))
                        r = put_consume(x, str_copy(word));
                else if (i > 0 && word[0] == '$' && word[1] != '{' && word[1] != '$')
                        r = words_put(x, word + 1);
                else
                        r = word_put(x, word);
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_command_expand(const UnitCommand *c, char *const *environment, char ***ret)
{
        Expansion x = {.environment = environment};
        int r;

        r = expand(&x, c);
        if (r < 0) {
                strv_free(x.argv);
                return r;
        }
        *ret = x.argv;
        return 0;
}
