#pragma once

/* sys/unit-files.h, faked: the files are those that a test names. */

#include "sys/unit-files.h"

typedef struct FakeUnitFile {
        const char *path; /* NULL: the end of the list */
        const char *text; /* NULL: masked, or an error */
        int error;
        unsigned folder;
} FakeUnitFile;

/* What the next unit_files_collect() finds; files must live until then. */
void fake_unit_files_set(const FakeUnitFile *files);
