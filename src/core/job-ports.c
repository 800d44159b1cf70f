/*
 * What a property asks is answered at once, so the look is bounded by what PID 1 may spend on it. Nothing
 * of the job is looked at where nothing listens at all.
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

/* What may be looked at yet: an answer is made in one iteration. */
static unsigned *links_left(JobSet *set)
{
        uint64_t iteration = 0;

        if (sd_event_get_iteration(set->config.event, &iteration) < 0 || iteration != set->ports_iteration) {
                set->ports_iteration = iteration;
                set->ports_links = JOB_PORTS_LINKS;
        }
        return &set->ports_links;
}

/* Marks those of the listeners that the job holds, until all of them are. */
static int find_held(const Job *job, const NetListener *listeners, size_t n, bool *held)
{
        unsigned *budget = links_left(job->set);
        SocketWalk walk;
        size_t left = n;
        int r;

        if (*budget == 0)
                return 0;
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
        _cleanup_free_ NetListener *listeners = NULL;
        _cleanup_free_ uint16_t *ports = NULL;
        _cleanup_free_ bool *held = NULL;
        size_t n = 0, n_ports = 0;
        int r;

        if (!job->scope) {
                *ret = NULL;
                *ret_n = 0;
                return 0;
        }
        r = netlisten_read(0, &listeners, &n);
        if (r < 0)
                return r;
        ports = alloc_zero((n + 1) * sizeof(uint16_t));
        held = alloc_zero(n + 1);
        if (!ports || !held)
                return -ENOMEM;
        r = n > 0 ? find_held(job, listeners, n, held) : 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (held[i])
                        ports[n_ports++] = listeners[i].port;
        *ret_n = sort_unique(ports, n_ports);
        *ret = TAKE_PTR(ports);
        return 0;
}
