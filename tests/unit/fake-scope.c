/* Scopes of the fake: who is a member says the table of processes, and emptiness is told over an eventfd. */

#include "fake-sys.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "fake-internal.h"
#include "sys/cgroup.h"

/* Of a slice: of all scopes in it. */
static bool is_member(const FakeProcess *p, const Scope *s)
{
        const char *below;

        if (!p->alive || !p->scope)
                return false;
        below = s->is_slice && !s->is_group ? startswith(p->scope->path, s->path) : NULL;
        return p->scope == s || (below && *below == '/');
}

#define FOREACH_MEMBER(s, p)                                                                                \
        for (size_t p##_i = 0; p##_i < fake_world.n_processes; p##_i++)                                     \
                for (FakeProcess *p = fake_world.processes[p##_i]; p && is_member(p, (s)); p = NULL)

unsigned fake_scope_count(const Scope *s)
{
        unsigned n = 0;

        FOREACH_MEMBER(s, p)
        n++;
        return n;
}

static Scope *scope_of_path(const char *path)
{
        Scope *s = fake_world.scopes;

        while (s && (s->removed || s->is_group || !streq(s->path, path)))
                s = s->next;
        return s;
}

static int make(const CgroupTree *tree, const char *path, bool is_slice, Scope **ret)
{
        _cleanup_(scope_freep) Scope *s = NULL;
        Scope *old;

        if (fake.scope_new_error)
                return fake.scope_new_error;
        s = alloc_new(Scope);
        if (!s)
                return -ENOMEM;
        *s = (Scope){
                        .next = fake_world.scopes,
                        .is_group = tree->fd < 0,
                        .is_slice = is_slice,
                        .removed = true,
                        .folder_fd = -EBADF,
                        .watch = -1,
                        .usage = SCOPE_USAGE_UNKNOWN,
        };
        fake_world.scopes = s;
        fake.n_scopes += !is_slice;
        fake.n_slices += is_slice;
        s->path = str_copy(s->is_group ? "" : path);
        if (!s->path)
                return -ENOMEM;
        old = scope_of_path(s->path);
        if (old && fake_scope_count(old) > 0)
                return -EBUSY;
        if (old)
                old->removed = true;
        s->removed = false;
        *ret = TAKE_PTR(s);
        return 0;
}

int scope_new(const CgroupTree *tree, const char *slice, const char *name, Scope **ret)
{
        char path[512];
        int r = -EBUSY;

        for (unsigned number = 1; r == -EBUSY && number <= 16; number++) {
                (void) snprintf(path, sizeof(path), "/%s/%s%s%.0u.scope", slice, name, number > 1 ? "~" : "",
                                number > 1 ? number : 0);
                r = make(tree, path, false, ret);
        }
        return r;
}

int scope_new_slice(const CgroupTree *tree, const char *session, Scope **ret)
{
        char path[512];
        int r = -EBUSY;

        for (unsigned number = 1; r == -EBUSY; number++) {
                (void) snprintf(path, sizeof(path), "/%s%s%.0u.slice", session, number > 1 ? "~" : "",
                                number > 1 ? number : 0);
                r = make(tree, path, true, ret);
        }
        return r;
}

const char *scope_folder(const Scope *s)
{
        return s->is_group ? "" : s->path + 1;
}

Scope *scope_free(Scope *s)
{
        Scope **place = &fake_world.scopes;

        if (!s)
                return NULL;
        if (s->path && scope_remove(s) < 0)
                fake.n_folders_left++;
        while (*place != s)
                place = &(*place)->next;
        *place = s->next;
        /* Who still lives in it is in a cgroup that nobody knows any more. */
        for (size_t i = 0; i < fake_world.n_processes; i++) {
                FakeProcess *p = fake_world.processes[i];

                p->scope = p->scope == s ? NULL : p->scope;
                p->late_scope = p->late_scope == s ? NULL : p->late_scope;
        }
        fake.n_scopes -= !s->is_slice;
        fake.n_slices -= s->is_slice;
        free(s->path);
        free(s);
        return NULL;
}

int scope_open_fd(const Scope *s)
{
        if (s->is_group)
                return -EBADF;
        if (fake.scope_fd_error)
                return fake.scope_fd_error;
        return ((Scope *) s)->folder_fd = eventfd(0, EFD_CLOEXEC);
}

Scope *fake_scope_of_fd(int cgroup_fd)
{
        Scope *s = fake_world.scopes;

        while (s && (cgroup_fd < 0 || s->folder_fd != cgroup_fd))
                s = s->next;
        return s;
}

int scope_id(const Scope *s, uint64_t *ret)
{
        if (s->is_group)
                return -EOPNOTSUPP;
        *ret = (uint64_t) (uintptr_t) s;
        return 0;
}

void scope_set_leader(Scope *s, pid_t leader)
{
        s->leader = leader;
        s->folder_fd = -EBADF; /* soon closed, and the number somebody else's */
        if (s->is_group)
                fake_process(leader)->scope = s;
}

const char *scope_path(const Scope *s)
{
        return s->path;
}

bool scope_has_path(const Scope *s, const char *cgroup_path)
{
        return !s->is_group && streq(s->path, cgroup_path);
}

int scope_is_populated(const Scope *s)
{
        if (fake.scope_populated_error)
                return fake.scope_populated_error;
        return fake_scope_count(s) > 0;
}

static void notice(const Scope *s)
{
        ck_assert_uint_lt(fake_world.n_notices, ELEMENTSOF(fake_world.notices));
        fake_world.notices[fake_world.n_notices++] = s->watch;
        ck_assert_int_eq(eventfd_write(fake_world.watch_fd, 1), 0);
}

/* Also one in a slice that is. */
int scope_is_frozen(const Scope *s)
{
        for (const Scope *other = fake_world.scopes; other; other = other->next)
                if (other->frozen && !other->removed && startswith(s->path, other->path))
                        return 1;
        return s->frozen;
}

int scope_freeze(Scope *s, bool frozen)
{
        if (s->is_group)
                return -EOPNOTSUPP;
        if (frozen && fake.freezer_is_slow)
                return 0;
        s->frozen = frozen;
        for (Scope *other = fake_world.scopes; other; other = other->next)
                if (other->watch >= 0 && (other == s || startswith(other->path, s->path)))
                        notice(other);
        return 0;
}

static int pids_of(const Scope *s, pid_t **ret, size_t *ret_n)
{
        size_t n = 0;
        pid_t *pids = alloc_array(pid_t, fake_scope_count(s) + 1);

        if (!pids)
                return -ENOMEM;
        FOREACH_MEMBER(s, p)
        pids[n++] = p->pid;
        *ret = pids;
        *ret_n = n;
        return 0;
}

int scope_pids(const Scope *s, pid_t **ret, size_t *ret_n)
{
        return pids_of(s, ret, ret_n);
}

int scope_signal(Scope *s, int sig, pid_t **ret, size_t *ret_n)
{
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        s->n_signals++;
        r = pids_of(s, &pids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                fake_signal(fake_process(pids[i]), sig);
        if (ret)
                *ret = TAKE_PTR(pids);
        if (ret_n)
                *ret_n = n;
        return 0;
}

int scope_kill(Scope *s)
{
        s->n_kills++;
        FOREACH_MEMBER(s, p)
        fake_signal(p, SIGKILL);
        return 0;
}

int scope_remove(Scope *s)
{
        if (s->removed || s->is_group)
                return 0;
        if (fake.scope_busy > 0) {
                fake.scope_busy--;
                return -EBUSY;
        }
        if (fake_scope_count(s) > 0)
                return -EBUSY;
        s->removed = true;
        return 0;
}

void scope_usage(const Scope *s, ScopeUsage *ret)
{
        *ret = s->usage;
        ret->tasks_current = 0;
        for (size_t i = 0; i < fake_world.n_processes; i++) {
                const FakeProcess *p = fake_world.processes[i];

                ret->tasks_current +=
                                p->scope == s && (p->alive || p->zombie); /* the dead count until reaped */
        }
}

/* Watching */

int scope_watch_open(void)
{
        if (fake.scope_watch_open_error)
                return fake.scope_watch_open_error;
        fake_world.watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return fake_world.watch_fd;
}

int scope_watch_add(int watch_fd, const Scope *s, int *ret_watch)
{
        ck_assert_int_eq(watch_fd, fake_world.watch_fd);
        if (s->is_group)
                return -EOPNOTSUPP;
        if (fake.scope_watch_add_error)
                return fake.scope_watch_add_error;
        ck_assert_msg(s->watch < 0, "%s is watched already", s->path);
        if (fake.ends_before_watch)
                fake_exit(fake.ends_before_watch, 0);
        fake.ends_before_watch = NULL;
        *ret_watch = ((Scope *) s)->watch = ++fake_world.last_watch;
        fake.n_watches++;
        return 0;
}

void scope_watch_remove(int watch_fd, int watch)
{
        for (Scope *s = fake_world.scopes; s; s = s->next)
                if (s->watch == watch) {
                        s->watch = -1;
                        fake.n_watches--;
                        return;
                }
        ck_abort_msg("there is no watch %d", watch);
}

void fake_scope_changed(Scope *s)
{
        if (s->watch >= 0 && fake_scope_count(s) == 0)
                notice(s);
}

int scope_watch_read(int watch_fd, int *watches, size_t max)
{
        unsigned n = (unsigned) MIN((size_t) fake_world.n_notices, max);
        eventfd_t count;

        memcpy(watches, fake_world.notices, n * sizeof(int));
        fake_world.n_notices -= n;
        memmove(fake_world.notices, fake_world.notices + n, fake_world.n_notices * sizeof(int));
        if (fake_world.n_notices == 0)
                (void) eventfd_read(watch_fd, &count);
        if (fake.scope_watch_overflow) {
                fake.scope_watch_overflow = false;
                return -EOVERFLOW;
        }
        return (int) n;
}

/* sys/cgroup.h */

int cgroup_of_pid(pid_t pid, char **ret)
{
        const FakeProcess *p = fake_process(pid);

        if (!p || (!p->alive && !p->zombie))
                return -ESRCH;
        *ret = str_copy(p->scope ? p->scope->path : "/init.scope");
        return *ret ? 0 : -ENOMEM;
}
