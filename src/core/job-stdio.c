/*
 * One way for each stream: nothing, a pipe of ours, a terminal of ours for all three, or a descriptor of the
 * caller's, which goes to the job as it is. The job's ends are closed here as soon as it has them: or there
 * would be no end of its output, and nobody would ever be told that its input is not read any more.
 */

#include "core/job-stdio.h"

#include <errno.h>

#include "basic/errno-name.h"
#include "basic/fd.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/job-start.h"
#include "core/job.h"
#include "core/relay.h"
#include "core/tee.h"
#include "sys/pty.h"
#include "sys/stdio.h"

#define TTY_ROWS_DEFAULT 24U
#define TTY_COLUMNS_DEFAULT 80U

void job_stdio_done(JobStdio *s)
{
        for (size_t i = 0; i < ELEMENTSOF(s->owned); i++)
                fd_close(s->owned[i]);
        for (size_t i = 0; i < ELEMENTSOF(s->captured); i++)
                fd_close(s->captured[i]);
        *s = JOB_STDIO_NULL;
}

/* Best effort: without CAP_CHOWN the job writes all the same, only not by that name. */
static void give(int fd, uid_t owner)
{
        if (owner != (uid_t) -1)
                (void) stdio_give(fd, owner);
}

static int open_terminal(Job *job, uid_t owner, JobStdio *s, Error *e)
{
        const ExecSpec *spec = &job->spec;
        unsigned rows = spec->tty_rows > 0 ? (unsigned) spec->tty_rows : TTY_ROWS_DEFAULT,
                 columns = spec->tty_columns > 0 ? (unsigned) spec->tty_columns : TTY_COLUMNS_DEFAULT;
        const char *what = "";
        int master, slave, r;

        r = pty_open(rows, columns, &master, &slave, &what);
        if (r == -ENOENT || r == -ENODEV || r == -ENXIO || r == -ENOTTY || r == -EPERM || r == -EACCES)
                return error_set(e, ERROR_NOT_SUPPORTED,
                                 "TTY: there are no terminals to be had here: %s: %s (%s); is devpts "
                                 "mounted on /dev/pts?",
                                 what, errno_text(r), errno_name(r));
        if (r == -ENOSPC)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "TTY: the kernel has no terminal left (kernel.pty.max, max= of devpts)");
        if (r < 0)
                return job_start_failed(e, "stdio", r);
        if (owner != (uid_t) -1)
                (void) pty_give(slave, owner); /* best effort, as for pipes */
        s->terminal = true;
        for (size_t i = 0; i < ELEMENTSOF(s->child); i++)
                s->child[i] = slave;
        s->captured[0] = fd_dup(master);
        input_set_tty(&job->input, master, slave);
        return s->captured[0] < 0 ? job_start_failed(e, "stdio", s->captured[0]) : 0;
}

static int open_input(Job *job, uid_t owner, JobStdio *s)
{
        const ExecSpec *spec = &job->spec;
        int fds[2], r;

        if (spec->fds[0] >= 0) {
                s->child[0] = spec->fds[0];
                return 0;
        }
        switch (spec->input) {
        case EXEC_INPUT_DATA:
                r = s->child[0] = s->owned[0] = stdio_data(spec->input_data, spec->input_size);
                return MIN(r, 0);
        case EXEC_INPUT_PIPE:
                r = stdio_input_pipe(fds);
                if (r < 0)
                        return r;
                give(fds[1], owner);
                s->child[0] = s->owned[0] = fds[1];
                input_set_pipe(&job->input, fds[0]);
                return 0;
        default: s->child[0] = job->set->null_fd; return 0;
        }
}

static int open_output(Job *job, size_t i, uid_t owner, JobStdio *s, Error *e)
{
        const ExecSpec *spec = &job->spec;
        int fds[2], r;

        if (spec->fds[1 + i] >= 0 && spec->tee) {
                r = tee_new(job, i == 0 ? STREAM_STDOUT : STREAM_STDERR, spec->fds[1 + i], &job->tees[i]);
                if (r == -EBADF)
                        return error_set(e, ERROR_INVALID_ARGS, "%s: is not open for writing",
                                         settings[i == 0 ? SETTING_STANDARD_OUTPUT_FD
                                                         : SETTING_STANDARD_ERROR_FD]
                                                         .name);
                if (r < 0)
                        return job_start_failed(e, "tee", r);
        } else if (spec->fds[1 + i] >= 0) {
                s->child[1 + i] = spec->fds[1 + i];
                return 0;
        }
        r = stdio_output_pipe(fds);
        if (r < 0)
                return job_start_failed(e, "stdio", r);
        give(fds[1], owner);
        s->captured[i] = fds[0];
        s->child[1 + i] = s->owned[1 + i] = fds[1];
        return 0;
}

/* What the main job writes is kept, and goes on to where reeve itself writes. Where both streams go to the
 * same file they are one pipe: or their order would be lost. */
static int open_relays(Job *job, JobStdio *s, Error *e)
{
        static const char *const names[] = {"stdout", "stderr"};
        bool one = stdio_same_file(1, 2);

        for (size_t i = 0; i < (one ? 1 : 2); i++) {
                Relay *relay;
                int fds[2], r;

                r = relay_new(job->set->config.event, 1 + (int) i, names[i], &relay);
                if (r == -EBADF) /* not to be written to: that is for the job to find out */
                        continue;
                if (r < 0)
                        return job_start_failed(e, "tee", r);
                capture_set_relay(&job->capture, i, relay);
                job_set_expect_child(job->set, relay->worker.pid);
                r = stdio_output_pipe(fds);
                if (r < 0)
                        return job_start_failed(e, "stdio", r);
                s->captured[i] = fds[0];
                s->child[1 + i] = s->owned[1 + i] = fds[1];
        }
        if (one)
                s->child[2] = s->child[1];
        return 0;
}

int job_stdio_open(Job *job, uid_t owner, JobStdio *ret, Error *e)
{
        const ExecSpec *spec = &job->spec;
        int r;

        *ret = JOB_STDIO_NULL;
        if (spec->input == EXEC_INPUT_INHERIT)
                return spec->capture ? open_relays(job, ret, e) : 0;
        if (spec->tty)
                return open_terminal(job, owner, ret, e);
        r = open_input(job, owner, ret);
        if (r < 0)
                return job_start_failed(e, "stdio", r);
        r = open_output(job, 0, owner, ret, e);
        if (r >= 0 && !spec->merge_output)
                r = open_output(job, 1, owner, ret, e);
        if (r >= 0 && spec->merge_output)
                ret->child[2] = ret->child[1];
        return r;
}
