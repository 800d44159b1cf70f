/*
 * A block of memory taken apart, with nothing believed of it: another process may have been in the middle of
 * writing it when it was killed.
 */

#include "core/unit-bundle.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "sys/unit-files.h"
#include "unit/name.h"
#include "unit/problem.h"

const char *const unit_folders_default[] = {"/etc/reeve/units", "/run/reeve/units", "/usr/lib/reeve/units",
                                            NULL};

void unit_bundle_done(UnitBundle *b)
{
        for (size_t i = 0; i < b->n; i++) {
                free(b->files[i].path);
                free(b->files[i].unit);
        }
        free(b->files);
        free(b->data);
        hashmap_done(&b->fragments);
        hashmap_done(&b->dropins);
        *b = UNIT_BUNDLE_INIT;
}

/* What is said of a folder, or of an entry that is no file of ours. */
static void tell(const UnitFileRecord *record, const char *path, UnitProblems *problems)
{
        const char *name = strrchr(path, '/');

        if (record->kind == UNIT_FILE_FOLDER && record->error == -EDQUOT)
                unit_problems_add(problems, path, 0, true,
                                  "There are more than %u unit files; the rest of this folder, and of those "
                                  "behind "
                                  "it, is left out.",
                                  UNIT_FILES_MAX);
        else if (record->kind == UNIT_FILE_FOLDER)
                unit_problems_add(problems, path, 0, true, "This folder cannot be read: %s.",
                                  strerror(-record->error));
        else if (record->kind == UNIT_FILE_OTHER &&
                 unit_name_kind(name ? name + 1 : path) == UNIT_NAME_FOREIGN)
                unit_problems_add(problems, path, 0, false, "reeve has no units but services; ignored.");
}

/* The unit that a drop-in's folder belongs to; NULL: no memory. */
static char *folder_unit(const char *path)
{
        const char *end = strrchr(path, '/'), *start = end;

        while (start && start > path && start[-1] != '/')
                start--;
        return start && end - start > 2 ? str_copy_n(start, (size_t) (end - start) - 2) : str_copy("");
}

static int put(UnitBundle *b, const UnitFileRecord *record, const char *path, const char *text)
{
        UnitFile f = {.folder = record->folder,
                      .error = record->error,
                      .text = text,
                      .size = record->text_size},
                 *longer;
        const char *slash;

        f.masked = record->masked || (record->error == 0 && record->text_size == 0);
        f.path = str_copy_n(path, record->path_size);
        if (!f.path)
                return -ENOMEM;
        slash = strrchr(f.path, '/');
        f.name = slash ? slash + 1 : f.path;
        if (record->kind == UNIT_FILE_DROPIN)
                f.unit = folder_unit(f.path);
        longer = record->kind == UNIT_FILE_DROPIN && !f.unit
                                 ? NULL
                                 : alloc_resize(b->files, b->n + 1, sizeof(UnitFile));
        if (!longer) {
                free(f.path);
                free(f.unit);
                return -ENOMEM;
        }
        b->files = longer;
        b->files[b->n++] = f;
        b->n_fragments += !f.unit;
        return 0;
}

/* One record from *position on. 1: there are more; 0: that was the end. */
static int record_read(UnitBundle *b, size_t size, size_t *position, UnitProblems *problems)
{
        const char *data = (const char *) b->data + *position;
        size_t rest = size - *position;
        _cleanup_free_ char *path = NULL;
        UnitFileRecord record;
        int r = 0;

        if (rest < sizeof(record))
                return -EBADMSG;
        memcpy(&record, data, sizeof(record));
        data += sizeof(record);
        rest -= sizeof(record);
        if (record.path_size > rest || record.text_size > rest - record.path_size || record.error > 0 ||
            record.kind > UNIT_FILE_END || memchr(data, '\0', record.path_size))
                return -EBADMSG;
        *position += sizeof(record) + record.path_size + record.text_size;
        if (record.kind == UNIT_FILE_END)
                return *position == size ? 0 : -EBADMSG;
        if (record.kind == UNIT_FILE_FRAGMENT || record.kind == UNIT_FILE_DROPIN) {
                r = put(b, &record, data, data + record.path_size);
        } else {
                path = str_copy_n(data, record.path_size);
                if (path)
                        tell(&record, path, problems);
                r = path ? 0 : -ENOMEM;
        }
        return r < 0 ? r : 1;
}

static int compare_files(const void *a, const void *b)
{
        const UnitFile *x = a, *y = b;
        int c = !!x->unit - !!y->unit;

        if (c == 0 && x->unit)
                c = strcmp(x->unit, y->unit);
        if (c == 0)
                c = strcmp(x->name, y->name);
        return c != 0 ? c : x->folder < y->folder ? -1 : x->folder > y->folder;
}

static int index_make(UnitBundle *b)
{
        int r;

        if (b->n > 0)
                qsort(b->files, b->n, sizeof(UnitFile), compare_files);
        for (size_t i = 0; i < b->n; i++) {
                UnitFile *f = &b->files[i];

                r = f->unit ? hashmap_put_string(&b->dropins, f->unit, f)
                            : hashmap_put_string(&b->fragments, f->name, f);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        return 0;
}

int unit_bundle_take(void *data, size_t size, UnitBundle *ret, UnitProblems *problems)
{
        UnitBundle b = {.data = data};
        size_t position = 0;
        int r;

        hashmap_init(&b.fragments, HASHMAP_STRING);
        hashmap_init(&b.dropins, HASHMAP_STRING);
        hostname_get(b.hostname);
        do
                r = record_read(&b, size, &position, problems);
        while (r > 0);
        if (r >= 0)
                r = index_make(&b);
        if (r < 0) {
                unit_bundle_done(&b);
                return r;
        }
        *ret = b;
        return 0;
}

int unit_bundle_collect(const char *const *folders, UnitBundle *ret, UnitProblems *problems)
{
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;
        size_t size = 0;
        void *data;
        int r;

        r = unit_files_collect(folders ?: unit_folders_default, &block);
        if (r < 0)
                return r;
        data = buffer_take(&block, &size);
        return data ? unit_bundle_take(data, size, ret, problems) : -ENOMEM;
}

const UnitFile *unit_bundle_fragment(const UnitBundle *b, const char *name)
{
        return hashmap_get_string(&b->fragments, name);
}

const UnitFile *unit_bundle_dropins(const UnitBundle *b, const char *unit, size_t *ret_n)
{
        const UnitFile *first = hashmap_get_string(&b->dropins, unit);
        size_t n = 0;

        while (first && first + n < b->files + b->n && streq(first[n].unit, unit))
                n++;
        *ret_n = n;
        return first;
}
