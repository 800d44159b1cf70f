/* The processes of the fake, and what is done with them: spawn, signals, reaping. The rest of src/sys is in
 * fake-scope.c and fake-stdio.c. */

#include "fake-sys.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/strv.h"
#include "fake-internal.h"
#include "sys/boot.h"
#include "sys/foreground.h"
#include "sys/boot.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/pidref.h"

FakeSys fake;
FakeWorld fake_world;

void fake_reset(void)
{
        fake_done();
        fake = (FakeSys){
                        .monotonic = 1000 * USEC_PER_SEC,
                        .realtime = UINT64_C(1800000000) * USEC_PER_SEC,
        };
}

static void process_free(FakeProcess *p)
{
        for (size_t i = 0; i < ELEMENTSOF(p->fds); i++)
                fd_close(p->fds[i]);
        fd_close(p->status_fd);
        fd_close(p->pidfd);
        strv_free((char **) p->parameters.argv);
        strv_free((char **) p->parameters.environment);
        free((char *) p->parameters.search_path);
        free((char *) p->parameters.working_directory);
        free(p);
}

void fake_done(void)
{
        for (size_t i = 0; i < fake_world.n_processes; i++)
                process_free(fake_world.processes[i]);
        free(fake_world.processes);
        for (unsigned i = 0; i < fake_world.n_notify_fds; i++)
                fd_close(fake_world.notify_fds[i]);
        if (fake_world.signal_fd > 0)
                fd_close(fake_world.signal_fd);
        /* Scopes are core's: one that is left has leaked, and n_scopes says so. */
        fake_world = (FakeWorld){0};
}

void fake_clock_advance(usec_t usec)
{
        fake.monotonic += usec;
        fake.realtime += usec;
}

usec_t clock_monotonic(void)
{
        return fake.monotonic;
}

usec_t clock_realtime(void)
{
        return fake.realtime;
}

void random_bytes(void *buf, size_t size)
{
        for (size_t i = 0; i < size; i++)
                ((unsigned char *) buf)[i] = (unsigned char) (i * 7 + 1);
}

unsigned fake_count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n - 3; /* ".", ".." and the folder itself */
}

/* Processes */

static FakeProcess *process_new(FakeProcess *parent, Scope *scope)
{
        size_t n = fake_world.n_processes;
        FakeProcess *p = calloc(1, sizeof(FakeProcess));

        fake_world.processes = realloc(fake_world.processes, (n + 1) * sizeof(p));
        ck_assert(p && fake_world.processes);
        *p = (FakeProcess){
                        .pid = (pid_t) (FAKE_PIDS + n),
                        .alive = true,
                        .exits_with = -1,
                        .parent = parent,
                        .scope = scope,
                        .fds = {-EBADF, -EBADF, -EBADF},
                        .status_fd = -EBADF,
                        .pidfd = -EBADF,
        };
        fake_world.processes[n] = p;
        fake_world.n_processes++;
        return p;
}

FakeProcess *fake_newest(void)
{
        return fake_world.n_processes > 0 ? fake_world.processes[fake_world.n_processes - 1] : NULL;
}

FakeProcess *fake_process(pid_t pid)
{
        size_t i = (size_t) (pid - FAKE_PIDS);

        return pid >= FAKE_PIDS && i < fake_world.n_processes ? fake_world.processes[i] : NULL;
}

FakeProcess *fake_stranger(void)
{
        return process_new(NULL, NULL);
}

static int keep_fd(int fd)
{
        int copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -EBADF;

        ck_assert_msg(fd < 0 || copy >= 0, "the test has run out of descriptors");
        return copy;
}

FakeProcess *fake_fork(FakeProcess *parent)
{
        FakeProcess *p = process_new(parent->alive ? parent : NULL, parent->scope);

        p->manners = parent->manners;
        for (size_t i = 0; i < ELEMENTSOF(p->fds); i++)
                p->fds[i] = keep_fd(parent->fds[i]);
        return p;
}

