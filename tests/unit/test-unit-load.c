/* From files in folders to a table of units: priorities, drop-ins, templates, what refers to what. */

#include "core/unit-load.h"

#include <errno.h>

#include "basic/strv.h"
#include "core/unit-bundle.h"
#include "fake-unit-files.h"
#include "unit-fixture.h"
#include "unit/order.h"

#define RUN "[Service]\nExecStart=/bin/x\n"

typedef struct Loaded {
        UnitBundle bundle;
        UnitTable table;
        UnitProblems problems;
        char *said;
} Loaded;

static void loaded_done(Loaded *l)
{
        unit_table_done(&l->table);
        unit_bundle_done(&l->bundle);
        unit_problems_done(&l->problems);
        free(l->said);
}
#define _cleanup_loaded_ _cleanup_(loaded_done)

static void load(const FakeUnitFile *files, Loaded *ret)
{
        *ret = (Loaded){0};
        fake_unit_files_set(files);
        ck_assert_int_eq(unit_bundle_collect(NULL, &ret->bundle, &ret->problems), 0);
        ck_assert_int_eq(unit_load_all(&ret->bundle, &ret->table, &ret->problems), 0);
        ret->said = problems_text(&ret->problems);
}

static void load_one(Loaded *l, const char *name, int expected)
{
        ck_assert_int_eq(unit_load_one(&l->bundle, name, &l->table, &l->problems), expected);
        free(l->said);
        l->said = problems_text(&l->problems);
}

static void check_names(const Loaded *l, const char *expected)
{
        Buffer b = BUFFER_INIT;
        char *text;

        for (size_t i = 0; i < l->table.n; i++)
                buffer_printf(&b, "%s%s", i > 0 ? " " : "", l->table.units[i]->name);
        text = buffer_take(&b, NULL);
        ck_assert_str_eq(text, expected);
        free(text);
}

START_TEST(an_empty_bundle_has_no_units)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{NULL}}, &l);
        ck_assert_uint_eq(l.table.n, 0);
        ck_assert_str_eq(l.said, "");
        load_one(&l, "a.service", -ENOENT);
}
END_TEST

START_TEST(units_come_by_name_and_templates_do_not)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/b.service", RUN},
                                    {"/e/t@.service", RUN},
                                    {"/r/a.service", RUN, .folder = 1},
                                    {"/r/bad name.service", RUN, .folder = 1},
                                    {"/r/x.socket", "", .folder = 1},
                                    {"/r/README.txt", "", .folder = 1},
                                    {NULL}},
             &l);
        check_names(&l, "a.service b.service");
        ck_assert_str_eq(l.said, "0: reeve has no units but services; ignored.\n"
                                 "0: This is not a name that a unit can have; ignored.\n");
        ck_assert_str_eq(unit_table_get(&l.table, "a.service")->path, "/r/a.service");
}
END_TEST

START_TEST(the_first_folder_has_precedence)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/l/a.service", "[Unit]\nDescription=lib\n" RUN, .folder = 2},
                                    {"/e/a.service", "[Unit]\nDescription=etc\n" RUN, .folder = 0},
                                    {"/r/a.service", "nonsense", .folder = 1},
                                    {NULL}},
             &l);
        ck_assert_str_eq(unit_table_get(&l.table, "a.service")->description, "etc");
        ck_assert_str_eq(l.said, "");
}
END_TEST

START_TEST(null_and_nothing_mask)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", NULL},
                                    {"/e/b.service", ""},
                                    {"/r/a.service", RUN, .folder = 1},
                                    {"/r/b.service", RUN, .folder = 1},
                                    {NULL}},
             &l);
        ck_assert_uint_eq(l.table.n, 0);
        load_one(&l, "a.service", -ESHUTDOWN);
        load_one(&l, "b.service", -ESHUTDOWN);
        load_one(&l, "b.socket", -EINVAL);
        load_one(&l, "b@.service", -EINVAL);
}
END_TEST

