#pragma once

/*
 * The library src/sys, faked: a small world of processes, scopes and clocks in which nothing happens but
 * what a test says. Linked in place of libsys, so that a supervisor's whole life can be played without a
 * process, without root and without waiting.
 *
 * Processes are records; what they hold of a job's output are real pipes, for sd-event must be able to watch
 * them. A process that ends is a zombie until it is reaped (fake-world.h), and takes its scope's emptiness
 * notice with it at once. What is allocated on behalf of core goes through basic/alloc.h, so that it can be
 * made to fail; what the fake needs for itself does not.
 */

#include <sys/types.h>

#include "basic/time.h"
#include "sys/reaper.h"
#include "sys/scope.h"
#include "sys/spawn.h"

#define FAKE_PIDS 1000 /* the first process has this number */
#define FAKE_SIGNALS_MAX 32U

typedef enum FakeManners {
        FAKE_OBEYS,      /* ends of a signal whose default that is */
        FAKE_IGNORES,    /* all that can be ignored */
        FAKE_UNKILLABLE, /* in an uninterruptible sleep */
} FakeManners;

typedef struct FakeProcess FakeProcess;
struct FakeProcess {
        pid_t pid;
        int stopped_by; /* not told yet */
        FakeManners manners;
        int exits_with; /* >= 0: with this code, when a signal asks it to end */
        bool alive, zombie;
        FakeProcess *parent; /* NULL: reeve itself */
        Scope *scope;        /* NULL: reeve's own cgroup */
        int fds[3];          /* what it holds as 0, 1, 2 */
        int signals[FAKE_SIGNALS_MAX];
        unsigned n_signals;
        ProcessEnd end;

        int pidfd; /* a copy of the one that was opened last; readable when it ends */

        /* A child of reeve's: on its way to exec until that is told; what it was given is its own copy. */
        int status_fd;
        bool joins_late;   /* is in its scope only from exec on */
        Scope *late_scope; /* that one */
        SpawnParameters parameters;
        gid_t groups[8];
};

struct Scope {
        char *path;
        Scope *next;
        bool is_group, is_slice, removed, frozen;
        pid_t leader;
        int folder_fd; /* the newest that was opened; the number only */
        int watch;     /* -1: none */
        unsigned n_kills, n_signals;
        ScopeUsage usage;
};

/* What is to go wrong, and what was counted. Errors are negative errnos, 0 for none, until they are reset.
 */
typedef struct FakeSys {
        usec_t monotonic, realtime; /* the clocks */
        size_t read_max;            /* bytes that one stdio_read() takes; 0: as many as asked for */
        size_t write_max;           /* bytes that one outlet_write() gives; 0: as many as fit */
        bool late_joiners; /* as where clone3(2) is refused: new children join their scope by themselves */
        bool map_fails;
        bool same_file; /* reeve's stdout and stderr are */
        bool no_tree; /* cgroup_tree_open() finds none */
        int spawn_error, pipe_error, scope_new_error, scope_fd_error, scope_populated_error;
        bool freezer_is_slow; /* what is to stand still goes on for now */
        int scope_watch_open_error, scope_watch_add_error, userdb_groups_error, give_error;
        int pty_error, tee_error, notify_error, notify_send_error;
        bool gone_are_known;            /* the kernel tells the cgroup of a sender that was reaped */
        bool tty_has_no_eof;            /* the terminals' end-of-file character is disabled */
        int net_error, walk_error;      /* of netlisten_read(), socket_walk_step() */
        usec_t walk_step_usec;          /* that a step takes */
        bool scope_watch_overflow;      /* the next notices are lost, and that is told */
        unsigned scope_busy;            /* as many scope_remove() are EBUSY */
        FakeProcess *ends_before_watch; /* exits when its scope is about to be watched; NULL: nobody */

        unsigned n_spawned, n_scopes, n_slices, n_watches, n_enlarged, n_given, n_folders_left, n_all_killed;
        unsigned n_net_looks, n_walks, n_walk_steps;
        uint16_t net_port; /* that was asked for last */
        int tee_fds[8];    /* the processes' ends of tees */
        unsigned n_tees;
        pid_t foreground;      /* the group in front of the terminal, 1: reeve's own; 0: no terminal */
        bool is_below_a_shell; /* which could let reeve go on */
        int stopped_by;        /* what reeve stopped itself by; 0: it did not */
        uid_t given_to;
        unsigned tty_rows, tty_columns; /* as they were set last */
        size_t mapped;                  /* bytes */
} FakeSys;
extern FakeSys fake;

/* At the start of each test: nobody lives, nothing goes wrong, the clocks stand. */
void fake_reset(void);
/* Forgets all processes, and closes what they hold. */
void fake_done(void);
void fake_clock_advance(usec_t usec);
/* Descriptors of this program that are open. */
unsigned fake_count_fds(void);

/* The one that was made last; NULL. */
FakeProcess *fake_newest(void);
FakeProcess *fake_process(pid_t pid);
/* A living process in nobody's scope, for instance of `docker exec`. */
FakeProcess *fake_stranger(void);
/* A child of that process, in its scope, holding what it holds; of one that is dead: an orphan. */
FakeProcess *fake_fork(FakeProcess *parent);
/* exec succeeded: the status pipe is closed. */
void fake_exec(FakeProcess *p);
/* It did not: the record is written, and the process ends. */
void fake_exec_fails(FakeProcess *p, SpawnStep step, int error, const char *detail);
/* Only the first half of that. */
void fake_write_failure(FakeProcess *p, SpawnStep step, int error, const char *detail);
/* It must fit into the pipe. */
void fake_write(FakeProcess *p, int fd, const void *data, size_t size);
void fake_print(FakeProcess *p, int fd, const char *text);
void fake_close(FakeProcess *p, int fd);
/* It makes a socket that listens (NULL: nobody of ours does); its inode. */
uint64_t fake_listen(FakeProcess *p, uint16_t port);
/* It holds another's socket, too; or n descriptors that are none. */
void fake_hold_socket(FakeProcess *p, uint64_t inode);
void fake_hold_files(FakeProcess *p, unsigned n);
/* The process of a tee takes that much, and says so; when it was told that no more comes it ends. How much
 * it was. */
size_t fake_tee_take(unsigned tee, char *to, size_t size);
/* It ends, error > 0: because its descriptor failed so. */
void fake_tee_end(unsigned tee, int error);
/* It speaks at a notify socket; NULL: somebody of another PID namespace. */
void fake_notify(const FakeProcess *sender, const char *address, const char *text);
/* Any bytes; -EAGAIN: there is no room. */
int fake_notify_raw(const FakeProcess *sender, const char *address, const void *data, size_t size,
                    bool truncated);
/* What reeve has told who started it, with a "|" after each. */
const char *fake_told(void);
void fake_exit(FakeProcess *p, int code);
void fake_die(FakeProcess *p, int sig, bool core_dumped);
/* How often it got that signal. */
unsigned fake_count_signals(const FakeProcess *p, int sig);
/* To reeve itself. sender 0: the kernel, or the host. */
void fake_send_signal(int sig, pid_t sender, bool by_process);
/* Somebody is waiting to be reaped; how many live in the scope. */
bool fake_has_zombies(void);
unsigned fake_scope_count(const Scope *s);