static void process_ends(FakeProcess *p, ProcessEnd end)
{
        ck_assert_msg(p->alive, "%d is dead already", (int) p->pid);
        p->alive = false;
        p->end = end;
        p->end.pid = p->pid;
        for (size_t i = 0; i < ELEMENTSOF(p->fds); i++)
                p->fds[i] = fd_close(p->fds[i]);
        p->status_fd = fd_close(p->status_fd);
        if (p->pidfd >= 0)
                ck_assert_int_eq(eventfd_write(p->pidfd, 1), 0);
        /* Orphans come to reeve; the others are their parents' business. */
        p->zombie = !p->parent || !p->parent->alive;
        for (size_t i = 0; i < fake_world.n_processes; i++)
                if (fake_world.processes[i]->parent == p)
                        fake_world.processes[i]->parent = NULL;
        if (p->scope)
                fake_scope_changed(p->scope);
}

void fake_exit(FakeProcess *p, int code)
{
        process_ends(p, (ProcessEnd){.exit_code = code});
}

void fake_die(FakeProcess *p, int sig, bool core_dumped)
{
        process_ends(p, (ProcessEnd){.exit_code = -1, .signal = sig, .core_dumped = core_dumped});
}

void fake_signal(FakeProcess *p, int sig)
{
        if (!p->alive || sig == 0)
                return;
        ck_assert_uint_lt(p->n_signals, FAKE_SIGNALS_MAX);
        p->signals[p->n_signals++] = sig;
        if (p->manners == FAKE_UNKILLABLE || sig == SIGCONT || sig == SIGCHLD || sig == SIGWINCH ||
            sig == SIGURG)
                return;
        if (sig == SIGKILL)
                fake_die(p, sig, false);
        else if (p->manners == FAKE_IGNORES)
                return;
        else if (p->exits_with >= 0)
                fake_exit(p, p->exits_with);
        else
                fake_die(p, sig, false);
}

unsigned fake_count_signals(const FakeProcess *p, int sig)
{
        unsigned n = 0;

        for (unsigned i = 0; i < p->n_signals; i++)
                n += p->signals[i] == sig;
        return n;
}

bool boot_signal_rest(bool is_pid1, int sig)
{
        bool any = false;

        if (!is_pid1) /* nobody in this world descends from who is not */
                return false;
        fake.n_all_killed += sig == SIGKILL;
        for (size_t i = 0; i < fake_world.n_processes; i++) {
                any |= fake_world.processes[i]->alive || fake_world.processes[i]->zombie;
                if (sig > 0)
                        fake_signal(fake_world.processes[i], sig);
        }
        return any;
}

/* The signal that has stopped it, told once. */
int reaper_stopped(pid_t pid)
{
        FakeProcess *p = fake_process(pid);
        int sig = p ? p->stopped_by : 0;

        if (p)
                p->stopped_by = 0;
        return sig;
}

/* sys/foreground.h: the terminal is which group is in front; reeve's own has the number 1. */

void foreground_open(Foreground *ret)
{
        *ret = FOREGROUND_NULL;
        if (fake.foreground > 0)
                ret->fd = 1000;
}

void foreground_close(Foreground *f)
{
        *f = FOREGROUND_NULL;
}

bool foreground_is(const Foreground *f, pid_t group)
{
        return f->fd >= 0 && fake.foreground == group;
}

bool foreground_is_ours(const Foreground *f)
{
        return foreground_is(f, 1);
}

void foreground_give(const Foreground *f, pid_t group)
{
        if (f->fd >= 0)
                fake.foreground = group;
}

void foreground_take_back(const Foreground *f)
{
        foreground_give(f, 1);
}

bool foreground_stop(int sig)
{
        fake.stopped_by = sig;
        return fake.is_below_a_shell;
}

/* sys/pidref.h */

int pidref_open(pid_t pid, PidRef *ret)
{
        FakeProcess *p = fake_process(pid);

        if (!p || (!p->alive && !p->zombie))
                return -ESRCH;
        *ret = (PidRef){.pid = pid, .fd = eventfd(!p->alive, EFD_CLOEXEC)};
        fd_close(p->pidfd);
        p->pidfd = keep_fd(ret->fd);
        return 0;
}

void pidref_done(PidRef *p)
{
        fd_close(p->fd);
        *p = PIDREF_NULL;
}

int pidref_signal(const PidRef *ref, int sig)
{
        FakeProcess *p = fake_process(ref->pid);

        if (!p || (!p->alive && !p->zombie))
                return -ESRCH;
        fake_signal(p, sig);
        return 0;
}