START_TEST(drop_ins_are_read_by_name_over_all_folders)
{
        _cleanup_loaded_ Loaded l;
        Unit *u;

        load((const FakeUnitFile[]){{"/e/a.service", RUN "Environment=V=0\n"},
                                    {"/l/a.service.d/10-x.conf", "[Service]\nEnvironment=V=10\n",
                                     .folder = 2},
                                    {"/e/a.service.d/20-y.conf", "[Service]\nEnvironment=V=20\n"},
                                    {"/l/a.service.d/20-y.conf", "[Service]\nEnvironment=V=nothing\n",
                                     .folder = 2},
                                    {"/r/a.service.d/05-z.conf", "[Service]\nEnvironment=V=5\n",
                                     .folder = 1},
                                    {"/r/a.service.d/30-m.conf", NULL, .folder = 1},
                                    {"/l/a.service.d/30-m.conf", "[Service]\nEnvironment=V=masked\n",
                                     .folder = 2},
                                    {"/l/b.service.d/00-b.conf", "[Service]\nEnvironment=V=b\n",
                                     .folder = 2},
                                    {NULL}},
             &l);
        u = unit_table_get(&l.table, "a.service");
        ck_assert(!u->refused);
        {
                _cleanup_free_ char *all = strv_join(u->values[SETTING_ENVIRONMENT].strv, " ");
                _cleanup_free_ char *files = strv_join(u->files, " ");

                ck_assert_str_eq(all, "V=0 V=5 V=10 V=20");
                ck_assert_str_eq(files, "/e/a.service /r/a.service.d/05-z.conf /l/a.service.d/10-x.conf "
                                        "/e/a.service.d/20-y.conf");
        }
}
END_TEST

START_TEST(drop_ins_of_templates_prefixes_and_all)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a-b@.service", RUN},
                                    {"/e/service.d/1.conf", "[Service]\nEnvironment=V=all\n"},
                                    {"/e/a-.service.d/2.conf", "[Service]\nEnvironment=V=prefix\n"},
                                    {"/e/a-b@.service.d/3.conf", "[Service]\nEnvironment=V=template\n"},
                                    {"/e/a-b@x.service.d/4.conf", "[Service]\nEnvironment=V=instance\n"},
                                    {"/e/a-.service.d/5.conf", "[Service]\nEnvironment=W=prefix\n"},
                                    {"/e/a-b@.service.d/5.conf", "[Service]\nEnvironment=W=template\n"},
                                    {"/e/a-b@y.service.d/6.conf", "[Service]\nEnvironment=V=other\n"},
                                    {NULL}},
             &l);
        ck_assert_uint_eq(l.table.n, 0);
        load_one(&l, "a-b@x.service", 0);
        {
                const Unit *u = unit_table_get(&l.table, "a-b@x.service");
                _cleanup_free_ char *all = strv_join(u->values[SETTING_ENVIRONMENT].strv, " ");

                ck_assert_str_eq(all, "V=all V=prefix V=template V=instance W=template");
        }
        load_one(&l, "a-b@x.service", 0); /* it is there */
        ck_assert_uint_eq(l.table.n, 1);
}
END_TEST

START_TEST(problems_name_the_drop_in)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", RUN},
                                    {"/e/a.service.d/1.conf", "[Service]\n\nNice=x\n"},
                                    {NULL}},
             &l);
        ck_assert_uint_eq(l.problems.n, 1);
        ck_assert_str_eq(l.problems.list[0].file, "/e/a.service.d/1.conf");
        ck_assert_uint_eq(l.problems.list[0].line, 3);
        ck_assert_str_eq(unit_table_get(&l.table, "a.service")->reason,
                         "/e/a.service.d/1.conf:3: Nice: \"x\" is not a whole number.");
}
END_TEST

START_TEST(what_cannot_be_read_refuses)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", NULL, -EACCES},
                                    {"/r/a.service", RUN, .folder = 1},
                                    {"/e/b.service", NULL, -EBADFD},
                                    {"/e/c.service", NULL, -EFBIG},
                                    {"/e/d.service", NULL, -EDQUOT},
                                    {"/e/e.service", RUN},
                                    {"/e/e.service.d/1.conf", NULL, -EIO},
                                    {"/z", NULL, -EACCES, .folder = 3},
                                    {"/y", NULL, -EDQUOT, .folder = 3},
                                    {NULL}},
             &l);
        check_names(&l, "a.service b.service c.service d.service e.service");
        ck_assert_uint_eq(l.problems.n_refused, 7);
        ck_assert_str_eq(l.said,
                         "0! This folder cannot be read: Permission denied.\n"
                         "0! There are more than 1000 unit files; the rest of this folder, and of those "
                         "behind it, is left out.\n"
                         "0! This file cannot be read: Permission denied.\n"
                         "0! This is not a regular file.\n"
                         "0! This file has more than 256 KiB.\n"
                         "0! This file is left out: all unit files together have more than 16 MiB.\n"
                         "0! This file cannot be read: Input/output error.\n");
        for (size_t i = 0; i < l.table.n; i++)
                ck_assert(l.table.units[i]->refused);
        ck_assert_str_eq(l.table.units[4]->reason,
                         "/e/e.service.d/1.conf: This file cannot be read: Input/output error.");
}
END_TEST

