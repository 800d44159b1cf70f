/* The block that sys/unit-files.c would make of such files, kinds by their names. */

#include "fake-unit-files.h"

#include <errno.h>
#include <string.h>

static const FakeUnitFile *files_of_test;

void fake_unit_files_set(const FakeUnitFile *files)
{
        files_of_test = files;
}

static void put(Buffer *block, UnitFileRecord record, const char *path, const char *text)
{
        record.path_size = (uint32_t) strlen(path);
        record.text_size = text ? (uint32_t) strlen(text) : 0;
        buffer_append(block, &record, sizeof(record));
        buffer_append_string(block, path);
        if (text)
                buffer_append_string(block, text);
}

static UnitFileKind kind_of(const char *path)
{
        const char *end = path + strlen(path);

        if (end - path > 5 && streq(end - 5, ".conf"))
                return UNIT_FILE_DROPIN;
        if (end - path > 8 && streq(end - 8, ".service"))
                return UNIT_FILE_FRAGMENT;
        return strrchr(path, '.') ? UNIT_FILE_OTHER : UNIT_FILE_FOLDER;
}

int unit_files_collect(const char *const *folders, Buffer *ret)
{
        for (const FakeUnitFile *f = files_of_test; f && f->path; f++)
                put(ret,
                    (UnitFileRecord){.kind = kind_of(f->path),
                                     .folder = f->folder,
                                     .error = f->error,
                                     .masked = !f->text && f->error == 0},
                    f->path, f->text);
        put(ret, (UnitFileRecord){.kind = UNIT_FILE_END}, "", NULL);
        return ret->error;
}