int pidref_signal_group(const PidRef *ref, int sig)
{
        FakeProcess *leader = fake_process(ref->pid);

        if (!leader || !leader->alive)
                return -ESRCH;
        for (size_t i = 0; i < fake_world.n_processes; i++)
                if (fake_world.processes[i] == leader || fake_world.processes[i]->parent == leader)
                        fake_signal(fake_world.processes[i], sig);
        return 0;
}

/* sys/reaper.h */

bool fake_has_zombies(void)
{
        for (size_t i = 0; i < fake_world.n_processes; i++)
                if (fake_world.processes[i]->zombie)
                        return true;
        return false;
}

int reaper_peek(pid_t pid, ProcessEnd *ret)
{
        bool children = false;

        for (size_t i = 0; i < fake_world.n_processes; i++) {
                const FakeProcess *p = fake_world.processes[i];

                if ((pid > 0 && p->pid != pid) || p->parent || (!p->alive && !p->zombie))
                        continue;
                children = true;
                if (!p->zombie)
                        continue;
                *ret = p->end;
                return 1;
        }
        return children ? 0 : -ECHILD;
}

int reaper_reap(pid_t pid)
{
        FakeProcess *p = fake_process(pid);

        if (!p || !p->zombie)
                return -ECHILD;
        p->zombie = false;
        p->pidfd = fd_close(p->pidfd);
        return 0;
}

/* sys/spawn.h */

static char *own_string(const char *s)
{
        return s ? strdup(s) : NULL;
}

static char *const *own_strv(char *const *v)
{
        size_t n = strv_length(v);
        char **copy = calloc(n + 1, sizeof(char *));

        for (size_t i = 0; i < n; i++)
                copy[i] = strdup(v[i]);
        return copy;
}

int spawn(const SpawnParameters *parameters, PidRef *ret_child, int *ret_status)
{
        Scope *scope = fake_scope_of_fd(parameters->cgroup_fd);
        FakeProcess *p;
        int fds[2];

        if (fake.spawn_error)
                return fake.spawn_error;
        ck_assert_int_ge(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        p = process_new(NULL, fake.late_joiners ? NULL : scope);
        p->joins_late = fake.late_joiners;
        p->late_scope = scope;
        p->status_fd = fds[1];
        for (size_t i = 0; i < ELEMENTSOF(p->fds); i++)
                p->fds[i] = keep_fd(parameters->fds[i]);
        p->parameters = *parameters;
        p->parameters.argv = own_strv(parameters->argv);
        p->parameters.environment = own_strv(parameters->environment);
        p->parameters.search_path = own_string(parameters->search_path);
        p->parameters.working_directory = own_string(parameters->working_directory);
        p->parameters.groups = p->groups;
        ck_assert_uint_le(parameters->n_groups, ELEMENTSOF(p->groups));
        for (size_t i = 0; i < parameters->n_groups; i++)
                p->groups[i] = parameters->groups[i];
        fake.n_spawned++;
        ck_assert_int_eq(pidref_open(p->pid, ret_child), 0);
        *ret_status = fds[0];
        return 0;
}

int spawn_read_status(int status_fd, SpawnFailure *ret)
{
        ssize_t n = read(status_fd, ret, sizeof(*ret));

        if (n < 0)
                return -errno;
        return n > 0;
}

const char *spawn_step_to_string(SpawnStep step)
{
        static const char *const words[_SPAWN_STEP_MAX] = {
#define X(id, word) [SPAWN_##id] = (word),
                        SPAWN_STEPS(X)
#undef X
        };

        return words[step];
}

void fake_exec(FakeProcess *p)
{
        ck_assert_msg(p->status_fd >= 0, "%d is not on its way to exec", (int) p->pid);
        if (p->joins_late)
                p->scope = p->late_scope;
        p->status_fd = fd_close(p->status_fd);
}

void fake_write_failure(FakeProcess *p, SpawnStep step, int error, const char *detail)
{
        SpawnFailure failure = {.step = step, .error = error};

        if (detail)
                strncpy(failure.detail, detail, sizeof(failure.detail) - 1);
        ck_assert_int_eq(write(p->status_fd, &failure, sizeof(failure)), sizeof(failure));
}

void fake_exec_fails(FakeProcess *p, SpawnStep step, int error, const char *detail)
{
        fake_write_failure(p, step, error, detail);
        fake_exit(p, 127);
}