START_TEST(what_is_referred_to_is_loaded)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", "[Unit]\nRequires=t@1.service\nWants=t@2.service\n"
                                                     "After=t@3.service\nBefore=t@4.service\n" RUN},
                                    {"/e/t@.service", "[Unit]\nWants=u@%i%i.service\n" RUN},
                                    {"/e/u@.service", RUN},
                                    {NULL}},
             &l);
        check_names(&l,
                    "a.service t@1.service t@2.service t@3.service u@11.service u@22.service u@33.service");
        ck_assert_str_eq(l.said, "");
}
END_TEST

START_TEST(a_template_that_refers_to_itself_ends)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", "[Unit]\nWants=t@x.service\n" RUN},
                                    {"/e/t@.service", "[Unit]\nWants=t@%ix.service t@%iy.service\n" RUN},
                                    {NULL}},
             &l);
        ck_assert_uint_eq(l.table.n, UNITS_MAX);
        ck_assert_uint_gt(l.problems.n_refused, 0);
        load_one(&l, "t@other.service", -EDQUOT);
        ck_assert_uint_eq(l.table.n, UNITS_MAX);
}
END_TEST

/* Each instance is read anew, and that takes its time. */
START_TEST(large_templates_have_an_end)
{
        const size_t size = 256 * 1024, fit = UNITS_BYTES_MAX / size;
        char *text = malloc(size + 1);
        Buffer wants = BUFFER_INIT;
        _cleanup_free_ char *many = NULL;
        _cleanup_loaded_ Loaded l;

        memset(text, '#', size);
        memcpy(text, RUN, strlen(RUN));
        text[size] = '\0';
        buffer_append_string(&wants, "[Unit]\n");
        for (size_t i = 0; i < fit + 10; i++)
                buffer_printf(&wants, "Wants=t@%03zu.service\n", i);
        buffer_append_string(&wants, RUN);
        many = buffer_take(&wants, NULL);
        load((const FakeUnitFile[]){{"/e/a.service", many}, {"/e/t@.service", text}, {NULL}}, &l);
        ck_assert_uint_eq(l.table.n, 1 + fit);
        ck_assert_uint_eq(l.problems.n_refused, 10);
        free(text);
}
END_TEST

START_TEST(what_is_required_must_be_there)
{
        _cleanup_loaded_ Loaded l;

        load((const FakeUnitFile[]){{"/e/a.service", "[Unit]\nRequires=gone.service b.service\n" RUN},
                                    {"/e/b.service", "[Unit]\nRequires=masked.service\n" RUN},
                                    {"/e/c.service",
                                     "[Unit]\nWants=gone.service masked.service b.service\n" RUN},
                                    {"/e/d.service",
                                     "[Unit]\nAfter=gone.service\nConflicts=gone.service\n" RUN},
                                    {"/e/masked.service", NULL},
                                    {NULL}},
             &l);
        ck_assert_str_eq(l.said, "0! Requires: \"gone.service\" is not there.\n"
                                 "0! Requires: \"masked.service\" is masked.\n"
                                 "0: Wants: \"gone.service\" is not there.\n");
        ck_assert(l.table.units[0]->refused && l.table.units[1]->refused);
        ck_assert(!l.table.units[2]->refused && !l.table.units[3]->refused);
}
END_TEST

START_TEST(circles_are_said_and_broken)
{
        _cleanup_loaded_ Loaded l;
        Unit **order;

        load((const FakeUnitFile[]){{"/e/a.service", "[Unit]\nAfter=b.service\n" RUN},
                                    {"/e/b.service", "[Unit]\nAfter=c.service\n" RUN},
                                    {"/e/c.service", "[Unit]\nAfter=a.service\n" RUN},
                                    {NULL}},
             &l);
        ck_assert_str_eq(l.said,
                         "0: After= and Before= go round in a circle: a.service after b.service after "
                         "c.service after a.service; that c.service is to start after a.service is "
                         "ignored.\n");
        ck_assert_str_eq(l.problems.list[0].file, "/e/c.service");
        order = l.table.units;
        ck_assert_int_eq(unit_order_sort(order, l.table.n), 0);
        check_names(&l, "c.service b.service a.service");
}
END_TEST

