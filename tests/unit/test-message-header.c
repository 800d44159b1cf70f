/* Headers of messages with descriptors: what is right, and every way in which one can be wrong. */

#include "core/message-header.h"

#include <string.h>

#include "basic/alloc.h"
#include "test-main.h"

typedef struct Message {
        char data[1024];
        size_t size;
        bool big;
} Message;

static void put_number(Message *m, uint32_t n)
{
        while (m->size % 4)
                m->data[m->size++] = 0;
        for (unsigned i = 0; i < 4; i++)
                m->data[m->size++] = (char) (n >> (m->big ? 24 - 8 * i : 8 * i));
}

static void put_field(Message *m, uint8_t code, char type)
{
        while (m->size % 8)
                m->data[m->size++] = 0;
        memcpy(m->data + m->size, (const char[]){(char) code, 1, type, 0}, 4);
        m->size += 4;
}

static void put_text(Message *m, uint8_t code, char type, const char *text)
{
        put_field(m, code, type);
        if (type == 'g')
                m->data[m->size++] = (char) strlen(text);
        else
                put_number(m, (uint32_t) strlen(text));
        memcpy(m->data + m->size, text, strlen(text) + 1);
        m->size += strlen(text) + 1;
}

static void begin(Message *m, bool big)
{
        *m = (Message){.big = big};
        memcpy(m->data, (const char[]){big ? 'B' : 'l', 1, 0, 1}, 4);
        m->size = 4;
        put_number(m, 0);
        put_number(m, 77);
        put_number(m, 0);
}

static void end(Message *m, uint32_t n)
{
        Message fields = {.big = m->big};

        put_field(m, 9, 'u');
        put_number(m, n);
        put_number(&fields, (uint32_t) m->size - 16);
        memcpy(m->data + 12, fields.data, 4);
}

/* With these; NULL leaves it out. */
static bool is_sound(const char *path, const char *interface, const char *member, const char *destination,
                     const char *signature)
{
        bool sound[2];

        for (unsigned big = 0; big < 2; big++) {
                Message m;

                begin(&m, big);
                if (path)
                        put_text(&m, 1, 'o', path);
                if (destination)
                        put_text(&m, 6, 's', destination);
                if (interface)
                        put_text(&m, 2, 's', interface);
                if (member)
                        put_text(&m, 3, 's', member);
                if (signature)
                        put_text(&m, 8, 'g', signature);
                end(&m, 2);
                sound[big] = message_header_is_sound(m.data, m.size, 2);
        }
        ck_assert_int_eq(sound[0], sound[1]);
        return sound[0];
}

START_TEST(right)
{
        ck_assert(is_sound("/org/reeve1", "org.reeve1.Manager", "Exec", "org.reeve1", "asa{sv}"));
        ck_assert(is_sound("/", NULL, "_x9", NULL, NULL));
        ck_assert(is_sound("/a_/9", "a._9", "M", ":1.0", ""));
        ck_assert(is_sound("/a", NULL, "M", "a-b.c", "ybnqiuxtdsoghv"));
        ck_assert(is_sound("/a", NULL, "M", NULL, "aa{s(iv)}a{ya{sv}}((h))"));
}
END_TEST

START_TEST(wrong)
{
        static const char *const paths[] = {"",      "a",    "/a/",  "//a",
                                            "/a//b", "/a-b", "/a.b", "/org/freedesktop/DBus/Local"};
        static const char *const interfaces[] = {
                        "",    "a",   ".a",    "a.",    "a..b",
                        "a.9", "9.a", "a.b-c", "a b.c", "org.freedesktop.DBus.Local"};
        static const char *const members[] = {"", "9a", "a.b", "a-b", "\xc3\xa4"};
        static const char *const destinations[] = {"", ":", "a", ":1", "1.a", "a.9", ":1.", "::1.2"};
        static const char *const signatures[] = {"a",
                                                 "(",
                                                 "()",
                                                 "(s",
                                                 "s)",
                                                 "{sv}",
                                                 "a{",
                                                 "a{s",
                                                 "a{sv",
                                                 "a{vs}",
                                                 "a{s}",
                                                 "a{svv}",
                                                 "a{(s)v}",
                                                 "z",
                                                 "m",
                                                 "}",
                                                 "aaaaaaaaaaaaaaaaaaaaaaaaas"};

        ck_assert(!is_sound(NULL, NULL, "M", NULL, NULL));
        ck_assert(!is_sound("/a", NULL, NULL, NULL, NULL));
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                ck_assert_msg(!is_sound(paths[i], NULL, "M", NULL, NULL), "%s", paths[i]);
        for (size_t i = 0; i < ELEMENTSOF(interfaces); i++)
                ck_assert_msg(!is_sound("/a", interfaces[i], "M", NULL, NULL), "%s", interfaces[i]);
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                ck_assert_msg(!is_sound("/a", NULL, members[i], NULL, NULL), "%s", members[i]);
        for (size_t i = 0; i < ELEMENTSOF(destinations); i++)
                ck_assert_msg(!is_sound("/a", NULL, "M", destinations[i], NULL), "%s", destinations[i]);
        for (size_t i = 0; i < ELEMENTSOF(signatures); i++)
                ck_assert_msg(!is_sound("/a", NULL, "M", NULL, signatures[i]), "%s", signatures[i]);
}
END_TEST

START_TEST(fields)
{
        static const struct {
                uint8_t code;
                char type;
        } more[] = {{0, 's'}, {1, 'o'}, {1, 's'},  {4, 's'},  {5, 'u'},
                    {9, 'u'}, {9, 's'}, {10, 's'}, {255, 's'}};

        for (size_t i = 0; i < ELEMENTSOF(more); i++) {
                Message m;

                begin(&m, false);
                put_text(&m, 3, 's', "M");
                if (more[i].code != 1 || more[i].type == 'o')
                        put_text(&m, 1, 'o', "/a");
                if (more[i].type == 'u') {
                        put_field(&m, more[i].code, 'u');
                        put_number(&m, 2);
                } else {
                        put_text(&m, more[i].code, more[i].type, "/a");
                }
                end(&m, 2);
                ck_assert_msg(!message_header_is_sound(m.data, m.size, 2), "%u %c", more[i].code,
                              more[i].type);
        }
}
END_TEST

/* Cut at every byte, and with every byte changed in every way: never beyond its end (a sanitizer sees that),
 * and what is cut is never right. */
START_TEST(mutations)
{
        unsigned n_sound = 0;
        Message m;

        begin(&m, false);
        put_text(&m, 1, 'o', "/org/reeve1");
        put_text(&m, 6, 's', "org.reeve1");
        put_text(&m, 3, 's', "Exec");
        put_text(&m, 8, 'g', "asa{sv}");
        end(&m, 2);
        ck_assert(message_header_is_sound(m.data, m.size, 2));
        ck_assert(!message_header_is_sound(m.data, m.size, 1));
        ck_assert(!message_header_is_sound(m.data, m.size, 3));
        for (size_t size = 0; size < m.size; size++) {
                _cleanup_free_ char *exact = alloc_copy(m.data, size);

                ck_assert(!message_header_is_sound(exact, size, 2));
        }
        for (size_t i = 0; i < m.size; i++)
                for (unsigned value = 0; value < 256; value++) {
                        _cleanup_free_ char *exact = alloc_copy(m.data, m.size);

                        exact[i] = (char) value;
                        n_sound += message_header_is_sound(exact, m.size, 2);
                }
        ck_assert_uint_gt(n_sound, m.size); /* a name may be another, of course */
}
END_TEST

TEST_MAIN("message-header", right, wrong, fields, mutations)
