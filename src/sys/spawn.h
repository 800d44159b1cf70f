#pragma once

/*
 * Starting a process, the parent's half. The child is fork-like (clone3(2) with CLONE_PIDFD |
 * CLONE_INTO_CGROUP; never VFORK: a frozen or throttled scope would stop PID 1 with it); where the kernel or
 * a seccomp filter refuses that, down a ladder: clone(2) with CLONE_PIDFD, the child joining the cgroup by
 * itself; fork(2). What was refused once is not tried again.
 *
 * Everything that the child needs is in SpawnParameters, made ready before: after the clone it calls nothing
 * but what signal-safety(7) allows. How it went comes over a CLOEXEC pipe: nothing and EOF after exec, or
 * one SpawnFailure.
 */

#include <sys/resource.h>
#include <sys/types.h>

#include "basic/macro.h"

typedef struct PidRef PidRef;

/* What the child was at when it failed; the words are those of the StartFailed message. */
#define SPAWN_STEPS(X)                                                                                      \
        X(CLONE, "clone")                                                                                   \
        X(CGROUP, "cgroup")                                                                                 \
        X(SESSION, "setsid")                                                                                \
        X(STDIO, "stdio")                                                                                   \
        X(OOM_SCORE, "oom-score-adjust")                                                                    \
        X(NICE, "nice")                                                                                     \
        X(LIMITS, "limits")                                                                                 \
        X(CAPABILITIES, "capabilities")                                                                     \
        X(GROUP, "group")                                                                                   \
        X(USER, "user")                                                                                     \
        X(NO_NEW_PRIVILEGES, "no-new-privileges")                                                           \
        X(CHDIR, "chdir")                                                                                   \
        X(EXEC, "exec")                                                                                     \
        X(INTERPRETER, "interpreter")

/* clang-format off */
typedef enum SpawnStep {
#define X(id, word) SPAWN_##id,
        SPAWN_STEPS(X)
#undef X
        _SPAWN_STEP_MAX,
} SpawnStep;
/* clang-format on */

const char *spawn_step_to_string(SpawnStep step);

#define SPAWN_PID_SIZE 11 /* of the text of a pid */
#define SPAWN_DETAIL_MAX 256

/* The record on the status pipe; smaller than PIPE_BUF, so written whole or not at all. */
typedef struct SpawnFailure {
        int step;                      /* SpawnStep */
        int error;                     /* positive errno */
        char detail[SPAWN_DETAIL_MAX]; /* LIMITS: the number of the resource, RLIMIT_…; EXEC: the path tried
                                          last; INTERPRETER: the one named after "#!"; NUL-terminated */
} SpawnFailure;

typedef struct SpawnParameters {
        /* argv[0] is looked for in search_path unless it holds a slash; errors as execvp(3)'s, but no shell
         * for ENOEXEC. */
        char *const *argv;
        const char *program; /* in place of argv[0] where that is only what it is told that it is called;
                                NULL */
        char *const *environment;
        char *pid_slot; /* in there: what the child replaces by its own number, at least SPAWN_PID_SIZE bytes
                           with the NUL; NULL: nothing */
        const char *search_path;
        const char *working_directory; /* absolute */

        int fds[3];    /* become 0, 1, 2; each > 2; -EBADF: stays what reeve has (the main job) */
        int cgroup_fd; /* O_RDONLY|O_DIRECTORY of the scope; -EBADF: stays where reeve is */

        bool terminal;   /* fds[0] is a terminal, and becomes the session's */
        bool console;    /* 0 becomes the session's terminal where it is one that no session has */
        bool foreground; /* a process group of its own, else a session */
        int foreground_fd; /* with that: the controlling terminal, to be in front of; -EBADF: none is */
        bool set_umask, set_nice, set_oom_score, set_user, set_group, set_groups, set_capabilities,
                        no_new_privileges;
        mode_t umask;
        int nice;
        int oom_score_adjust;
        uid_t uid;
        gid_t gid;
        const gid_t *groups; /* supplementary; with set_groups */
        size_t n_groups;
        uint64_t capabilities; /* bit n: CAP n stays in the bounding set */
        unsigned limits;       /* bit n: limit[n] is set, n as RLIMIT_… */
        struct rlimit limit[RLIM_NLIMITS];
} SpawnParameters;

/* 0: the child runs towards exec; *ret_status is the read end of the status pipe, non-blocking. Negative
 * errno: there is none. */
int spawn(const SpawnParameters *p, PidRef *ret_child, int *ret_status);

/* Reads the status pipe: 1 and *ret: it failed (its exit status follows and is nobody's); 0: exec succeeded,
 * or it ended before (then the reaper tells); -EAGAIN: not known yet. */
int spawn_read_status(int status_fd, SpawnFailure *ret);

/* The rung of the ladder: "clone3", "clone", "fork". For tests and for the log. */
const char *spawn_method(void);
/* Tests: start at a lower rung. -EINVAL for another word. */
int spawn_set_method(const char *method);
