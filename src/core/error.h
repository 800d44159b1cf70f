#pragma once

/* What goes wrong for a caller, in the contract's own kinds: which D-Bus name each has is the bus layer's
 * business. */

#include "basic/macro.h"

/* kind, the errno that functions return with it */
#define ERROR_KINDS(X)                                                                                      \
        X(NO_MEMORY, ENOMEM)                                                                                \
        X(INVALID_ARGS, EINVAL)                                                                             \
        X(NOT_SUPPORTED, EOPNOTSUPP)                                                                        \
        X(LIMITS_EXCEEDED, EDQUOT)                                                                          \
        X(ACCESS_DENIED, EACCES)                                                                            \
        X(TIMEOUT, ETIMEDOUT)                                                                               \
        X(UNKNOWN_OBJECT, EBADR)                                                                            \
        X(NO_SUCH_JOB, ENOENT)                                                                              \
        X(NO_SUCH_SESSION, ENOENT)                                                                          \
        X(NO_SUCH_UNIT, ENOENT)                                                                             \
        X(NO_SUCH_PROCESS, ESRCH)                                                                           \
        X(JOB_EXISTS, EEXIST)                                                                               \
        X(SESSION_EXISTS, EEXIST)                                                                           \
        X(JOB_RUNNING, EBUSY)                                                                               \
        X(COMMAND_NOT_FOUND, ENOENT)                                                                        \
        X(COMMAND_NOT_EXECUTABLE, ENOEXEC)                                                                  \
        X(BAD_WORKING_DIRECTORY, ENOTDIR)                                                                   \
        X(NO_SUCH_USER, ENOENT)                                                                             \
        X(START_FAILED, ECANCELED)                                                                          \
        X(BAD_CURSOR, EBADMSG)                                                                              \
        X(INPUT_CLOSED, EPIPE)                                                                              \
        X(NOT_A_TTY, ENOTTY)                                                                                \
        X(OVERTAKEN, EALREADY)                                                                              \
        X(SHUTTING_DOWN, ESHUTDOWN)

typedef enum ErrorKind {
        ERROR_NONE,
#define X(id, error) ERROR_##id,
        ERROR_KINDS(X)
#undef X
                        _ERROR_KIND_MAX,
} ErrorKind;

/* A value; holds its text itself, so that telling of a failed allocation allocates nothing. */
typedef struct Error {
        ErrorKind kind;
        char message[512];
} Error;

#define ERROR_NULL ((Error){.kind = ERROR_NONE})

/* Sets e (which may be NULL) and returns the kind's errno, negative. A message that is too long is cut. */
int error_set(Error *e, ErrorKind kind, const char *format, ...) _printf_(3, 4);

/* "out of memory", as every failed allocation is told. */
int error_no_memory(Error *e);
