#pragma once

/*
 * What the tests of src/sys share: starting things by the library's own spawn(), waiting for them with a
 * limit, and places to do it in. Whatever has to change the process itself (its descriptors, its namespaces,
 * its seccomp filter) runs in a forked child: there RIG_CHECK() is the assertion, since Check's own would go
 * on with the next test in the child.
 */

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "../unit/test-main.h"
#include "sys/pidref.h"
#include "sys/reaper.h"
#include "sys/spawn.h"

#define RIG_LIMIT_MSEC 60000 /* of waiting for anything: a limit, not a time that is ever used up */

#define RIG_CHECK(expression)                                                                               \
        do {                                                                                                \
                if (!(expression)) {                                                                        \
                        fprintf(stderr, "%s:%d: %s: not so: %s (errno %d)\n", __FILE__, __LINE__, __func__, \
                                #expression, errno);                                                        \
                        _exit(1);                                                                           \
                }                                                                                           \
        } while (0)

/* The path of the program in probe.c. */
const char *rig_probe(void);
/* A fresh folder below /tmp, removed at exit with all that is in it. */
const char *rig_folder(void);
/* Makes a file in that folder; its path is good until the next call. */
const char *rig_file(const char *name, const char *text, mode_t mode);

/* Nothing changed: stdio and place are ours. */
SpawnParameters rig_parameters(char *const *argv);
/* Starts it and waits until it is known how that went: 0, or the failure's positive errno and
 * *ret_failure. */
int rig_start(const SpawnParameters *p, PidRef *ret_child, SpawnFailure *ret_failure);
/* Starts it with stdout in a pipe, reads all that it writes, reaps it. The output, NUL-terminated and for
 * free(). */
char *rig_output(SpawnParameters *p, size_t *ret_size, ProcessEnd *ret_end);
/* The same of "probe state", which is to succeed. */
char *rig_state(SpawnParameters *p);
/* The rest of the line that starts with "key ", in a static buffer; "" when there is none. */
const char *rig_line(const char *output, const char *key);

/* 1 when fd can be read (or is at its end) within the limit. */
int rig_wait_readable(int fd);
/* Reads to the end of file. For free(). */
char *rig_read_all(int fd, size_t *ret_size);
/* Waits for the end of our own child and reaps it. */
ProcessEnd rig_reap(pid_t pid);
/* Looks again and again, giving the processor away between, until it is so or the limit is up. */
bool rig_eventually(bool (*is_so)(void *), void *data);

/* Under valgrind, which lacks system calls, keeps limits of its own, and answers for execve(2) itself. */
bool rig_is_emulated(void);

/* Runs f in a forked child: its return value, or -1 when it ended by a signal or not at all. */
int rig_in_child(int (*f)(void *), void *data);

/*
 * Runs f in a child that lives in a cgroup of its own below the cgroup2 mount, in namespaces of its own for
 * cgroups, mounts and (with pid1) processes, in which it is 1, with proc mounted. That cgroup is the root of
 * its namespace, mounted at /sys/fs/cgroup; the machine's own is never touched. What is left afterwards is
 * killed and removed. f's return value.
 */
int rig_in_cgroup(bool pid1, int (*f)(void *), void *data);
/* Whether that can be done here: root, and a cgroup2 that can be written. */
bool rig_has_cgroups(void);

/* TEST_MAIN of tests that all need something: 77, skipped, where that is not to be had. */
#define RIG_MAIN_IF(condition, name, ...)                                                                   \
        int main(void)                                                                                      \
        {                                                                                                   \
                const TTest *const tests[] = {__VA_ARGS__};                                                 \
                                                                                                            \
                if (!(condition))                                                                           \
                        return 77;                                                                          \
                return test_run(name, tests, sizeof(tests) / sizeof(tests[0]));                             \
        }
#define RIG_CGROUP_MAIN(name, ...) RIG_MAIN_IF(rig_has_cgroups(), name, __VA_ARGS__)
#define RIG_ROOT_MAIN(name, ...) RIG_MAIN_IF(geteuid() == 0, name, __VA_ARGS__)
