/* D-Bus values as JSON: every type, and the strings that break naive writers. */

#include "ctl/json.h"

#include <errno.h>
#include <math.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl-message.h"

static void check_string(const char *text, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *json = NULL;

        json_string(&b, text);
        json = buffer_take(&b, NULL);
        ck_assert_str_eq(json, expected);
}

static void check_bytes(const void *data, size_t size, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *json = NULL;

        json_bytes(&b, data, size);
        json = buffer_take(&b, NULL);
        ck_assert_str_eq(json, expected);
}

/* The one value of the message, appended with these arguments. */
#define CHECK_VALUE(expected, ...)                                                                          \
        do {                                                                                                \
                sd_bus *bus = message_bus();                                                                \
                sd_bus_message *m = message_signal(bus, "/a", "a.b", "C");                                  \
                                                                                                            \
                ck_assert_int_ge(sd_bus_message_append(m, __VA_ARGS__), 0);                                 \
                check_message(message_sealed(m), expected);                                                 \
                sd_bus_message_unref(m);                                                                    \
                sd_bus_unref(bus);                                                                          \
        } while (0)

static void check_message(sd_bus_message *m, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *json = NULL;

        ck_assert_int_eq(json_value(&b, m), 0);
        ck_assert_int_eq(sd_bus_message_at_end(m, 1), 1);
        json = buffer_take(&b, NULL);
        ck_assert_str_eq(json, expected);
}

START_TEST(strings)
{
        check_string("", "\"\"");
        check_string("a/b 'c'", "\"a/b 'c'\"");
        check_string("\"\\", "\"\\\"\\\\\"");
        check_string("\b\f\n\r\t\v\033\177", "\"\\b\\f\\n\\r\\t\\u000b\\u001b\\u007f\"");
        check_string("\xc3\xbc\xf0\x9f\x98\x80", "\"\xc3\xbc\xf0\x9f\x98\x80\"");
        check_string("a\xff"
                     "b",
                     "\"a\xef\xbf\xbd"
                     "b\"");
}
END_TEST

START_TEST(bytes)
{
        check_bytes("", 0, "\"\"");
        check_bytes("a\n", 2, "\"a\\n\"");
        check_bytes("a\0b", 3, "\"a\\u0000b\"");
        check_bytes("\xff", 1, "{\"base64\":\"/w==\"}");
        check_bytes("\xff\xfe", 2, "{\"base64\":\"//4=\"}");
        check_bytes("\xff\xfe\xfd", 3, "{\"base64\":\"//79\"}");
        check_bytes("\xff\0\0\x01", 4, "{\"base64\":\"/wAAAQ==\"}");
}
END_TEST

START_TEST(basic_types)
{
        CHECK_VALUE("255", "y", 255);
        CHECK_VALUE("true", "b", 1);
        CHECK_VALUE("false", "b", 0);
        CHECK_VALUE("-32768", "n", -32768);
        CHECK_VALUE("65535", "q", 65535);
        CHECK_VALUE("-2147483648", "i", INT32_MIN);
        CHECK_VALUE("4294967295", "u", UINT32_MAX);
        CHECK_VALUE("-9223372036854775808", "x", INT64_MIN);
        CHECK_VALUE("18446744073709551614", "t", UINT64_MAX - 1);
        CHECK_VALUE("null", "t", UINT64_MAX);
        CHECK_VALUE("0.5", "d", 0.5);
        CHECK_VALUE("null", "d", NAN);
        CHECK_VALUE("null", "d", -INFINITY);
        CHECK_VALUE("\"/a/b\"", "o", "/a/b");
        CHECK_VALUE("\"a{sv}\"", "g", "a{sv}");
}
END_TEST

START_TEST(containers)
{
        CHECK_VALUE("[]", "as", 0);
        CHECK_VALUE("[\"a\",\"b\"]", "as", 2, "a", "b");
        CHECK_VALUE("[1,\"b\",[2]]", "(isau)", 1, "b", 1, 2);
        CHECK_VALUE("7", "v", "u", 7);
        CHECK_VALUE("\"x\"", "v", "v", "s", "x");
        CHECK_VALUE("{}", "a{sv}", 0);
        CHECK_VALUE("{\"A\":true,\"B\":[\"c\"]}", "a{sv}", 2, "A", "b", 1, "B", "as", 1, "c");
        CHECK_VALUE("{\"1\":\"a\",\"2\":\"b\"}", "a{us}", 2, 1, "a", 2, "b");
        CHECK_VALUE("[{\"A\":1},{}]", "aa{sv}", 2, 1, "A", "i", 1, 0);
        CHECK_VALUE("\"ab\"", "ay", 2, 'a', 'b');
        CHECK_VALUE("{\"D\":{\"base64\":\"gA==\"}}", "a{sv}", 1, "D", "ay", 1, 0x80);
}
END_TEST

START_TEST(arguments_by_name)
{
        static const char *const names[] = {"id", "code", "details", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *json = NULL;
        sd_bus *bus = message_bus();
        sd_bus_message *m = message_signal(bus, "/a", "a.b", "C");

        ck_assert_int_ge(sd_bus_message_append(m, "sia{sv}", "j1", -1, 1, "X", "t", UINT64_C(5)), 0);
        message_sealed(m);
        ck_assert_int_eq(json_arguments(&b, m, names), 0);
        json = buffer_take(&b, NULL);
        ck_assert_str_eq(json, "{\"id\":\"j1\",\"code\":-1,\"details\":{\"X\":5}}");
        ck_assert_int_eq(json_value(&b, m), -EBADMSG); /* there is none left */
        sd_bus_message_unref(m);
        sd_bus_unref(bus);
}
END_TEST

TEST_MAIN("ctl-json", strings, bytes, basic_types, containers, arguments_by_name)
