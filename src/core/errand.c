/*
 * The end of the file is the end of the answer, whoever reaps the process when: so what was written has to
 * say by itself that it is whole.
 */

#include "core/errand.h"

#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "core/job-set.h"
#include "sys/clock.h"

#define PIECE ((size_t) 16 * 1024)

static void over(Errand *w, int r)
{
        _cleanup_(buffer_done) Buffer answer = w->answer;

        w->answer = (Buffer){0};
        errand_stop(w);
        w->done(w, r, answer.data, answer.size);
}

static void on_limit(Timer *t, usec_t now)
{
        over(container_of(t, Errand, limit), -ETIMEDOUT);
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Errand *w = userdata;
        char piece[PIECE];
        ssize_t n;

        n = worker_read(fd, piece, sizeof(piece));
        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                over(w, (int) n);
        else if (w->answer.size + (size_t) n > w->size_max)
                over(w, -EMSGSIZE);
        else
                buffer_append(&w->answer, piece, (size_t) n);
        if (n > 0 && errand_is_busy(w) && w->answer.error < 0)
                over(w, w->answer.error);
        return 0;
}

void errand_init(Errand *w, void (*done)(Errand *w, int r, const void *data, size_t size))
{
        *w = (Errand){.fd = -EBADF, .process = PIDREF_NULL, .done = done};
        timer_init(&w->limit, on_limit);
}

void errand_stop(Errand *w)
{
        if (!errand_is_busy(w))
                return;
        w->source = sd_event_source_disable_unref(w->source);
        w->fd = fd_close(w->fd);
        timer_disarm(w->set->config.timers, &w->limit);
        if (w->process.fd >= 0) /* by its number alone it might be somebody else by now */
                (void) pidref_signal(&w->process, SIGKILL);
        pidref_done(&w->process);
        buffer_done(&w->answer);
        w->answer = (Buffer){0};
}

int errand_start(Errand *w, JobSet *set, const char *name, WorkerFunction *work, void *userdata,
                 usec_t limit, size_t size_max)
{
        int r;

        errand_stop(w);
        w->set = set;
        w->size_max = size_max;
        r = worker_start(name, work, userdata, &w->process, &w->fd);
        if (r < 0)
                return r;
        job_set_expect_child(set, w->process.pid);
        r = sd_event_add_io(set->config.event, &w->source, w->fd, EPOLLIN, on_answer, w);
        if (r < 0) {
                errand_stop(w);
                return r;
        }
        timer_arm(set->config.timers, &w->limit, usec_add(clock_monotonic(), limit));
        return 0;
}
