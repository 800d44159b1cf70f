#pragma once

/*
 * What a service needs to know of the file system before it starts, asked by a worker (sys/worker.h): it may
 * be on a disk that is gone, or served by a program in the sandbox.
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

#define SERVICE_FILE_MAX ((size_t) 256 * 1024) /* of an environment file */

typedef struct ServiceCheck {
        const char *const *paths; /* to be there */
        size_t n_paths;
        const char *const *files; /* to be read */
        size_t n_files;
} ServiceCheck;

/* A WorkerFunction; userdata is a ServiceCheck. */
int service_check_work(int fd, void *userdata);

/* The answer, read in the order of the questions. */
typedef struct ServiceCheckReader {
        const char *data;
        size_t size;
} ServiceCheckReader;

/* Whether the next path is there. -EBADMSG: the answer is cut off. */
int service_check_next_path(ServiceCheckReader *r);
/* 0 and the text of the next file (not NUL-terminated, good as long as the answer); the negative errno of
 * reading it; -EBADMSG as above. */
int service_check_next_file(ServiceCheckReader *r, const char **ret, size_t *ret_size);
