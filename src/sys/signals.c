/*
 * One descriptor for all signals: in the order of their numbers as the kernel hands them out, each with its
 * sender. The standard ones do not queue, so a SIGCHLD stands for any number of children; who reads it must
 * look for all of them.
 */

#include "sys/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
        sigset_t blocked;
        int fd;

        if (sigprocmask(SIG_SETMASK, NULL, &blocked) < 0)
                return -errno;
        fd = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

int signals_read(int fd, SignalInfo *ret)
{
        struct signalfd_siginfo info;
        ssize_t n = read(fd, &info, sizeof(info));

        if (n != (ssize_t) sizeof(info))
                return 0;
        *ret = (SignalInfo){
                        .sender_is_known = info.ssi_code == SI_USER || info.ssi_code == SI_TKILL,
                        .signal = (int) info.ssi_signo,
                        .sender = (pid_t) info.ssi_pid,
                        .by_us = info.ssi_code <= 0 && (pid_t) info.ssi_pid == getpid(),
                        .by_process = info.ssi_code <=
                                      0, /* SI_USER, SI_QUEUE, SI_TKILL; > 0 is the kernel's, sigaction(2) */
        };
        return 1;
}
