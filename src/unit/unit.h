#pragma once

/*
 * One unit file, read: what systemd.unit(5), systemd.service(5) and systemd.exec(5) call its keys, typed and
 * checked. Pure text in, data out: where files come from is core/unit-load.h's business, what a unit does is
 * core/unit-set.h's.
 */

#include "basic/macro.h"
#include "basic/time.h"
#include "unit/settings.h"

/* The result of a unit that is refused stands in its problems (unit/problem.h). */

#define UNIT_TYPES(X)                                                                                       \
        X(SIMPLE, "simple")   /* active as soon as it is cloned */                                          \
        X(EXEC, "exec")       /* active when exec has succeeded */                                          \
        X(ONESHOT, "oneshot") /* active when all its commands have exited */                                \
        X(NOTIFY, "notify")   /* active when it says READY=1 */

typedef enum UnitType {
#define X(id, word) UNIT_TYPE_##id,
        UNIT_TYPES(X)
#undef X
                        _UNIT_TYPE_MAX,
} UnitType;

typedef enum UnitCommandKind {
        UNIT_EXEC_START_PRE,
        UNIT_EXEC_START,
        UNIT_EXEC_START_POST,
        UNIT_EXEC_RELOAD,
        UNIT_EXEC_STOP,
        UNIT_EXEC_STOP_POST,
        _UNIT_COMMAND_KIND_MAX,
} UnitCommandKind;

/* Where something stands. */
typedef struct UnitPlace {
        unsigned file; /* index of Unit.files */
        unsigned line; /* from 1; 0: nowhere */
} UnitPlace;

/* One command line, split, unquoted, its specifiers resolved; $VARIABLES are not (unit/command.h). */
typedef struct UnitCommand {
        char *path;          /* of the program: absolute, or a name to be looked up in PATH */
        char **argv;         /* argv[0] is path, or with "@" what the program is told that it is called */
        bool ignore_failure; /* "-" */
        bool no_variables;   /* ":" */
        bool privileged;     /* "+": User, Group, capabilities of the unit do not apply */
        UnitPlace place;
} UnitCommand;

typedef struct UnitCondition {
        char *path;
        bool negated;    /* "!" */
        bool triggering; /* "|": of these one must hold */
} UnitCondition;

/* ENVIRONMENT_FILE: */
typedef struct UnitEnvironmentFile {
        char *path;    /* absolute */
        bool optional; /* "-" */
} UnitEnvironmentFile;

/* Exit codes and signals, as SuccessExitStatus= has them. */
typedef struct ExitStatusSet {
        uint64_t codes[4]; /* bit n: exit code n */
        uint64_t signals;  /* bit n - 1: signal n */
} ExitStatusSet;

static inline bool exit_status_set_has(const ExitStatusSet *s, int code, int signal)
{
        if (signal > 0)
                return signal <= 64 && (s->signals & (UINT64_C(1) << (signal - 1)));
        return code >= 0 && code < 256 && (s->codes[code / 64] & (UINT64_C(1) << (code % 64)));
}

typedef struct Unit {
        char *name;        /* with its suffix: "web.service", "getty@tty1.service" */
        char *path;        /* of the fragment */
        char **files;      /* that path, then the drop-ins in the order they were read */
        bool refused;      /* a value was wrong, or something is missing: bad-setting */
        char *reason;      /* why: "FILE:LINE: message" of the first such problem; NULL: no memory for it */
        char *description; /* NULL: none; then values[SETTING_DESCRIPTION] is not given, either */

        char **after, **before, **requires, **wants, **conflicts; /* names of units, specifiers resolved */
        UnitCondition *conditions;
        size_t n_conditions;
        bool wanted_at_boot; /* [Install] WantedBy=default (or multi-user.target, default.target) */

        UnitType type;
        UnitCommand *commands[_UNIT_COMMAND_KIND_MAX];
        size_t n_commands[_UNIT_COMMAND_KIND_MAX];
        UnitEnvironmentFile *environment_files;
        size_t n_environment_files;
        bool remain_after_exit;
        usec_t timeout_start;   /* USEC_INFINITY: none. 90 s; for a oneshot none */
        usec_t watchdog;        /* 0: none */
        unsigned restart_steps; /* 0: the pause doubles up to RestartMaxDelaySec; n: it gets there in n steps
                                 */
        ExitStatusSet success_exit_status, restart_prevent_exit_status;

        /* Keys of the settings table, in it Description, the restart options and NotifyAccess, too. None is
         * given that is not available in this version (those were warned of), but for the latter. */
        bool given[_SETTING_MAX];
        SettingValue values[_SETTING_MAX];
        UnitPlace places[_SETTING_MAX]; /* of the last assignment */
        UnitPlace type_place;
} Unit;

/* A unit with every default; NULL: no memory. name is valid (unit/name.h). */
Unit *unit_new(const char *name);
Unit *unit_free(Unit *u); /* returns NULL */
DEFINE_CLEANUP(Unit *, unit_free)
#define _cleanup_unit_ _cleanup_(unit_freep)
