#pragma once

/*
 * The settings table: every option of a job, once. Three front ends read it: the bus (a{sv} options,
 * src/bus/options.c), `reevectl -p KEY=VALUE`, and unit files. Names are those of systemd.exec(5),
 * systemd.kill(5), systemd.service(5) and systemd.resource-control(5): `name` as they appear on D-Bus
 * (…USec), `key` as in files (…Sec). What a setting means is core's business (core/exec-spec.h); the table
 * knows its type, its range and its words.
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

typedef enum SettingType {
        SETTING_TYPE_BOOL,   /* b  */
        SETTING_TYPE_INT,    /* i  */
        SETTING_TYPE_SIGNAL, /* i, 1 to 64; in files "SIGTERM" or a number */
        SETTING_TYPE_MODE,   /* u; in files octal */
        SETTING_TYPE_UINT16, /* q  */
        SETTING_TYPE_UINT32, /* u  */
        SETTING_TYPE_UINT64, /* t; "infinity" is UINT64_MAX */
        SETTING_TYPE_BYTES,  /* t; in files with K, M, G, T */
        SETTING_TYPE_USEC,   /* t; in files "1min 30s", a bare number is seconds */
        SETTING_TYPE_STRING, /* s  */
        SETTING_TYPE_STRV,   /* as; in files separated by blanks, or given again */
        SETTING_TYPE_DICT,   /* a{ss}; in files K=V, given again. Held as a STRV of K=V */
        SETTING_TYPE_BLOB,   /* ay; in files the text itself */
        SETTING_TYPE_FD,     /* h; only over the bus */
        _SETTING_TYPE_MAX,
} SettingType;

enum {
        SETTING_NEUTRAL = 1 << 0,     /* no part of the request that an Id stands for */
        SETTING_START_ONLY = 1 << 1,  /* InvalidArgs with Exec */
        SETTING_BUS_ONLY = 1 << 2,    /* not in unit files */
        SETTING_UNAVAILABLE = 1 << 3, /* of the contract, not built in this version: NotSupported */
};

/* name, file key, type, flags, least, most (numbers only), words allowed (strings only, "a|b|c" or NULL),
 * help */
