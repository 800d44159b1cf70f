#pragma once

/*
 * The child's end of core/shell-state.h: the process that a shell runs in its EXIT trap says what it has
 * inherited from the shell. On the wire, fields that each end in a NUL, in any order but for the last:
 *
 *      u0022                   umask, octal
 *      d/srv/work              working directory
 *      eNAME=VALUE             one of the environment; any number
 *      .                       the end: what does not end so was cut off
 */

/* Connects to address ("unix:abstract=…"), says it, and waits until it was taken, for a time. pwd, oldpwd:
 * the shell's variables, which it may not have exported; "" for one that it does not have. Negative errno.
 */
int shell_report_send(const char *address, const char *pwd, const char *oldpwd);
