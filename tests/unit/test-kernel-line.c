/* What of the kernel's command line is for init: as the kernel itself takes it apart (asked: 6.1). */

#include "basic/kernel-line.h"

#include "basic/alloc.h"
#include "basic/strv.h"
#include "test-main.h"

#define S(text) ((char *) (text))

static void splits(const char *line, const char *parameters, const char *init)
{
        _cleanup_strv_ char **before = NULL, **after = NULL;
        _cleanup_free_ char *a = NULL, *b = NULL;

        ck_assert_int_eq(kernel_line_split(line, &before, &after), 0);
        a = strv_join(before, "|");
        b = strv_join(after, "|");
        ck_assert_str_eq(a, parameters);
        ck_assert_str_eq(b, init);
}

START_TEST(words)
{
        splits("", "", "");
        splits("  quiet\tro \n", "quiet|ro", "");
        splits("quiet --", "quiet", "");
        splits("-- a b", "", "a|b");
        splits("a -- b -- c", "a", "b");
        splits("a --b -c", "a|--b|-c", "");
        splits("quiet root=/dev/vda -- /bin/sh -c", "quiet|root=/dev/vda", "/bin/sh|-c");
}
END_TEST

START_TEST(quotes)
{
        splits("a=\"b c\" \"d e\" -- sh -c \"echo a b\"", "a=b c|d e", "sh|-c|echo a b");
        splits("\"a=b c\" x", "a=b c|x", "");
        splits("a=\"\" \"\" b", "a=||b", "");
        splits("a=\"open b", "a=open b", "");
        splits("\"", "", "");
        splits("a\"b c\"d e", "a\"b c\"d|e", "");
        splits("a=b\"c d\" e", "a=b\"c d\"|e", "");
}
END_TEST

START_TEST(no_memory)
{
        for (unsigned nth = 1;; nth++) {
                char **before = NULL, **after = NULL;
                int r;

                alloc_fault_set(nth, 0);
                r = kernel_line_split("a=\"b c\" d -- e f", &before, &after);
                if (alloc_fault_hits() == 0) {
                        ck_assert_int_eq(r, 0);
                        strv_free(before);
                        strv_free(after);
                        break;
                }
                ck_assert_int_eq(r, -12);
                ck_assert(!before && !after);
        }
        alloc_fault_set(0, 0);
}
END_TEST

START_TEST(values)
{
        char *const p[] = {S("quiet"), S("a.b-c=1"), S("a.b_c=2"), S("empty="), S("a.b"), NULL};

        ck_assert_str_eq(kernel_line_get(p, "quiet"), "");
        ck_assert_str_eq(kernel_line_get(p, "a.b-c"), "2");
        ck_assert_str_eq(kernel_line_get(p, "a.b_c"), "2");
        ck_assert_str_eq(kernel_line_get(p, "empty"), "");
        ck_assert_str_eq(kernel_line_get(p, "a.b"), "");
        ck_assert_ptr_null(kernel_line_get(p, "a"));
        ck_assert_ptr_null(kernel_line_get(p, "quiet-"));
        ck_assert_ptr_null(kernel_line_get(NULL, "a"));
}
END_TEST

/* line: the kernel's; argv: what init was given. How many of it are not init's own. */
static size_t strays(const char *line, char *const *argv)
{
        _cleanup_strv_ char **before = NULL, **after = NULL;

        ck_assert_int_eq(kernel_line_split(line, &before, &after), 0);
        return kernel_line_strays(argv, before, after);
}

#define ARGV(...) ((char *const[]){S("/init"), ##__VA_ARGS__, NULL})

START_TEST(strays_of_the_kernel)
{
        ck_assert_uint_eq(strays("quiet", ARGV()), 0);
        ck_assert_uint_eq(strays("splash quiet auto", ARGV(S("splash"), S("auto"))), 2);
        ck_assert_uint_eq(strays("quiet splash -- sh -c", ARGV(S("splash"), S("sh"), S("-c"))), 1);
        ck_assert_uint_eq(strays("quiet -- sh", ARGV(S("sh"))), 0);
        ck_assert_uint_eq(strays("sh -- sh", ARGV(S("sh"), S("sh"))), 1);
        ck_assert_uint_eq(strays("sh -- sh sh", ARGV(S("sh"), S("sh"), S("sh"))), 1);
        ck_assert_uint_eq(strays("quiet", (char *const[]){NULL}), 0);
}
END_TEST

START_TEST(words_of_an_initramfs)
{
        /* It may put its own before, or make all of it itself. */
        ck_assert_uint_eq(strays("quiet splash", ARGV(S("--no-bus"), S("splash"))), 0);
        ck_assert_uint_eq(strays("quiet splash", ARGV(S("sh"), S("-c"))), 0);
        ck_assert_uint_eq(strays("quiet -- a b", ARGV(S("a"))), 0);
        ck_assert_uint_eq(strays("quiet -- a b", ARGV(S("b"), S("a"))), 0);
        ck_assert_uint_eq(strays("x -- a b", ARGV(S("x"), S("y"))), 1);
}
END_TEST

TEST_MAIN("kernel-line", words, quotes, no_memory, values, strays_of_the_kernel, words_of_an_initramfs)
