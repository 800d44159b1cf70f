#pragma once

/* What the files of the fake share. */

#include "fake-sys.h"

/* What a process holds: a socket that listens on the port (0: no more), or n other things (inode 0). */
typedef struct FakeHolding {
        pid_t pid;
        uint64_t inode;
        unsigned n;
        uint16_t port;
} FakeHolding;

typedef struct FakeWorld {
        FakeProcess **processes; /* number FAKE_PIDS + index */
        size_t n_processes;
        Scope *scopes;
        int last_watch;
        int notices[256]; /* of watches, not read yet */
        unsigned n_notices;
        int watch_fd; /* our end of what scope_watch_open() gave */
        FakeHolding holdings[1024];
        unsigned n_holdings;
        uint64_t last_inode;
        int notify_fds[512]; /* their ends of notify sockets */
        unsigned n_notify_fds;
        char told[2048]; /* by notify_send() */
        int signal_fd; /* and of signals_open(); 0: none */
} FakeWorld;
extern FakeWorld fake_world;

void fake_signal(FakeProcess *p, int sig);
/* NULL: of no scope. */
Scope *fake_scope_of_fd(int cgroup_fd);
/* Somebody of it ended. */
void fake_scope_changed(Scope *s);
