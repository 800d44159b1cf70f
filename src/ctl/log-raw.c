/*
 * Among raw bytes there is no place to say that some are missing, and FollowLog says it nowhere else: so
 * what is followed as raw is asked for as export, where a loss is an entry.
 */

#include "ctl/log-raw.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>

#include "basic/parse.h"

typedef struct ExportEntry {
        const char *message;
        size_t message_size;
        bool is_output, is_partial;
        uint64_t lost;
} ExportEntry;

void log_raw_done(LogRaw *r)
{
        buffer_done(&r->pending);
}

static void take_field(ExportEntry *e, const char *name, size_t name_size, const char *value, size_t size)
{
        char number[24];

        if (name_size == strlen("MESSAGE") && memcmp(name, "MESSAGE", name_size) == 0) {
                e->message = value;
                e->message_size = size;
        } else if (name_size == strlen("REEVE_PARTIAL") && memcmp(name, "REEVE_PARTIAL", name_size) == 0) {
                e->is_partial = true;
        } else if (name_size == strlen("REEVE_STREAM") && memcmp(name, "REEVE_STREAM", name_size) == 0) {
                e->is_output = size == strlen("stdout") && memcmp(value, "std", 3) == 0;
        } else if (name_size == strlen("REEVE_LOST_BYTES") && size < sizeof(number) &&
                   memcmp(name, "REEVE_LOST_BYTES", name_size) == 0) {
                memcpy(number, value, size);
                number[size] = '\0';
                (void) parse_u64(number, &e->lost);
        }
}

/* One field at the start of data. Its size with the newline behind it; 0: it is not all there. */
static ssize_t read_field(const char *data, size_t n, ExportEntry *e)
{
        const char *newline = memchr(data, '\n', n), *equals;
        size_t name_size, at;
        uint64_t size;

        if (!newline)
                return 0;
        name_size = (size_t) (newline - data);
        equals = memchr(data, '=', name_size);
        if (equals) {
                take_field(e, data, (size_t) (equals - data), equals + 1, (size_t) (newline - equals - 1));
                return (ssize_t) name_size + 1;
        }
        at = name_size + 1 + sizeof(size);
        if (n < at)
                return 0;
        memcpy(&size, newline + 1, sizeof(size));
        size = le64toh(size);
        if (size > SSIZE_MAX / 2)
                return -EBADMSG;
        if (n - at <= size)
                return 0;
        if (data[at + size] != '\n')
                return -EBADMSG;
        take_field(e, data, name_size, data + at, size);
        return (ssize_t) (at + size + 1);
}

/* One entry at the start of data. Its size; 0: it is not all there. */
static ssize_t read_entry(const char *data, size_t n, ExportEntry *ret)
{
        ExportEntry e = {0};
        size_t at = 0;

        while (at < n && data[at] != '\n') {
                ssize_t size = read_field(data + at, n - at, &e);

                if (size <= 0)
                        return size;
                at += (size_t) size;
        }
        if (at == n)
                return 0;
        *ret = e;
        return (ssize_t) at + 1;
}

int log_raw_feed(LogRaw *r, const void *data, size_t size, Buffer *b)
{
        Buffer *p = &r->pending;
        size_t at = 0;

        buffer_append(p, data, size);
        if (p->error)
                return p->error;
        for (;;) {
                ExportEntry e = {0};
                ssize_t n = read_entry(p->data + at, p->size - at, &e);

                if (n < 0)
                        return (int) n;
                if (n == 0)
                        break;
                at += (size_t) n;
                r->lost += e.lost;
                if (!e.is_output)
                        continue;
                buffer_append(b, e.message, e.message_size);
                if (!e.is_partial)
                        buffer_append(b, "\n", 1);
        }
        p->size -= at;
        memmove(p->data, p->data + at, p->size);
        return b->error;
}
