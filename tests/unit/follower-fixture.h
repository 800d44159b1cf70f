#pragma once

/* Followers of jobs in the world of fake-world.h, and what can be said of all that comes out of their pipes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "core/error.h"
#include "core/follower.h"
#include "core/job.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;
static Followers set;
static List owner;
static unsigned n_gone;

static void on_gone(Followers *s)
{
        ck_assert_ptr_eq(s, &set);
        n_gone++;
}

static inline void begin(void)
{
        world_init(&w);
        followers_init(&set, w.event, &w.timers);
        set.gone = on_gone;
        n_gone = 0;
        list_init(&owner);
}

static inline void end(void)
{
        followers_done(&set);
        ck_assert(list_is_empty(&owner));
        world_done(&w);
}

static inline int follow(Job *job, LogFormat format, const char *cursor, uint64_t lines)
{
        const FollowRequest request = {
                        .cursor = cursor,
                        .format = format,
                        .filter.streams = STREAM_MASK_ALL,
                        .lines = lines,
        };
        Error e = ERROR_NULL;
        int fd = -EBADF;

        ck_assert_msg(follower_new(&set, job, &request, &owner, &fd, &e) == 0, "%s", e.message);
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0); /* for this test, which never waits */
        return fd;
}

static inline Follower *newest(void)
{
        ck_assert(!list_is_empty(&set.all));
        return container_of(set.all.prev, Follower, link);
}

/* All that comes, the loop going on, until the end of the file (closes, *fd is -EBADF) or until nothing more
 * does. Appended to a buffer. */
static inline void take(int *fd, Buffer *b)
{
        char data[4096];
        ssize_t n;

        for (;;) {
                world_settle(&w);
                n = read(*fd, data, sizeof(data));
                if (n < 0) {
                        ck_assert_int_eq(errno, EAGAIN);
                        return;
                }
                if (n == 0) {
                        *fd = fd_close(*fd);
                        return;
                }
                buffer_append(b, data, (size_t) n);
        }
}

static inline void check_taken(int *fd, const char *expected)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;

        take(fd, &b);
        text = buffer_take(&b, NULL);
        ck_assert_str_eq(text, expected);
}

/* Lines "000000001\n" and so on, as fast as the ring takes them. */
static inline void flood(Job *job, unsigned from, unsigned to)
{
        for (unsigned i = from; i < to; i++) {
                char line[16];

                snprintf(line, sizeof(line), "%09u\n", i);
                fake_print(leader_of(job), 1, line);
                if (i % 512 == 0)
                        world_pass(&w, 2 * USEC_PER_MSEC);
        }
        world_pass(&w, 2 * USEC_PER_MSEC);
}

/* The value of a field of an export entry that starts at `entry`; 0 where it is not. */
static inline unsigned long field(const char *entry, const char *name)
{
        const char *end = strstr(entry, "\n\n"), *found = strstr(entry, name);

        return found && found < end ? strtoul(found + strlen(name), NULL, 10) : 0;
}

/* An export stream, complete: every line from `from` to `to` is there once, in order, or was counted as
 * lost, just there; and the end is said, once. How many losses there were. */
static inline unsigned check_complete(const char *text, unsigned from, unsigned to)
{
        unsigned next = from, n_losses = 0, n_ends = 0;

        for (const char *p = text; *p; p = strstr(p, "\n\n") + 2) {
                ck_assert_ptr_nonnull(strstr(p, "\n\n"));
                ck_assert_uint_eq(n_ends, 0);
                if (field(p, "REEVE_LOST_RECORDS=") > 0) {
                        ck_assert_uint_eq(field(p, "REEVE_LOST_BYTES="),
                                          field(p, "REEVE_LOST_RECORDS=") * 10);
                        next += field(p, "REEVE_LOST_RECORDS=");
                        n_losses++;
                } else if (strstr(p, "REEVE_EVENT=end") &&
                           strstr(p, "REEVE_EVENT=end") < strstr(p, "\n\n")) {
                        n_ends++;
                } else {
                        ck_assert_uint_eq(field(p, "\nMESSAGE="), next);
                        next++;
                }
        }
        ck_assert_uint_eq(next, to);
        ck_assert_uint_eq(n_ends, 1);
        return n_losses;
}
