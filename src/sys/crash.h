#pragma once

/*
 * What becomes of a fault of our own. SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGTRAP and SIGSYS would end
 * PID 1, and with it everything that runs, at once. Instead it says where it was (addresses that addr2line
 * takes, and the build id), gives what runs the same time as any stop does, reaps meanwhile, and leaves.
 */

#include "basic/macro.h"
#include "basic/time.h"

/* EX_SOFTWARE of sysexits.h: how reeve ends then. */
#define CRASH_EXIT_STATUS 70

/* From here on faults are caught; limit is for all of stopping. To be called by main(), once: what is traced
 * back is what main() called. Nothing is done in a build whose sanitizer has handlers of its own. */
void crash_install(bool is_pid1, usec_t limit);
/* Where the cgroup tree is, as /proc/PID/cgroup has it: who sends such a signal from beside us (init.scope),
 * or from the main job, means it. Not called: nobody within does. */
void crash_set_tree(const char *path);
/* How it goes in the end, in place of _exit(2): as init of a machine it must not. Called from the handler,
 * so it may use nothing but system calls. NULL: _exit(). */
void crash_set_end(void (*end)(int status));
