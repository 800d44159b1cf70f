/*
 * Below a shell with job control reeve is what that shell has started, and the main job is not: so when the
 * terminal stops the main job, reeve stops itself, for the shell to have its prompt back, and when reeve is
 * let go on, it lets the main job go on, in front of the terminal if that is where the shell has put reeve.
 * As PID 1, or alone in its session, there is nobody who could continue either: there ^Z stops nothing for
 * long, just as it would not where the command were PID 1 itself.
 */

#include "core/main-job.h"

#include <errno.h>
#include <signal.h>

#include "core/job.h"
#include "core/manager.h"
#include "sys/foreground.h"
#include "sys/reaper.h"

void main_job_prepare(Manager *m)
{
        if (m->jobs.config.main_is_session) /* a machine's console becomes its own */
                return;
        foreground_open(&m->foreground);
        /* Started behind the terminal (with "&", or by a shell's script that is) it stays there. A
         * container's terminal, on the other hand, is nobody else's. */
        m->in_front = m->foreground.fd >= 0 && (m->boot->is_pid1 || foreground_is_ours(&m->foreground));
        m->jobs.foreground_fd = m->in_front ? m->foreground.fd : -EBADF;
}

void main_job_done(Manager *m)
{
        foreground_close(&m->foreground);
}

/* After a stop: in the order that a shell does it in, or it would be stopped again at once. */
static void go_on(Manager *m)
{
        if (foreground_is_ours(&m->foreground)) {
                foreground_give(&m->foreground, m->main_job->pid);
                m->in_front = true;
        }
        if (job_signal_group(m->main_job, SIGCONT) < 0)
                (void) job_signal(m->main_job, true, SIGCONT, NULL, NULL);
}

void main_job_pass_on(Manager *m, int sig)
{
        if (sig == SIGCONT && m->foreground.fd >= 0)
                go_on(m);
        else if (m->signal_group)
                (void) job_signal_group(m->main_job, sig);
        else
                (void) job_signal(m->main_job, true, sig, NULL, NULL);
}

void main_job_check_stopped(Manager *m)
{
        bool was_in_front = m->in_front;
        int sig;

        if (m->foreground.fd < 0 || !m->main_job || job_is_exited(m->main_job))
                return;
        sig = reaper_stopped(m->main_job->pid);
        if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
                return; /* SIGSTOP is an order of somebody's, who may give the next one, too */
        m->in_front = false;
        if (!m->boot->is_pid1 && foreground_stop(sig))
                return; /* the SIGCONT that has let us go on is read next */
        m->in_front = was_in_front;
        if (sig == SIGTSTP && foreground_is(&m->foreground, m->main_job->pid))
                (void) job_signal_group(m->main_job, SIGCONT);
}

void main_job_ended(Manager *m)
{
        if (m->in_front)
                foreground_take_back(&m->foreground);
        m->in_front = false;
}