START_TEST(settings_are_checked_as_those_of_any_job)
{
        static const struct {
                const char *line, *said;
        } cases[] = {
                        {"Environment=A=1\nUnsetEnvironment=A-B",
                         "4! UnsetEnvironment: \"A-B\" is no name of a variable.\n"},
                        {"CapabilityBoundingSet=CAP_NONSENSE",
                         "3! CapabilityBoundingSet: \"CAP_NONSENSE\" is no capability.\n"},
                        {"TTYRows=24", "0! TTYRows: only with TTY.\n"},
                        {"StandardInputText=x", "0! StandardInputData: only with StandardInput \"data\".\n"},
                        {"User=nobody\nUMask=0077\nLimitNOFILE=100", ""},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = str_printf(RUN "%s\n", cases[i].line);
                _cleanup_loaded_ Loaded l;

                load((const FakeUnitFile[]){{"/e/a.service", text}, {NULL}}, &l);
                ck_assert_str_eq(l.said, cases[i].said);
                ck_assert(l.table.units[0]->refused == (cases[i].said[0] != '\0'));
        }
}
END_TEST

START_TEST(a_block_that_is_not_whole_is_refused)
{
        static const FakeUnitFile files[] = {{"/e/a.service", RUN}, {"/e/a.service.d/1.conf", RUN}, {NULL}};
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;
        UnitBundle b = UNIT_BUNDLE_INIT;

        fake_unit_files_set(files);
        ck_assert_int_eq(unit_files_collect(NULL, &block), 0);
        for (size_t n = 0; n < block.size; n++)
                ck_assert_int_eq(unit_bundle_take(alloc_copy(block.data, n), n, &b, NULL), -EBADMSG);
        buffer_append(&block, "x", 1);
        ck_assert_int_eq(unit_bundle_take(alloc_copy(block.data, block.size), block.size, &b, NULL),
                         -EBADMSG);
        ck_assert_int_eq(unit_bundle_take(alloc_copy(block.data, block.size - 1), block.size - 1, &b, NULL),
                         0);
        ck_assert_uint_eq(b.n, 2);
        unit_bundle_done(&b);
}
END_TEST

START_TEST(a_want_of_memory_changes_nothing)
{
        static const FakeUnitFile files[] = {
                        {"/e/a.service",
                         "[Unit]\nDescription=%n\nRequires=t@1.service x.service\nAfter=t@1.service\n" RUN
                         "Environment=A=1 B=2\nStandardInput=data\nStandardInputText=x\n"},
                        {"/e/t@.service", "[Unit]\nAfter=a.service\nConditionPathExists=/x\n" RUN
                                          "EnvironmentFile=-/x\nSuccessExitStatus=1 TERM\nLabels=a=b\n"},
                        {"/e/t@.service.d/x.conf", "[Service]\nNice=x\n"},
                        {NULL}};

        for (unsigned nth = 1;; nth++) {
                Loaded l = {0};
                unsigned hits;
                int r;

                fake_unit_files_set(files);
                alloc_fault_set(nth, 0);
                r = unit_bundle_collect(NULL, &l.bundle, &l.problems);
                if (r >= 0)
                        r = unit_load_all(&l.bundle, &l.table, &l.problems);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                if (r < 0) {
                        ck_assert_int_eq(r, -ENOMEM);
                        ck_assert_uint_eq(l.table.n, 0);
                } else {
                        ck_assert_uint_eq(l.table.n,
                                          2); /* what was lost was the text of a problem, counted */
                        if (hits > 0)
                                ck_assert(l.problems.left_out > 0 || !l.table.units[0]->reason ||
                                          !l.table.units[1]->reason);
                }
                loaded_done(&l);
                if (hits == 0)
                        break;
        }
}
END_TEST

TEST_MAIN("unit-load", an_empty_bundle_has_no_units, units_come_by_name_and_templates_do_not,
          the_first_folder_has_precedence, null_and_nothing_mask, drop_ins_are_read_by_name_over_all_folders,
          drop_ins_of_templates_prefixes_and_all, problems_name_the_drop_in, what_cannot_be_read_refuses,
          what_is_referred_to_is_loaded, a_template_that_refers_to_itself_ends, large_templates_have_an_end,
          what_is_required_must_be_there, circles_are_said_and_broken,
          settings_are_checked_as_those_of_any_job, a_block_that_is_not_whole_is_refused,
          a_want_of_memory_changes_nothing)
