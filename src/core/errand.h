#pragma once

/* Waits for what a worker process (sys/worker.h) answers, with a bound on its size and a limit of time. */

#include <systemd/sd-event.h>

#include "basic/buffer.h"
#include "core/timer.h"
#include "sys/pidref.h"
#include "sys/worker.h"

typedef struct JobSet JobSet;
typedef struct Errand Errand;
struct Errand {
        JobSet *set;
        PidRef process;
        int fd; /* -EBADF: none is under way */
        sd_event_source *source;
        Timer limit;
        size_t size_max;
        Buffer answer;
        /* Once, when it is over: data as it was written, whole or cut off (the format has to tell); r:
         * -ETIMEDOUT, -EMSGSIZE, or another negative errno when nothing can be said. The worker may be
         * started again in it. */
        void (*done)(Errand *w, int r, const void *data, size_t size);
};

void errand_init(Errand *w, void (*done)(Errand *w, int r, const void *data, size_t size));
/* Nobody is told any more. */
void errand_stop(Errand *w);
static inline bool errand_is_busy(const Errand *w)
{
        return w->fd >= 0;
}
int errand_start(Errand *w, JobSet *set, const char *name, WorkerFunction *work, void *userdata,
                 usec_t limit, size_t size_max);
