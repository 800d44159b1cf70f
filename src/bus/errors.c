/*
 * One table from core's kinds to names. Messages may quote what a file or a caller said, and D-Bus strings
 * are UTF-8: so they are made so.
 */

#include "bus/errors.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/utf8.h"
#include "bus/names.h"
#include "core/error.h"

#define BUS_ERROR_TIMEOUT "org.freedesktop.DBus.Error.Timeout"

static const char *const names[_ERROR_KIND_MAX] = {
                [ERROR_NO_MEMORY] = SD_BUS_ERROR_NO_MEMORY,
                [ERROR_INVALID_ARGS] = SD_BUS_ERROR_INVALID_ARGS,
                [ERROR_NOT_SUPPORTED] = SD_BUS_ERROR_NOT_SUPPORTED,
                [ERROR_LIMITS_EXCEEDED] = SD_BUS_ERROR_LIMITS_EXCEEDED,
                [ERROR_ACCESS_DENIED] = SD_BUS_ERROR_ACCESS_DENIED,
                [ERROR_TIMEOUT] = BUS_ERROR_TIMEOUT,
                [ERROR_UNKNOWN_OBJECT] = SD_BUS_ERROR_UNKNOWN_OBJECT,
                [ERROR_NO_SUCH_JOB] = BUS_ERROR_NO_SUCH_JOB,
                [ERROR_NO_SUCH_SESSION] = BUS_ERROR_NO_SUCH_SESSION,
                [ERROR_NO_SUCH_UNIT] = BUS_ERROR_NO_SUCH_UNIT,
                [ERROR_NO_SUCH_PROCESS] = BUS_ERROR_NO_SUCH_PROCESS,
                [ERROR_JOB_EXISTS] = BUS_ERROR_JOB_EXISTS,
                [ERROR_SESSION_EXISTS] = BUS_ERROR_SESSION_EXISTS,
                [ERROR_JOB_RUNNING] = BUS_ERROR_JOB_RUNNING,
                [ERROR_COMMAND_NOT_FOUND] = BUS_ERROR_COMMAND_NOT_FOUND,
                [ERROR_COMMAND_NOT_EXECUTABLE] = BUS_ERROR_COMMAND_NOT_EXECUTABLE,
                [ERROR_BAD_WORKING_DIRECTORY] = BUS_ERROR_BAD_WORKING_DIRECTORY,
                [ERROR_NO_SUCH_USER] = BUS_ERROR_NO_SUCH_USER,
                [ERROR_START_FAILED] = BUS_ERROR_START_FAILED,
                [ERROR_BAD_CURSOR] = BUS_ERROR_BAD_CURSOR,
                [ERROR_INPUT_CLOSED] = BUS_ERROR_INPUT_CLOSED,
                [ERROR_NOT_A_TTY] = BUS_ERROR_NOT_A_TTY,
                [ERROR_OVERTAKEN] = BUS_ERROR_OVERTAKEN,
                [ERROR_SHUTTING_DOWN] = BUS_ERROR_SHUTTING_DOWN,
};

int bus_error_set(sd_bus_error *ret_error, const Error *e, int r)
{
        _cleanup_free_ char *message = NULL;

        if (!e || e->kind == ERROR_NONE)
                return sd_bus_error_set_errno(ret_error, r);
        message = utf8_sanitize(e->message, strlen(e->message));
        return sd_bus_error_set(ret_error, names[e->kind], message ?: "Out of memory");
}

int bus_error_reply(sd_bus_message *call, const Error *e)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        bus_error_set(&error, e, -EIO);
        return sd_bus_reply_method_error(call, &error);
}
