/*
 * One table of options: getopt_long(3)'s, the help's, and a test's.
 */

#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/parse.h"
#include "basic/path.h"
#include "basic/strv.h"
#include "bus/names.h"
#include "core/job-set.h"
#include "core/shutdown.h"
#include "journal/ring.h"
#include "sys/unix-socket.h"

/* D-Bus Specification, "System message bus", with /run for /var/run. */
#define SYSTEM_BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"

typedef struct OptionHelp {
        const char *name, *argument, *help;
        char letter; /* '\0': long only */
} OptionHelp;

enum {
        OPTION_ADDRESS,
        OPTION_NO_BUS,
        OPTION_BUS,
        OPTION_UNITS,
        OPTION_NO_UNITS,
        OPTION_CHECK_UNITS,
        OPTION_LOG_MAX,
        OPTION_MAX_FINISHED,
        OPTION_STOP_TIMEOUT,
        OPTION_MACHINE,
        OPTION_SIGNAL_GROUP,
        OPTION_SINGLE_CHILD,
        OPTION_REWRITE,
        OPTION_REMAP_EXIT,
        OPTION_EXPECT_EXIT,
        OPTION_CAPTURE,
        OPTION_PARENT_DEATH,
        OPTION_WARN_ORPHANS,
        OPTION_LOG_LEVEL,
        OPTION_VERBOSE,
        OPTION_SUBREAPER,
        OPTION_HELP,
        OPTION_VERSION,
        _OPTION_MAX,
};

static const OptionHelp table[_OPTION_MAX] = {
                [OPTION_ADDRESS] = {"address", "ADDRESS",
                                    "listen there (may be given again); by default\n" BUS_ADDRESS_DEFAULT,
                                    0},
                [OPTION_NO_BUS] = {"no-bus", NULL, "listen nowhere", 0},
                [OPTION_BUS] = {"bus", "ADDRESS|system",
                                "join that message bus, too, as " BUS_NAME ", and come\nback when it does",
                                0},
                [OPTION_UNITS] = {"units", "FOLDER",
                                  "read unit files from there (may be given again);\nby default from "
                                  "/etc/reeve/units, /run/reeve/units\nand /usr/lib/reeve/units",
                                  0},
                [OPTION_NO_UNITS] = {"no-units", NULL, "read none, and start none", 0},
                [OPTION_CHECK_UNITS] =
                                {"check-units", NULL,
                                 "say what is wrong with unit files, of the folders\nthat follow if any "
                                 "do, and start nothing",
                                 0},
                [OPTION_LOG_MAX] = {"log-max", "BYTES",
                                    "memory of all logs together; by default a tenth\nof the memory, at "
                                    "most 256M",
                                    0},
                [OPTION_MAX_FINISHED] = {"max-finished", "N", "finished jobs that are remembered (1000)", 0},
                [OPTION_STOP_TIMEOUT] = {"stop-timeout", "TIME", "how long all of stopping may take (8s)",
                                         0},
                [OPTION_MACHINE] =
                                {"machine", "yes|no|auto",
                                 "be the init of a machine: mount, name, power off\n(auto: where the kernel "
                                 "started reeve)",
                                 0},
                [OPTION_SIGNAL_GROUP] = {"signal-group", NULL,
                                         "pass signals on to COMMAND's process group, not\nto COMMAND alone",
                                         'g'},
                [OPTION_SINGLE_CHILD] = {"single-child", NULL,
                                         "to COMMAND alone: is what is done without -g", 'c'},
                [OPTION_REWRITE] = {"rewrite", "SIGNAL:SIGNAL",
                                    "take the one for the other when it comes; for 0:\nignore it (may be "
                                    "given again)",
                                    'r'},
                [OPTION_REMAP_EXIT] =
                                {"remap-exit", "FROM=TO",
                                 "exit with TO where COMMAND's exit status is FROM\n(may be given again)",
                                 0},
                [OPTION_EXPECT_EXIT] = {"expect-exit", "STATUS", "the same as --remap-exit=STATUS=0", 'e'},
                [OPTION_CAPTURE] = {"capture", NULL,
                                    "keep COMMAND's output in the log as well: it writes\nto pipes then",
                                    0},
                [OPTION_PARENT_DEATH] = {"parent-death", "SIGNAL",
                                         "be sent that when the process that started reeve\nends", 'p'},
                [OPTION_WARN_ORPHANS] = {"warn-on-reap", NULL, "say each orphan that was reaped", 'w'},
                [OPTION_LOG_LEVEL] = {"log-level", "LEVEL", "err, warning, notice, info or debug (notice)",
                                      0},
                [OPTION_VERBOSE] = {"verbose", NULL, "one level more than that (may be given again)", 'v'},
                [OPTION_SUBREAPER] = {"subreaper", NULL, "adopt orphans when not process 1: is always done",
                                      's'},
                [OPTION_HELP] = {"help", NULL, "show this", 'h'},
                [OPTION_VERSION] = {"version", NULL, "show the version", 'V'},
};

