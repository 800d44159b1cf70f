#pragma once

/* The names on the wire, for the server and for its client: nothing else of src/bus is anybody's but its
 * own. */

#define BUS_NAME "org.reeve1"
#define BUS_PATH "/org/reeve1"
#define BUS_PATH_JOB "/org/reeve1/job"
#define BUS_PATH_SESSION "/org/reeve1/session"
#define BUS_INTERFACE_MANAGER "org.reeve1.Manager"
#define BUS_INTERFACE_JOB "org.reeve1.Job"
#define BUS_INTERFACE_SESSION "org.reeve1.Session"

#define BUS_ADDRESS_DEFAULT "unix:path=/run/reeve/bus"

#define BUS_ERROR_NO_SUCH_JOB "org.reeve1.Error.NoSuchJob"
#define BUS_ERROR_NO_SUCH_SESSION "org.reeve1.Error.NoSuchSession"
#define BUS_ERROR_NO_SUCH_UNIT "org.reeve1.Error.NoSuchUnit"
#define BUS_ERROR_NO_SUCH_PROCESS "org.reeve1.Error.NoSuchProcess"
#define BUS_ERROR_JOB_EXISTS "org.reeve1.Error.JobExists"
#define BUS_ERROR_SESSION_EXISTS "org.reeve1.Error.SessionExists"
#define BUS_ERROR_JOB_RUNNING "org.reeve1.Error.JobRunning"
#define BUS_ERROR_COMMAND_NOT_FOUND "org.reeve1.Error.CommandNotFound"
#define BUS_ERROR_COMMAND_NOT_EXECUTABLE "org.reeve1.Error.CommandNotExecutable"
#define BUS_ERROR_BAD_WORKING_DIRECTORY "org.reeve1.Error.BadWorkingDirectory"
#define BUS_ERROR_NO_SUCH_USER "org.reeve1.Error.NoSuchUser"
#define BUS_ERROR_START_FAILED "org.reeve1.Error.StartFailed"
#define BUS_ERROR_BAD_CURSOR "org.reeve1.Error.BadCursor"
#define BUS_ERROR_INPUT_CLOSED "org.reeve1.Error.InputClosed"
#define BUS_ERROR_NOT_A_TTY "org.reeve1.Error.NotATTY"
#define BUS_ERROR_OVERTAKEN "org.reeve1.Error.Overtaken"
#define BUS_ERROR_SHUTTING_DOWN "org.reeve1.Error.ShuttingDown"
