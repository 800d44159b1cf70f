/*
 * One table of options: getopt_long(3)'s, the help's, and a test's.
 */

#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/parse.h"
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
        OPTION_LOG_MAX,
        OPTION_MAX_FINISHED,
        OPTION_STOP_TIMEOUT,
        OPTION_LOG_LEVEL,
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
                [OPTION_LOG_MAX] = {"log-max", "BYTES",
                                    "memory of all logs together; by default a tenth\nof the memory, at "
                                    "most 256M",
                                    0},
                [OPTION_MAX_FINISHED] = {"max-finished", "N", "finished jobs that are remembered (1000)", 0},
                [OPTION_STOP_TIMEOUT] = {"stop-timeout", "TIME", "how long all of stopping may take (8s)",
                                         0},
                [OPTION_LOG_LEVEL] = {"log-level", "LEVEL", "err, warning, notice, info or debug (notice)",
                                      0},
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

static int apply(Options *o, size_t option, const char *value)
{
        uint64_t n;
        int r;

        switch (option) {
        case OPTION_ADDRESS: return strv_append(&o->addresses, value);
        case OPTION_NO_BUS: o->no_bus = true; return 0;
        case OPTION_BUS: return set_bus(o, value);
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
        case OPTION_LOG_LEVEL:
                r = log_level_from_string(value);
                if (r < 0)
                        return complain(option, value);
                o->log_level = (LogLevel) r;
                return 0;
        default: return -EINVAL;
        }
}

int options_parse(Options *o, int argc, char **argv)
{
        struct option longs[_OPTION_MAX + 1] = {0};
        int c, r;

        *o = (Options){
                        .max_finished = JOB_SET_FINISHED_MAX,
                        .stop_timeout = SHUTDOWN_LIMIT_DEFAULT,
                        .log_level = LOG_LEVEL_NOTICE,
        };
        for (size_t i = 0; i < _OPTION_MAX; i++)
                longs[i] = (struct option){table[i].name,
                                           table[i].argument ? required_argument : no_argument, NULL,
                                           0x100 + (int) i};
        opterr = 0;
        while ((c = getopt_long(argc, argv, "+hV", longs, NULL)) >= 0) {
                if (c == 'h' || c == 0x100 + OPTION_HELP) {
                        show_help();
                        return 0;
                }
                if (c == 'V' || c == 0x100 + OPTION_VERSION) {
                        printf("reeve %s\n", REEVE_VERSION);
                        return 0;
                }
                if (c == '?') {
                        fprintf(stderr,
                                "reeve: %s: no such option, or not used like that; see reeve --help\n",
                                argv[optind - 1]);
                        return -EINVAL;
                }
                r = apply(o, (size_t) (c - 0x100), optarg);
                if (r < 0)
                        return r;
        }
        if (argv[optind])
                o->command = argv + optind;
        return 1;
}

void options_done(Options *o)
{
        o->addresses = strv_free(o->addresses);
}
