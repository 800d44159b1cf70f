/* Sockets of the fake: who listens on what, and which process holds how many other descriptors beside. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "fake-internal.h"
#include "sys/netlisten.h"
#include "sys/socket-walk.h"

static void hold(FakeHolding h)
{
        ck_assert_uint_lt(fake_world.n_holdings, ELEMENTSOF(fake_world.holdings));
        fake_world.holdings[fake_world.n_holdings++] = h;
}

uint64_t fake_listen(FakeProcess *p, uint16_t port)
{
        hold((FakeHolding){.pid = p ? p->pid : 1, .inode = ++fake_world.last_inode, .n = 1, .port = port});
        return fake_world.last_inode;
}

void fake_hold_socket(FakeProcess *p, uint64_t inode)
{
        hold((FakeHolding){.pid = p->pid, .inode = inode, .n = 1});
}

void fake_hold_files(FakeProcess *p, unsigned n)
{
        hold((FakeHolding){.pid = p->pid, .n = n});
}

int netlisten_read(uint16_t port, NetListener **ret, size_t *ret_n)
{
        _cleanup_free_ NetListener *found = alloc_array(NetListener, fake_world.n_holdings + 1);
        size_t n = 0;

        fake.n_net_looks++;
        fake.net_port = port;
        if (!found)
                return -ENOMEM;
        if (fake.net_error)
                return fake.net_error;
        for (unsigned i = 0; i < fake_world.n_holdings; i++)
                if (fake_world.holdings[i].port != 0 && (port == 0 || port == fake_world.holdings[i].port))
                        found[n++] = (NetListener){.inode = fake_world.holdings[i].inode,
                                                   .port = fake_world.holdings[i].port};
        *ret = TAKE_PTR(found);
        *ret_n = n;
        return 0;
}

const NetListener *netlisten_find(const NetListener *listeners, size_t n, uint64_t inode)
{
        for (size_t i = 0; i < n; i++)
                if (listeners[i].inode == inode)
                        return &listeners[i];
        return NULL;
}

int socket_walk_start(SocketWalk *w, const Scope *scope)
{
        SocketWalk walk = SOCKET_WALK_NULL;
        int r;

        r = scope_pids(scope, &walk.pids, &walk.n_pids);
        if (r < 0)
                return r;
        fake.n_walks++;
        *w = walk;
        return 0;
}

/* The folder is a count of what was looked at in it, and one. */
int socket_walk_step(SocketWalk *w, uint64_t *ret_inode)
{
        uintptr_t at = (uintptr_t) w->folder;

        fake.n_walk_steps++;
        fake_clock_advance(fake.walk_step_usec);
        if (fake.walk_error)
                return fake.walk_error;
        if (at == 0) {
                if (w->next == w->n_pids)
                        return -ENODATA;
                w->next++;
                w->folder = (void *) (uintptr_t) 1;
                return 0;
        }
        w->folder = (void *) (at + 1);
        at--;
        for (unsigned i = 0; i < fake_world.n_holdings; i++) {
                const FakeHolding *h = &fake_world.holdings[i];

                if (h->pid != w->pids[w->next - 1])
                        continue;
                if (at >= h->n) {
                        at -= h->n;
                        continue;
                }
                if (h->inode == 0)
                        return 0;
                *ret_inode = h->inode;
                return 1;
        }
        w->folder = NULL;
        return 0;
}

void socket_walk_done(SocketWalk *w)
{
        free(w->pids);
        *w = SOCKET_WALK_NULL;
}
