/*
 * Two tables: words that are said or not, and keys with a number. A line that is neither, nor STATUS=, is
 * passed over in silence: that is how the protocol grows.
 */

#include "core/notify-message.h"

#include <errno.h>

#include "basic/parse.h"

#define NUMBER_TEXT_MAX 20U /* UINT64_MAX */

static const struct {
        NotifyKey key;
        const char *line;
} words[] = {
#define X(id, line) {NOTIFY_##id, (line)},
                NOTIFY_WORDS(X)
#undef X
};

static const struct {
        NotifyKey key;
        const char *name;
        uint64_t max, min;
} numbers[] = {
#define X(id, name, max, min) {NOTIFY_##id, (name), (max), (min)},
                NOTIFY_NUMBERS(X)
#undef X
};

/* What follows name in the line; NULL: it is another. */
static const char *value_of(const char *line, size_t size, const char *name)
{
        size_t n = strlen(name);

        return size >= n && memcmp(line, name, n) == 0 ? line + n : NULL;
}

static int read_number(const char *text, size_t size, uint64_t *ret)
{
        char copy[NUMBER_TEXT_MAX + 1];

        if (size > NUMBER_TEXT_MAX)
                return -EINVAL;
        memcpy(copy, text, size);
        copy[size] = '\0';
        return parse_u64(copy, ret);
}

static void read_line(const char *line, size_t size, NotifyMessage *m)
{
        const char *value;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (size == strlen(words[i].line) && memcmp(line, words[i].line, size) == 0)
                        m->given |= 1U << words[i].key;
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                NotifyKey key = numbers[i].key;
                uint64_t n = 0;

                value = value_of(line, size, numbers[i].name);
                if (!value || notify_message_has(m, key))
                        continue;
                if (read_number(value, (size_t) (line + size - value), &n) < 0 || n < numbers[i].min ||
                    n > numbers[i].max) {
                        m->wrong = m->wrong ?: numbers[i].name;
                        continue;
                }
                m->numbers[key] = n;
                m->given |= 1U << key;
        }
        value = value_of(line, size, "STATUS=");
        if (value && !m->status) {
                m->status = value;
                m->status_size = (size_t) (line + size - value);
                m->given |= 1U << NOTIFY_STATUS;
        }
}

int notify_message_parse(const char *text, size_t size, NotifyMessage *ret)
{
        const char *end = text + size;
        NotifyMessage m = {0};

        if (size > 0 && end[-1] == '\0')
                end--;
        if (memchr(text, '\0', (size_t) (end - text)))
                return -EBADMSG;
        while (text < end) {
                const char *stop = memchr(text, '\n', (size_t) (end - text)) ?: end;

                read_line(text, (size_t) (stop - text), &m);
                text = stop + (stop < end);
        }
        *ret = m;
        return 0;
}