#define SETTINGS(X)                                                                                         \
        X(ID, "Id", "Id", STRING, SETTING_BUS_ONLY, 0, 0, NULL,                                             \
          "name of the job; with it the request is safe to repeat")                                         \
        X(SESSION, "Session", "Session", STRING, SETTING_BUS_ONLY, 0, 0, NULL,                              \
          "session the job belongs to")                                                                     \
        X(DESCRIPTION, "Description", "Description", STRING, 0, 0, 0, NULL,                                 \
          "what people are told that it is")                                                                \
        X(LABELS, "Labels", "Labels", DICT, 0, 0, 0, NULL, "KEY=VALUE marks to select jobs by")             \
        X(WORKING_DIRECTORY, "WorkingDirectory", "WorkingDirectory", STRING, 0, 0, 0, NULL,                 \
          "directory to run in")                                                                            \
        X(ENVIRONMENT, "Environment", "Environment", STRV, 0, 0, 0, NULL,                                   \
          "NAME=VALUE, added to the session's")                                                             \
        X(UNSET_ENVIRONMENT, "UnsetEnvironment", "UnsetEnvironment", STRV, 0, 0, 0, NULL,                   \
          "names to take away")                                                                             \
        X(USER, "User", "User", STRING, 0, 0, 0, NULL, "user name or number")                               \
        X(GROUP, "Group", "Group", STRING, 0, 0, 0, NULL, "group name or number")                           \
        X(SUPPLEMENTARY_GROUPS, "SupplementaryGroups", "SupplementaryGroups", STRV, 0, 0, 0, NULL,          \
          "further groups")                                                                                 \
        X(UMASK, "UMask", "UMask", MODE, 0, 0, 0777, NULL, "file mode creation mask")                       \
        X(NICE, "Nice", "Nice", INT, 0, -20, 19, NULL, "scheduling priority")                               \
        X(OOM_SCORE_ADJUST, "OOMScoreAdjust", "OOMScoreAdjust", INT, 0, -1000, 1000, NULL,                  \
          "who is killed first")                                                                            \
        X(NO_NEW_PRIVILEGES, "NoNewPrivileges", "NoNewPrivileges", BOOL, 0, 0, 0, NULL,                     \
          "set-user-ID programs gain nothing")                                                              \
        X(CAPABILITY_BOUNDING_SET, "CapabilityBoundingSet", "CapabilityBoundingSet", STRV, 0, 0, 0, NULL,   \
          "capabilities that may be had, CAP_… each")                                                       \
        X(LIMIT_NOFILE, "LimitNOFILE", "LimitNOFILE", UINT64, 0, 0, UINT64_MAX, NULL, "open descriptors")   \
        X(LIMIT_NPROC, "LimitNPROC", "LimitNPROC", UINT64, 0, 0, UINT64_MAX, NULL, "processes of the user") \
        X(LIMIT_CORE, "LimitCORE", "LimitCORE", BYTES, 0, 0, UINT64_MAX, NULL, "size of a core dump")       \
        X(LIMIT_FSIZE, "LimitFSIZE", "LimitFSIZE", BYTES, 0, 0, UINT64_MAX, NULL, "size of a file written") \
        X(LIMIT_AS, "LimitAS", "LimitAS", BYTES, 0, 0, UINT64_MAX, NULL, "address space of a process")      \
        X(LIMIT_CPU, "LimitCPU", "LimitCPU", UINT64, 0, 0, UINT64_MAX, NULL, "CPU seconds of a process")    \
        X(LIMIT_STACK, "LimitSTACK", "LimitSTACK", BYTES, 0, 0, UINT64_MAX, NULL, "stack of a process")     \
        X(LIMIT_MEMLOCK, "LimitMEMLOCK", "LimitMEMLOCK", BYTES, 0, 0, UINT64_MAX, NULL,                     \
          "memory locked by a process")                                                                     \
        X(MEMORY_MAX, "MemoryMax", "MemoryMax", BYTES, SETTING_UNAVAILABLE, 0, UINT64_MAX, NULL,            \
          "memory of the scope")                                                                            \
        X(MEMORY_HIGH, "MemoryHigh", "MemoryHigh", BYTES, SETTING_UNAVAILABLE, 0, UINT64_MAX, NULL,         \
          "memory before it slows")                                                                         \
        X(MEMORY_SWAP_MAX, "MemorySwapMax", "MemorySwapMax", BYTES, SETTING_UNAVAILABLE, 0, UINT64_MAX,     \
          NULL, "swap")                                                                                     \
        X(TASKS_MAX, "TasksMax", "TasksMax", UINT64, SETTING_UNAVAILABLE, 1, UINT64_MAX, NULL,              \
          "tasks in the scope")                                                                             \
        X(CPU_QUOTA, "CPUQuotaPerSecUSec", "CPUQuotaPerSecSec", USEC, SETTING_UNAVAILABLE, 1, UINT64_MAX,   \
          NULL, "CPU time a second")                                                                        \
        X(CPU_WEIGHT, "CPUWeight", "CPUWeight", UINT64, SETTING_UNAVAILABLE, 1, 10000, NULL,                \
          "share of the CPU")                                                                               \
        X(IO_WEIGHT, "IOWeight", "IOWeight", UINT64, SETTING_UNAVAILABLE, 1, 10000, NULL,                   \
          "share of the disks")                                                                             \
        X(STANDARD_INPUT, "StandardInput", "StandardInput", STRING, 0, 0, 0, "null|data|pipe",              \
          "where input comes from")                                                                         \
        X(STANDARD_INPUT_DATA, "StandardInputData", "StandardInputText", BLOB, 0, 0, 0, NULL,               \
          "the input itself")                                                                               \
        X(STANDARD_INPUT_FD, "StandardInputFileDescriptor", NULL, FD, SETTING_BUS_ONLY, 0, 0, NULL,         \
          "a descriptor to read from")                                                                      \
        X(STANDARD_OUTPUT_FD, "StandardOutputFileDescriptor", NULL, FD, SETTING_BUS_ONLY, 0, 0, NULL,       \
          "a descriptor to write to")                                                                       \
        X(STANDARD_ERROR_FD, "StandardErrorFileDescriptor", NULL, FD, SETTING_BUS_ONLY, 0, 0, NULL,         \
          "a descriptor to write errors to")                                                                \
        X(TEE, "Tee", NULL, BOOL, SETTING_BUS_ONLY, 0, 0, NULL, "the log and the descriptors both")         \
        X(MERGE_OUTPUT, "MergeOutput", "MergeOutput", BOOL, 0, 0, 0, NULL,                                  \
          "one pipe for stdout and stderr")                                                                 \
        X(TTY, "TTY", "TTY", BOOL, 0, 0, 0, NULL, "a terminal of its own")                                  \
        X(TTY_ROWS, "TTYRows", "TTYRows", UINT16, 0, 1, UINT16_MAX, NULL, "height of the terminal")         \
        X(TTY_COLUMNS, "TTYColumns", "TTYColumns", UINT16, 0, 1, UINT16_MAX, NULL, "width of the terminal") \
        X(TERM, "Term", "Term", STRING, 0, 0, 0, NULL, "kind of the terminal")                              \
        X(RUNTIME_MAX, "RuntimeMaxUSec", "RuntimeMaxSec", USEC, 0, 0, UINT64_MAX, NULL,                     \
          "time it may run; then as stop")                                                                  \
        X(KILL_SIGNAL, "KillSignal", "KillSignal", SIGNAL, 0, 1, 64, NULL, "signal that asks it to end")    \
        X(TIMEOUT_STOP, "TimeoutStopUSec", "TimeoutStopSec", USEC, 0, 0, UINT64_MAX, NULL,                  \
          "time from that to SIGKILL")                                                                      \
        X(KILL_MODE, "KillMode", "KillMode", STRING, 0, 0, 0, "control-group|mixed",                        \
          "whom the kill signal is sent to")                                                                \
        X(NOTIFY_ACCESS, "NotifyAccess", "NotifyAccess", STRING, 0, 0, 0, "none|main|all",                  \
          "who may notify")                                                                                 \
        X(WATCHDOG, "WatchdogUSec", "WatchdogSec", USEC, 0, 0, UINT64_MAX, NULL,                            \
          "time in which it must give a sign of life")                                                      \
        X(KILL_ON_EXIT, "KillOnExit", "KillOnExit", BOOL, 0, 0, 0, NULL,                                    \
          "end what the leader leaves behind")                                                              \
        X(KILL_ON_DISCONNECT, "KillOnDisconnect", NULL, BOOL, SETTING_BUS_ONLY, 0, 0, NULL,                 \
          "stop it when the caller goes")                                                                   \
        X(KILL_ON_CANCEL, "KillOnCancel", NULL, BOOL, SETTING_NEUTRAL | SETTING_BUS_ONLY, 0, 0, NULL,       \
          "stop it when the caller goes before it is answered")                                             \
        X(RESTART, "Restart", "Restart", STRING, SETTING_START_ONLY, 0, 0,                                  \
          "no|on-failure|on-abnormal|always|on-success", "when to run it again")                            \
        X(RESTART_DELAY, "RestartUSec", "RestartSec", USEC, SETTING_START_ONLY, 0, UINT64_MAX, NULL,        \
          "pause before it")                                                                                \
        X(RESTART_MAX_DELAY, "RestartMaxDelayUSec", "RestartMaxDelaySec", USEC, SETTING_START_ONLY, 0,      \
          UINT64_MAX, NULL, "longest pause")                                                                \
        X(START_LIMIT_BURST, "StartLimitBurst", "StartLimitBurst", UINT32, SETTING_START_ONLY, 0,           \
          UINT32_MAX, NULL, "runs within the interval")                                                     \
        X(START_LIMIT_INTERVAL, "StartLimitIntervalUSec", "StartLimitIntervalSec", USEC,                    \
          SETTING_START_ONLY, 0, UINT64_MAX, NULL, "the interval")                                          \
        X(INITIAL_OUTPUT, "InitialOutputUSec", "InitialOutputSec", USEC,                                    \
          SETTING_NEUTRAL | SETTING_START_ONLY | SETTING_BUS_ONLY, 0, UINT64_MAX, NULL,                     \
          "start: wait that long for first output")                                                         \
        X(DRAIN_TIMEOUT, "DrainTimeoutUSec", "DrainTimeoutSec", USEC, SETTING_NEUTRAL | SETTING_BUS_ONLY,   \
          0, UINT64_MAX, NULL, "exec: wait that long for more output")                                      \
        X(OUTPUT_MAX_BYTES, "OutputMaxBytes", "OutputMaxBytes", BYTES, SETTING_NEUTRAL | SETTING_BUS_ONLY,  \
          0, 16777216, NULL, "exec: output in the reply, each stream")                                      \
        X(LOG_MAX_BYTES, "LogMaxBytes", "LogMaxBytes", BYTES, 0, 65536, UINT64_MAX, NULL,                   \
          "memory of the job's log")                                                                        \
        X(TEXT, "Text", NULL, BOOL, SETTING_NEUTRAL | SETTING_BUS_ONLY, 0, 0, NULL,                         \
          "output as text, for people")                                                                     \
        X(CONTROL_ACCESS, "ControlAccess", "ControlAccess", STRING, SETTING_UNAVAILABLE, 0, 0,              \
          "none|session|all", "what the job may ask of reeve")

