#pragma once

/*
 * Reads folders of unit files into one block of memory, without understanding any of it: what is in a file
 * is for others, and so is the time that its file system takes, when another process does this and sends the
 * block through a pipe.
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/buffer.h"

#define UNIT_FILES_MAX 1000U                             /* entries of all folders */
#define UNIT_FILE_BYTES_MAX ((size_t) 256 * 1024)        /* of one */
#define UNIT_FILES_BYTES_MAX ((size_t) 16 * 1024 * 1024) /* of all texts */
#define UNIT_FILES_BLOCK_MAX (UNIT_FILES_BYTES_MAX + UNIT_FILES_MAX * (size_t) 8192) /* of a block */

typedef enum UnitFileKind {
        UNIT_FILE_FRAGMENT, /* NAME.service */
        UNIT_FILE_DROPIN,   /* NAME.service.d/NAME.conf, service.d/NAME.conf */
        UNIT_FILE_OTHER,    /* anything else that is not hidden: not read */
        UNIT_FILE_FOLDER,   /* could not be read, or not to its end */
        UNIT_FILE_END,      /* the block is complete; nothing follows */
} UnitFileKind;

/* A block is a row of these, each followed by its path and its text. In the byte order of the machine: it
 * never leaves it. */
typedef struct UnitFileRecord {
        uint32_t kind;
        uint32_t folder; /* which of those asked for, from 0 */
        int32_t error; /* 0, or why there is no text, a negative errno; -EBADFD: not a regular file; -EFBIG:
                        * more than UNIT_FILE_BYTES_MAX; -EDQUOT: one of the bounds of all files is reached
                        */
        uint32_t masked; /* a symlink to /dev/null, or that device */
        uint32_t path_size, text_size;
} UnitFileRecord;

/* Entries come by name within a folder; those of folders that are not there do not. folders ends in NULL. 0,
 * or -ENOMEM, and then ret is to be thrown away. */
int unit_files_collect(const char *const *folders, Buffer *ret);

/* The same as a WorkerFunction (sys/worker.h), userdata being the folders: it may hang as long as a file
 * system does. What it wrote by the time it is killed has no end, and is taken for what it is. */
int unit_files_work(int fd, void *userdata);
