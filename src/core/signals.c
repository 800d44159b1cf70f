/*
 * SIGTERM and SIGINT come from docker, podman, kubelet and a person at the terminal; SIGPWR from LXC and a
 * machine whose power goes; SIGRTMIN+3 to +5 from who takes reeve for systemd (podman's systemd mode,
 * systemd-nspawn). What is no order belongs to the main job, which is what a container without an init would
 * have signalled.
 *
 * To a machine's init SIGINT is ctrl-alt-del, and the real-time ones mean what they mean to systemd.
 */

#include "core/signals.h"

#include <signal.h>

SignalMeaning signal_meaning(int sig)
{
        /* SIGRTMIN is no constant: the C library takes the first few for itself. */
        if (sig == SIGRTMIN + 3 || sig == SIGRTMIN + 4 || sig == SIGRTMIN + 5)
                return SIGNAL_SHUTDOWN;
        switch (sig) {
        case SIGTERM:
        case SIGINT:
        case SIGPWR: return SIGNAL_SHUTDOWN;
        case SIGCHLD: return SIGNAL_CHILD;
        case SIGPIPE: /* ours, from a write to who has gone */
        case SIGTTIN: /* ours, too: a terminal tells the process that touched it */
        case SIGTTOU: return SIGNAL_NOTHING;
        default: return SIGNAL_PASS_ON;
        }
}

PowerAction signal_power(int sig)
{
        if (sig == SIGINT || sig == SIGRTMIN + 5)
                return POWER_REBOOT;
        return sig == SIGRTMIN + 3 ? POWER_HALT : POWER_OFF;
}