typedef enum SettingId {
#define X(id, ...) SETTING_##id,
        SETTINGS(X)
#undef X
                        _SETTING_MAX,
} SettingId;

typedef struct Setting {
        const char *name; /* on the bus */
        const char *key;  /* in files; NULL: only over the bus */
        SettingType type;
        unsigned flags;
        int64_t min;
        uint64_t max;
        const char *words;
        const char *help;
} Setting;

extern const Setting settings[_SETTING_MAX];

/* By D-Bus name; by either spelling. _SETTING_MAX: there is no such setting. Case counts. */
SettingId setting_by_name(const char *name);
SettingId setting_by_key(const char *key);

/* The D-Bus signature of a type: "b", "a{ss}", … */
const char *setting_signature(SettingType type);

/* A value of any type; owns what it points to. */
typedef struct SettingValue {
        SettingType type;
        union {
                bool boolean;
                int64_t number;     /* INT, SIGNAL */
                uint64_t unsigned_; /* MODE, UINT*, BYTES, USEC */
                char *string;
                char **strv; /* STRV, DICT */
                struct {
                        void *data;
                        size_t size;
                } blob;
                int fd;
        };
} SettingValue;

void setting_value_done(SettingValue *v);
/* 0 or -ENOMEM. Not of a descriptor. */
int setting_value_copy(const SettingValue *v, SettingValue *ret);

/* Checks range, allowed words and signal numbers. 0; -ERANGE or -EINVAL, and *ret_reason (static, or NULL)
 * says what would be right, e.g. "must be one of null|data|pipe". */
int setting_check(SettingId id, const SettingValue *v, const char **ret_reason);

/* Text (of a unit file, of reevectl -p) into a checked value. *value is initialised when it is set the first
 * time, and added to when a STRV or DICT is given again (*given says so). 0; -ENOMEM; -EINVAL, -ERANGE with
 * a reason as above. */
int setting_parse(SettingId id, const char *text, bool given, SettingValue *value, const char **ret_reason);