static void show_help(void)
{
        printf("reeve [OPTIONS] [--] [COMMAND [ARG...]]\n\n"
               "The init of a container: runs COMMAND as its main job and ends with it; without\n"
               "COMMAND runs what is asked for over D-Bus, until it is told to stop.\n\n");
        for (size_t i = 0; i < _OPTION_MAX; i++) {
                char left[40];

                snprintf(left, sizeof(left), "  %c%c%c --%s%s%s", table[i].letter ? '-' : ' ',
                         table[i].letter ? table[i].letter : ' ', table[i].letter ? ',' : ' ', table[i].name,
                         table[i].argument ? "=" : "", table[i].argument ?: "");
                printf("%-28s", left);
                for (const char *s = table[i].help; *s; s++)
                        if (*s == '\n')
                                printf("\n%-28s", "");
                        else
                                putchar(*s);
                putchar('\n');
        }
        printf("\nSee reeve(8). The client is reevectl(1).\n");
}

static int complain(size_t option, const char *value)
{
        fprintf(stderr, "reeve: --%s: \"%s\" is not %s; see reeve --help\n", table[option].name, value,
                table[option].argument);
        return -EINVAL;
}

/* What "system" stands for is what it does for every D-Bus client. */
static int set_bus(Options *o, const char *value)
{
        _cleanup_free_ char *path = NULL;
        bool is_system = streq(value, "system");
        const char *address = is_system ? getenv("DBUS_SYSTEM_BUS_ADDRESS") : value;

        if (is_system && isempty(address))
                address = SYSTEM_BUS_ADDRESS;
        if (socket_address_path(address, &path) < 0) {
                fprintf(stderr,
                        "reeve: --bus=%s: \"%s\" is not unix:path=PATH or unix:abstract=NAME, which are the "
                        "addresses that can be joined without waiting\n",
                        value, address);
                return -EINVAL;
        }
        o->bus = address;
        return 0;
}

/* FROM=TO, of what exit(3) and a signal can make of a status. */
static int remap(Options *o, const char *value)
{
        const char *equals = strchr(value, '=');
        _cleanup_free_ char *from = equals ? str_copy_n(value, (size_t) (equals - value)) : NULL;
        uint64_t a, b;

        if (!from || parse_u64(from, &a) < 0 || parse_u64(equals + 1, &b) < 0 || a > 255 || b > 255)
                return complain(OPTION_REMAP_EXIT, value);
        o->exit_codes[a] = (uint8_t) b;
        return 0;
}

static int expect(Options *o, const char *value)
{
        uint64_t status;

        if (parse_u64(value, &status) < 0 || status > 255)
                return complain(OPTION_EXPECT_EXIT, value);
        o->exit_codes[status] = 0;
        return 0;
}

static int rewrite(Options *o, const char *value)
{
        const char *colon = strchr(value, ':');
        _cleanup_free_ char *name = colon ? str_copy_n(value, (size_t) (colon - value)) : NULL;
        int from, to = 0;

        if (!name || parse_signal(name, &from) < 0 || from == SIGCHLD ||
            (!streq(colon + 1, "0") && parse_signal(colon + 1, &to) < 0))
                return complain(OPTION_REWRITE, value);
        o->rewrites[from] = (uint8_t) to;
        return 0;
}

static int apply(Options *o, size_t option, const char *value)
{
        uint64_t n;
        int r;

        switch (option) {
        case OPTION_ADDRESS: return strv_append(&o->addresses, value);
        case OPTION_NO_BUS: o->no_bus = true; return 0;
        case OPTION_BUS: return set_bus(o, value);
        case OPTION_UNITS: return strv_append(&o->units, value);
        case OPTION_NO_UNITS: o->no_units = true; return 0;
        case OPTION_CHECK_UNITS: o->check_units = true; return 0;
        case OPTION_LOG_MAX:
                if (parse_bytes(value, &o->log_max_bytes) < 0 || o->log_max_bytes < RING_BYTES_MIN)
                        return complain(option, value);
                return 0;
        case OPTION_MAX_FINISHED:
                if (parse_u64(value, &n) < 0 || n > UINT32_MAX)
                        return complain(option, value);
                o->max_finished = (unsigned) n;
                return 0;
        case OPTION_STOP_TIMEOUT:
                return parse_usec(value, &o->stop_timeout) < 0 ? complain(option, value) : 0;
        case OPTION_MACHINE:
                o->machine = streq(value, "auto") ? -1 : parse_bool(value);
                return o->machine < 0 && !streq(value, "auto") ? complain(option, value) : 0;
        case OPTION_SIGNAL_GROUP: o->signal_group = true; return 0;
        case OPTION_REWRITE: return rewrite(o, value);
        case OPTION_REMAP_EXIT: return remap(o, value);
        case OPTION_EXPECT_EXIT: return expect(o, value);
        case OPTION_CAPTURE: o->capture = true; return 0;
        case OPTION_PARENT_DEATH:
                return parse_signal(value, &o->parent_death) < 0 ? complain(option, value) : 0;
        case OPTION_WARN_ORPHANS: o->warn_of_orphans = true; return 0;
        case OPTION_VERBOSE:
                if (o->log_level < LOG_LEVEL_DEBUG)
                        o->log_level++;
                return 0;
        case OPTION_SINGLE_CHILD: o->signal_group = false; return 0;
        case OPTION_SUBREAPER: return 0;
        case OPTION_LOG_LEVEL:
                r = log_level_from_string(value);
                if (r < 0)
                        return complain(option, value);
                o->log_level = (LogLevel) r;
                return 0;
        default: return -EINVAL;
        }
}

