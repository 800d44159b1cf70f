/*
 * The order matters. /proc tells whether this is a machine at all; then the mounts, without which there is
 * neither a console nor a log; then the log, in which what failed before is said; then the rest. Nothing of
 * it is worth more than a line in the log: a machine without a name, or without /dev/shm, is better than
 * none.
 *
 * At the end it is the other way round: nothing may keep the machine from going, so what may hang is done by
 * a child that has so much time, and no more.
 */

#include "daemon/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/kernel-line.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "core/shutdown.h"
#include "sys/boot.h"
#include "sys/crash.h"

#define CONSOLE_LIMIT (2 * USEC_PER_SEC)
#define SYNC_LIMIT (10 * USEC_PER_SEC)
#define DISKS_LIMIT (60 * USEC_PER_SEC)

static void say(const char *what, int error)
{
        log_warning_errno(error, "%s", what);
}

static void say_where(const char *what, const char *where, int error)
{
        log_warning_errno(error, "%s of %s", what, where);
}

/* argv[0] and what is behind the strays. */
static int take_arguments(Machine *m, size_t strays, int *argc, char ***argv)
{
        size_t n = (size_t) *argc - strays;

        m->argv = alloc_array(char *, n + 1);
        if (!m->argv)
                return -ENOMEM;
        m->argv[0] = (*argv)[0];
        memcpy(m->argv + 1, *argv + 1 + strays, n * sizeof(char *)); /* with the NULL */
        *argc = (int) n;
        *argv = m->argv;
        return 0;
}

void machine_look(Machine *m, int *argc, char ***argv)
{
        _cleanup_free_ char *line = NULL;
        _cleanup_strv_ char **init = NULL;

        *m = (Machine){.first = machine_is_ours()};
        m->is = m->first;
        if (!m->first || *argc < 1 || machine_command_line(&line) < 0 ||
            kernel_line_split(line, &m->parameters, &init) < 0)
                return;
        (void) take_arguments(m, kernel_line_strays(*argv, m->parameters, init), argc, argv);
}

void machine_done(Machine *m)
{
        m->parameters = strv_free(m->parameters);
        free(m->argv);
        m->argv = NULL;
}

int machine_decide(Machine *m, int wanted)
{
        if (wanted > 0 && getpid() != 1) {
                fprintf(stderr, "reeve: --machine=yes: only process 1 can be the init of a machine\n");
                return -EINVAL;
        }
        if (wanted >= 0)
                m->is = wanted;
        return 1;
}

void machine_begin(Machine *m)
{
        if (!m->is)
                return;
        machine_mount(&m->mounts);
        m->no_console = machine_console_stdio();
}

static const char *hostname_wanted(const Machine *m)
{
        return kernel_line_get(m->parameters, "reeve.hostname")
                               ?: kernel_line_get(m->parameters, "systemd.hostname");
}

/* A container that was told to be a machine shares the kernel with others: its log is not ours. */
static void open_log(const Machine *m)
{
        int r;

        if (!m->first)
                return;
        r = machine_log_open(!kernel_line_get(m->parameters, "printk.devkmsg"));
        if (r >= 0)
                r = log_open_kernel_take(r);
        if (r < 0)
                say("no kernel log, messages stay on the console", r);
}

static void tell_console(void *data)
{
        power_tell_console(data);
}

static void write_back(void *data)
{
        power_sync();
}

/* After a fault of our own there may be nothing left to rely on but system calls; an exit would be the
 * kernel's panic. */
static void end_after_fault(int status)
{
        static char line[] = "\nreeve: exit status 70\n";

        static_assert(CRASH_EXIT_STATUS == 70, "as the line says");
        (void) power_run(tell_console, line, CONSOLE_LIMIT);
        (void) power_run(write_back, NULL, SYNC_LIMIT);
        (void) power_do(POWER_OFF);
}

void machine_set_up(Machine *m, BootState *boot)
{
        int r;

        if (!m->is)
                return;
        open_log(m);
        if (m->first)
                crash_set_end(end_after_fault);
        machine_mount_tell(&m->mounts, say);
        if (m->no_console < 0)
                say("no console", m->no_console);

        machine_raise_nofile(&boot->nofile);
        r = machine_loopback_up();
        if (r < 0)
                say("bringing up lo", r);
        r = machine_set_hostname(hostname_wanted(m));
        if (r < 0)
                say("setting the hostname", r);
        r = m->first ? machine_take_ctrl_alt_del() : 0;
        if (r < 0)
                say("taking ctrl-alt-del", r);
}

static void let_go_of_disks(void *data)
{
        power_let_go_of_disks(say_where);
}

void machine_end(const Machine *m, PowerAction action, int exit_code)
{
        char line[64];
        int r;

        /* In a line of its own, wherever the last output has left the cursor. */
        (void) snprintf(line, sizeof(line), "\nreeve: exit status %d\n", exit_code);
        if (power_run(tell_console, line, CONSOLE_LIMIT) < 0)
                log_warning("The console takes nothing: exit status %d", exit_code);
        /* In a container file systems are its maker's: a remount would make them read-only for all. */
        if (m->first && power_run(let_go_of_disks, NULL, DISKS_LIMIT) < 0)
                log_error("Some file system cannot be unmounted: going all the same");
        r = power_do(action);
        log_error_errno(r, "Cannot %s", shutdown_power_to_string(action));
}
