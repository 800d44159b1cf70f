/* Folders of unit files, read: what is there, what is not a file, what is too much; by oneself and by a
 * worker. */

#include "sys/unit-files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "rig.h"
#include "sys/worker.h"

/* Below the test's folder; good until the next call. */
static const char *place(const char *name)
{
        static char path[4096];

        snprintf(path, sizeof(path), "%s/%s", rig_folder(), name);
        return path;
}

static void folder_make(const char *name)
{
        ck_assert(mkdir(place(name), 0755) == 0 || errno == EEXIST);
}

static void file_make(const char *name, const char *text, size_t size)
{
        _cleanup_close_ int fd = open(place(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, size), size);
}

static void text_make(const char *name, const char *text)
{
        file_make(name, text, strlen(text));
}

/* Each record as "KIND FOLDER PATH: TEXT", "…! ERROR", "…~" when masked; paths without the test's folder. */
static char *block_text(const char *data, size_t size)
{
        Buffer b = BUFFER_INIT;
        size_t n = strlen(rig_folder()) + 1;

        while (size > 0) {
                UnitFileRecord r;

                ck_assert_uint_ge(size, sizeof(r));
                memcpy(&r, data, sizeof(r));
                data += sizeof(r);
                ck_assert_uint_ge(size - sizeof(r), (size_t) r.path_size + r.text_size);
                if (r.kind == UNIT_FILE_END) {
                        ck_assert_uint_eq(size, sizeof(r));
                        return buffer_take(&b, NULL);
                }
                buffer_printf(&b, "%c %u %.*s", "FDO/"[r.kind], r.folder, (int) (r.path_size - n), data + n);
                if (r.error < 0)
                        buffer_printf(&b, "! %s\n", strerrorname_np(-r.error));
                else if (r.masked)
                        buffer_append_string(&b, "~\n");
                else
                        buffer_printf(&b, ": %.*s\n", (int) r.text_size, data + r.path_size);
                data += r.path_size + r.text_size;
                size -= sizeof(r) + r.path_size + r.text_size;
        }
        ck_abort_msg("there is no end");
        return NULL;
}

static char *collect(const char *first, const char *second)
{
        _cleanup_free_ char *a = str_copy(place(first)), *b = second ? str_copy(place(second)) : NULL;
        const char *const folders[] = {a, b, NULL};
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;

        ck_assert_int_eq(unit_files_collect(folders, &block), 0);
        return block_text(block.data, block.size);
}

static void check_text(char *text, const char *expected)
{
        ck_assert_str_eq(text, expected);
        free(text);
}

START_TEST(folders_that_are_not_there)
{
        check_text(collect("nowhere", "nowhere-else"), "");
        text_make("file", "x");
        check_text(collect("file", NULL), "/ 0 file! ENOTDIR\n");
}
END_TEST

START_TEST(files_come_by_name)
{
        folder_make("a");
        folder_make("b");
        folder_make("a/web.service.d");
        folder_make("a/service.d");
        folder_make("a/other.d");
        text_make("a/web.service", "web");
        text_make("a/app.service", "app");
        text_make("a/x.socket", "is not read");
        text_make("a/.hidden.service", "");
        text_make("a/web.service.d/2.conf", "two");
        text_make("a/web.service.d/1.conf", "one");
        text_make("a/web.service.d/README", "");
        text_make("a/service.d/all.conf", "all");
        text_make("a/other.d/x.conf", "x");
        text_make("b/web.service", "lower");
        text_make("b/empty.service", "");
        check_text(collect("a", "b"), "F 0 a/app.service: app\n"
                                      "O 0 a/other.d: \n"
                                      "D 0 a/service.d/all.conf: all\n"
                                      "F 0 a/web.service: web\n"
                                      "D 0 a/web.service.d/1.conf: one\n"
                                      "D 0 a/web.service.d/2.conf: two\n"
                                      "O 0 a/x.socket: \n"
                                      "F 1 b/empty.service: \n"
                                      "F 1 b/web.service: lower\n");
}
END_TEST

START_TEST(links)
{
        folder_make("links");
        text_make("target", "of a link");
        ck_assert_int_eq(symlink("/dev/null", place("links/masked.service")), 0);
        ck_assert_int_eq(symlink("../target", place("links/linked.service")), 0);
        ck_assert_int_eq(symlink("../nothing", place("links/dangling.service")), 0);
        ck_assert_int_eq(symlink("round.service", place("links/round.service")), 0);
        ck_assert_int_eq(symlink("masked.service", place("links/twice.service")), 0);
        check_text(collect("links", NULL), "F 0 links/dangling.service! ENOENT\n"
                                           "F 0 links/linked.service: of a link\n"
                                           "F 0 links/masked.service~\n"
                                           "F 0 links/round.service! ELOOP\n"
                                           "F 0 links/twice.service~\n");
}
END_TEST

