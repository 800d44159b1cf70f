/*
 * What a property asks is answered at once, so the look is bounded by what PID 1 may spend on it. Nothing
 * of the job is looked at where nothing listens at all. The list of what listens is kept until the next
 * look: it is the same for all jobs, and one of them can make it long.
 */

#include "core/job-ports.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "core/job-set.h"
#include "core/job.h"
#include "sys/netlisten.h"
#include "sys/socket-walk.h"

static int compare(const void *a, const void *b)
{
        return (int) *(const uint16_t *) a - (int) *(const uint16_t *) b;
}

static size_t sort_unique(uint16_t *ports, size_t n)
{
        size_t kept = 0;

        if (n > 0)
                qsort(ports, n, sizeof(ports[0]), compare);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || ports[kept - 1] != ports[i])
                        ports[kept++] = ports[i];
        return kept;
}

void port_look_done(PortLook *l)
{
        free(l->listeners);
        *l = PORT_LOOK_NULL;
}

static PortLook *look_of_now(JobSet *set)
{
        PortLook *l = &set->ports;
        uint64_t iteration = 0;

        if (sd_event_get_iteration(set->config.event, &iteration) >= 0 && iteration == l->iteration)
                return l;
        port_look_done(l);
        l->iteration = iteration;
        l->links = JOB_PORTS_LINKS;
        l->error = netlisten_read(0, &l->listeners, &l->n);
        if (l->error == -ENOMEM) /* there may be some for the next one */
                l->iteration = UINT64_MAX;
        return l;
}

/* Marks those of the listeners that the job holds, until all of them are. */
static int find_held(const Job *job, PortLook *look, bool *held)
{
        const NetListener *listeners = look->listeners;
        unsigned *budget = &look->links;
        size_t n = look->n, left = n;
        SocketWalk walk;
        int r;

        r = socket_walk_start(&walk, job->scope);
        if (r < 0)
                return r;
        for (; *budget > 0 && left > 0; (*budget)--) {
                const NetListener *l;
                uint64_t inode;

                r = socket_walk_step(&walk, &inode);
                if (r < 0)
                        break;
                l = r == 1 ? netlisten_find(listeners, n, inode) : NULL;
                if (l && !held[l - listeners]) {
                        held[l - listeners] = true;
                        left--;
                }
        }
        socket_walk_done(&walk);
        return r < 0 && r != -ENODATA ? r : 0;
}

int job_listening_ports(const Job *job, uint16_t **ret, size_t *ret_n)
{
        _cleanup_free_ uint16_t *ports = NULL;
        _cleanup_free_ bool *held = NULL;
        PortLook *look = job->scope ? look_of_now(job->set) : NULL;
        size_t n_ports = 0;
        int r;

        if (look && look->error < 0)
                return look->error;
        if (!look || look->n == 0 || look->links == 0) {
                *ret = NULL;
                *ret_n = 0;
                return 0;
        }
        ports = alloc_zero(look->n * sizeof(uint16_t));
        held = alloc_zero(look->n);
        if (!ports || !held)
                return -ENOMEM;
        r = find_held(job, look, held);
        if (r < 0)
                return r;
        for (size_t i = 0; i < look->n; i++)
                if (held[i])
                        ports[n_ports++] = look->listeners[i].port;
        *ret_n = sort_unique(ports, n_ports);
        *ret = TAKE_PTR(ports);
        return 0;
}