/* What getopt_long(3) has found: an option's index behind 0x100, or its letter; _OPTION_MAX: none. */
static size_t option_of(int c)
{
        if (c >= 0x100)
                return (size_t) (c - 0x100);
        for (size_t i = 0; i < _OPTION_MAX; i++)
                if (c == table[i].letter)
                        return i;
        return _OPTION_MAX;
}

static int complain_of_unknown(const char *argument)
{
        const char letter[] = {'-', (char) optopt, '\0'}; /* it may be one of several in the argument */

        fprintf(stderr, "reeve: %s: no such option, or not used like that; see reeve --help\n",
                optopt > 0 && optopt < 0x100 ? letter : argument);
        return -EINVAL;
}

static int next_option(int argc, char **argv)
{
        struct option longs[_OPTION_MAX + 1] = {0};
        char letters[2 * _OPTION_MAX + 2] = "+", *letter = letters + 1;

        for (size_t i = 0; i < _OPTION_MAX; i++) {
                longs[i] = (struct option){table[i].name,
                                           table[i].argument ? required_argument : no_argument, NULL,
                                           0x100 + (int) i};
                if (!table[i].letter)
                        continue;
                *letter++ = table[i].letter;
                if (table[i].argument)
                        *letter++ = ':';
        }
        *letter = '\0';
        return getopt_long(argc, argv, letters, longs, NULL);
}

/* PID 1 leaves the directory that it was given. */
static int units_make_absolute(Options *o)
{
        _cleanup_free_ char *here = o->units ? getcwd(NULL, 0) : NULL;

        STRV_FOREACH (folder, o->units) {
                char *path = path_absolute(here ?: "/", *folder);

                if (!path)
                        return -ENOMEM;
                free(*folder);
                *folder = path;
        }
        return 0;
}

/* "reeve.NAME=VALUE", or "reeve.NAME" for what takes no value. What is no option may be a module's, but ours
 * are said. */
static int apply_parameter(Options *o, const char *parameter)
{
        const char *name = startswith(parameter, "reeve."), *value;
        size_t n;

        if (!name)
                return 0;
        n = strcspn(name, "=");
        value = name[n] ? name + n + 1 : NULL;
        for (size_t i = 0; i < OPTION_HELP; i++)
                if (strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0 &&
                    !table[i].argument == !value)
                        return apply(o, i, value);
        if (strncmp(name, "hostname=", n + 1) == 0) /* daemon/machine.c */
                return 0;
        fprintf(stderr, "reeve: \"%s\" on the kernel's command line is no option; see reeve --help\n",
                parameter);
        return -EINVAL;
}

static void set_defaults(Options *o)
{
        *o = (Options){
                        .max_finished = JOB_SET_FINISHED_MAX,
                        .stop_timeout = SHUTDOWN_LIMIT_DEFAULT,
                        .log_level = LOG_LEVEL_NOTICE,
                        .machine = -1,
        };
        for (size_t i = 0; i < ELEMENTSOF(o->exit_codes); i++)
                o->exit_codes[i] = (uint8_t) i;
        for (size_t i = 0; i < ELEMENTSOF(o->rewrites); i++)
                o->rewrites[i] = (uint8_t) i;
}

int options_parse(Options *o, int argc, char **argv, char *const *parameters, bool forgiving)
{
        int c, r;

        set_defaults(o);
        for (; parameters && *parameters; parameters++) {
                r = apply_parameter(o, *parameters);
                if (r < 0 && !forgiving)
                        return r;
        }
        opterr = 0;
        while ((c = next_option(argc, argv)) >= 0) {
                size_t option = option_of(c);

                switch (option) {
                case OPTION_HELP: show_help(); return 0;
                case OPTION_VERSION: printf("reeve %s\n", REEVE_VERSION); return 0;
                case _OPTION_MAX: r = complain_of_unknown(argv[optind - 1]); break;
                default: r = apply(o, option, optarg); break;
                }
                if (r < 0 && !forgiving)
                        return r;
        }
        if (o->check_units) {
                r = strv_extend(&o->units, argv + optind);
        } else {
                r = units_make_absolute(o);
                o->command = argv[optind] ? argv + optind : NULL;
        }
        if (r < 0)
                fprintf(stderr, "reeve: out of memory\n");
        return r < 0 ? r : 1;
}

void options_done(Options *o)
{
        o->addresses = strv_free(o->addresses);
        o->units = strv_free(o->units);
}