/* Opened for reading, the FIFO would keep us. */
START_TEST(what_is_no_file)
{
        folder_make("odd");
        folder_make("odd/folder.service");
        ck_assert_int_eq(mkfifo(place("odd/fifo.service"), 0644), 0);
        ck_assert_int_eq(symlink("/dev/zero", place("odd/device.service")), 0);
        text_make("odd/not-a-folder.service.d", "x");
        check_text(collect("odd", NULL), "F 0 odd/device.service! EBADFD\n"
                                         "F 0 odd/fifo.service! EBADFD\n"
                                         "F 0 odd/folder.service! EBADFD\n"
                                         "/ 0 odd/not-a-folder.service.d! ENOTDIR\n");
}
END_TEST

START_TEST(one_file_has_a_size)
{
        char *text = malloc(UNIT_FILE_BYTES_MAX + 1), *said;

        memset(text, 'x', UNIT_FILE_BYTES_MAX + 1);
        folder_make("size");
        file_make("size/fits.service", text, UNIT_FILE_BYTES_MAX);
        file_make("size/large.service", text, UNIT_FILE_BYTES_MAX + 1);
        said = collect("size", NULL);
        ck_assert_uint_eq(strlen(said), strlen("F 0 size/fits.service: \nF 0 size/large.service! EFBIG\n") +
                                                        UNIT_FILE_BYTES_MAX);
        ck_assert_ptr_nonnull(strstr(said, "F 0 size/large.service! EFBIG\n"));
        free(said);
        free(text);
}
END_TEST

START_TEST(all_files_have_a_size)
{
        char *text = malloc(UNIT_FILE_BYTES_MAX), *said;
        const size_t fit = UNIT_FILES_BYTES_MAX / UNIT_FILE_BYTES_MAX;
        char name[64];

        memset(text, 'x', UNIT_FILE_BYTES_MAX);
        folder_make("sizes");
        for (size_t i = 0; i <= fit; i++) {
                snprintf(name, sizeof(name), "sizes/%03zu.service", i);
                file_make(name, text, UNIT_FILE_BYTES_MAX);
        }
        text_make("sizes/z.service", "");
        said = collect("sizes", NULL);
        snprintf(name, sizeof(name), "F 0 sizes/%03zu.service! EDQUOT\nF 0 sizes/z.service: \n", fit);
        ck_assert_ptr_nonnull(strstr(said, name));
        ck_assert_uint_gt(strlen(said), UNIT_FILES_BYTES_MAX);
        free(said);
        free(text);
}
END_TEST

START_TEST(files_have_a_number)
{
        char name[64], *said, *line;
        unsigned n = 0;

        folder_make("many");
        folder_make("more");
        for (unsigned i = 0; i <= UNIT_FILES_MAX; i++) {
                snprintf(name, sizeof(name), "many/%05u.service", i);
                text_make(name, "");
        }
        text_make("more/x.service", "");
        said = collect("many", "more");
        for (line = said; (line = strstr(line, "F 0 ")); line++)
                n++;
        ck_assert_uint_eq(n, UNIT_FILES_MAX);
        ck_assert_ptr_nonnull(strstr(said, "F 0 many/00999.service: \n/ 0 many! EDQUOT\n"));
        ck_assert_ptr_null(strstr(said, "x.service"));
        free(said);
}
END_TEST

START_TEST(a_worker_sends_the_same)
{
        _cleanup_free_ char *folder = str_copy(place("a")), *alone = NULL, *sent = NULL, *data = NULL;
        const char *const folders[] = {folder, NULL};
        size_t size = 0;
        PidRef worker;
        ProcessEnd end;
        int fd;

        folder_make("a");
        text_make("a/app.service", "app");
        alone = collect("a", NULL);
        ck_assert_int_eq(worker_start("reeve-units", unit_files_work, (void *) folders, &worker, &fd), 0);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(rig_wait_readable(fd), 1);
        ck_assert_int_eq(fcntl(fd, F_SETFL, O_RDONLY), 0);
        data = rig_read_all(fd, &size);
        sent = block_text(data, size);
        ck_assert_str_eq(sent, alone);
        end = rig_reap(worker.pid);
        ck_assert_int_eq(end.exit_code, 0);
        pidref_done(&worker);
        fd_close(fd);
}
END_TEST

START_TEST(a_worker_ends_with_its_reader)
{
        _cleanup_free_ char *folder = str_copy(place("sizes"));
        const char *const folders[] = {folder, NULL};
        PidRef worker;
        ProcessEnd end;
        int fd;

        folder_make("sizes");
        for (unsigned i = 0; i < 4; i++) { /* more than a pipe holds */
                char name[64], text[64 * 1024] = "";

                snprintf(name, sizeof(name), "sizes/more%u.service", i);
                file_make(name, text, sizeof(text));
        }
        ck_assert_int_eq(worker_start("reeve-units", unit_files_work, (void *) folders, &worker, &fd), 0);
        ck_assert_int_eq(rig_wait_readable(fd), 1);
        fd_close(fd);
        end = rig_reap(worker.pid);
        ck_assert(end.exit_code != 0);
        pidref_done(&worker);
}
END_TEST

TEST_MAIN("unit-files", folders_that_are_not_there, files_come_by_name, links, what_is_no_file,
          one_file_has_a_size, all_files_have_a_size, files_have_a_number, a_worker_sends_the_same,
          a_worker_ends_with_its_reader)
