/*
 * sd_bus_message_copy(3) goes byte by byte through an array of bytes, and outputs of 16 MiB are such: it
 * would hold up everybody for a second. An array of numbers is taken over in one piece here; where that
 * cannot be, because the sender counts its bytes the other way round, one by one it is.
 */

#include "bus/message-copy.h"

#include <errno.h>

#include "basic/macro.h"

static size_t text_size(const char *s)
{
        return strlen(s) + 8;
}

static int copy_basic(sd_bus_message *to, sd_bus_message *from, char type, size_t *size)
{
        union {
                const char *text;
                uint64_t number;
                int fd;
        } value;
        bool is_text = strchr("sog", type);
        int r;

        r = sd_bus_message_read_basic(from, type, &value);
        if (r < 0)
                return r;
        *size += is_text ? text_size(value.text) : sizeof(uint64_t);
        return to ? sd_bus_message_append_basic(to, type, is_text ? (const void *) value.text : &value) : 0;
}

/* 0: it is no array of numbers that could be copied whole. */
static int copy_numbers(sd_bus_message *to, sd_bus_message *from, char type, const char *contents,
                        size_t *size)
{
        const void *data;
        size_t n;
        int r;

        if (type != SD_BUS_TYPE_ARRAY || !strchr("ynqiuxtd", contents[0]) || contents[1] != '\0')
                return 0;
        r = sd_bus_message_read_array(from, contents[0], &data, &n);
        if (r == -EOPNOTSUPP)
                return 0;
        if (r < 0)
                return r;
        *size += n;
        r = to ? sd_bus_message_append_array(to, contents[0], data, n) : 0;
        return r < 0 ? r : 1;
}

static int copy_all(sd_bus_message *to, sd_bus_message *from, size_t *size);

static int copy_container(sd_bus_message *to, sd_bus_message *from, char type, const char *contents,
                          size_t *size)
{
        int r;

        r = copy_numbers(to, from, type, contents, size);
        if (r != 0)
                return r;
        r = sd_bus_message_enter_container(from, type, contents);
        if (r < 0)
                return r;
        r = to ? sd_bus_message_open_container(to, type, contents) : 0;
        if (r >= 0)
                r = copy_all(to, from, size);
        if (r >= 0 && to)
                r = sd_bus_message_close_container(to);
        return r < 0 ? r : sd_bus_message_exit_container(from);
}

/* To the end of the container that both are in. At most as deep as D-Bus lets a message be, 64 or so. */
static int copy_all(sd_bus_message *to, sd_bus_message *from, size_t *size)
{
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(from, &type, &contents)) > 0) {
                r = contents ? copy_container(to, from, type, contents, size)
                             : copy_basic(to, from, type, size);
                if (r < 0)
                        return r;
        }
        return r;
}

int message_copy_body(sd_bus_message *to, sd_bus_message *from, size_t *ret_size)
{
        size_t size = 0;
        int r;

        r = sd_bus_message_rewind(from, true);
        if (r >= 0)
                r = copy_all(to, from, &size);
        if (r < 0)
                return r;
        *ret_size = size;
        return 0;
}
