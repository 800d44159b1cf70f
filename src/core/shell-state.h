#pragma once

/*
 * What a shell command leaves behind of its directory, umask and environment, and how a session learns of
 * it. Pure: texts in, texts out.
 *
 * The command runs as a script with one line before it: a trap on EXIT, in which the shell runs reeve itself
 * as its child. That child has, by inheritance, just what is to be kept; it connects to a socket of PID 1
 * and says it (sys/shell-report.h). So nothing of it passes the job's output, no descriptor of ours is ever
 * in the shell or its children, and no shell's way of quoting is ever parsed. Where the trap does not run
 * (exec, SIGKILL, a trap of the command's own) nothing is said, and nothing is kept.
 */

#include <sys/types.h>

#include "basic/macro.h"

/* program: of reeve; address: of the socket. NULL of either: the command as it is. NULL: no memory. */
char *shell_state_script(const char *program, const char *address, const char *command);

typedef struct ShellState {
        char *directory;
        mode_t umask;
        char **environment;
} ShellState;

void shell_state_done(ShellState *s);
/* What came over the socket, whole; -EBADMSG. */
int shell_state_parse(const char *report, size_t size, ShellState *ret);

/* What changed from start to end, as env_settle() takes it: NAME=VALUE, or NAME of what is no longer there.
 * The shell's own (PWD, SHLVL, SHELLOPTS, _) is left out, and so are names that are not POSIX's (bash's
 * exported functions). */
int shell_state_changes(char *const *start, char *const *end, char ***ret);
