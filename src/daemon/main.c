/*
 * reeve: cures what it inherited, makes the manager, makes the bus server beside it, starts the main job,
 * and runs until it is told to stop. Errors before the loop end it (there is nothing to lose yet); errors
 * after that do not.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/strv.h"
#include "bus/names.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/manager.h"
#include "core/unit-bundle.h"
#include "daemon/check-units.h"
#include "daemon/machine.h"
#include "daemon/options.h"
#include "sys/boot.h"
#include "sys/crash.h"
#include "sys/shell-report.h"

static int listen_at_all(BusServer *server, const Options *o)
{
        char *const fallback[] = {(char *) BUS_ADDRESS_DEFAULT, NULL};
        unsigned n = 0;
        int r, last = 0;

        for (char *const *address = o->addresses ?: (char **) fallback; *address; address++) {
                r = server_listen(server, *address);
                if (r >= 0)
                        n++;
                else
                        last = log_error_errno(r, "--address=%s: cannot listen there", *address);
        }
        if (n > 0 || o->command) /* a main job needs no bus to be run */
                return 0;
        return last;
}

static const char *const *unit_folders(const Options *o)
{
        if (o->no_units)
                return NULL;
        return o->units ? (const char *const *) o->units : unit_folders_default;
}

/* The exit status: the manager's own, or 1 when reeve could not get that far. *power: what becomes of the
 * machine, left as it is where nobody said. */
static int run(const Options *o, const BootState *boot, bool is_machine, PowerAction *power)
{
        const ManagerConfig config = {
                        .boot = boot,
                        .environment = environ,
                        .live_max = JOB_SET_LIVE_MAX,
                        .finished_max = o->max_finished,
                        .log_max_bytes = o->log_max_bytes,
                        .stop_timeout = o->stop_timeout,
                        .signal_group = o->signal_group,
                        .capture = o->capture,
                        .warn_of_orphans = o->warn_of_orphans,
                        .rewrites = o->rewrites,
                        .exit_codes = o->exit_codes,
                        .unit_folders = unit_folders(o),
                        .no_callers = o->no_bus && !o->bus,
                        .is_machine = is_machine,
        };
        BusServer server = {0};
        Error e = ERROR_NULL;
        Manager manager;
        int r;

        r = manager_init(&manager, &config);
        if (r < 0)
                log_error_errno(r, "Cannot set up");
        if (r >= 0 && (!o->no_bus || o->bus)) {
                r = server_init(&server, &manager);
                if (r >= 0 && !o->no_bus)
                        r = listen_at_all(&server, o);
                if (r >= 0 && o->bus)
                        r = server_join(&server, o->bus);
        }
        if (r >= 0)
                manager_start_units(&manager);
        if (r >= 0 && o->command && manager_start_main(&manager, o->command, &e) < 0) {
                log_error("%s", e.message);
                r = -ECANCELED;
        }
        if (r >= 0)
                r = manager_run(&manager);
        if (r >= 0)
                *power = manager.shutdown.power;
        server_done(&server);
        manager_done(&manager);
        return r < 0 ? EXIT_FAILURE : r;
}

/* The exit status. */
static int boot_and_run(const Options *o, Machine *machine, PowerAction *power)
{
        BootState boot = {0};
        int r;

        machine_begin(machine);
        r = boot_cure(&boot);
        (void) log_open(STDERR_FILENO);
        log_set_level(o->log_level);
        if (r >= 0 && o->parent_death > 0 && boot_parent_death(o->parent_death) < 0)
                log_warning("--parent-death: is not to be had here");
        machine_set_up(machine, &boot);
        if (r < 0) {
                log_error_errno(r, "Cannot start");
        } else {
                crash_install(boot.is_pid1, o->stop_timeout);
                if (!boot.is_pid1)
                        log_notice("Not PID 1: reaping what its own jobs leave behind, as a subreaper");
                r = run(o, &boot, machine->is, power);
        }
        boot_state_done(&boot);
        return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
        PowerAction power = POWER_OFF;
        Machine machine;
        Options options;
        int r;

        if (argc == 5 && streq(argv[1], "--session-report")) /* as the child of a session's shell */
                return shell_report_send(argv[2], argv[3], argv[4]) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        machine_look(&machine, &argc, &argv);
        r = options_parse(&options, argc, argv, machine.parameters, machine.first);
        if (r > 0)
                r = machine_decide(&machine, options.machine);
        if (r > 0 && options.check_units)
                r = check_units(&options);
        else if (r > 0)
                r = boot_and_run(&options, &machine, &power);
        else
                r = r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        if (machine.is)
                machine_end(&machine, power, r);
        options_done(&options);
        machine_done(&machine);
        log_close();
        return r;
}
