#pragma once

/*
 * A follower: one reader of a job's log, at its own pace, over a pipe. It is a place in the ring, a format,
 * and what of that did not fit into the pipe yet; what it has not taken when the ring overwrites it is
 * counted and said. A reader that does not read costs its pipe. It ends after the entry that says how the
 * job ended, and when the reader closes the pipe.
 */

#include <systemd/sd-event.h>

#include "basic/buffer.h"
#include "basic/list.h"
#include "core/job.h"
#include "core/timer.h"
#include "journal/cursor.h"
#include "journal/filter.h"
#include "journal/format.h"

typedef struct Error Error;
typedef struct Followers Followers;

#define FOLLOWERS_MAX 4096U

/* All of them. */
struct Followers {
        sd_event *event;
        TimerQueue *timers;
        List all; /* Follower.link */
        unsigned n;
        bool closing; /* no more output will come of any job: reeve goes */
        Timer retry;  /* for want of memory */
        /* One is gone; while closing: one has written something. May be NULL. */
        void (*gone)(Followers *set);
        void (*progress)(Followers *set);
        void *userdata;
};

typedef struct Follower {
        List link;     /* Followers.all */
        List by_owner; /* of who asked for it, for as long as he is there */
        Followers *set;
        JobWatch watch;
        Job *job; /* NULL: its record is gone, rest is all there is */
        LogFormat format;
        LogFilter filter;
        RingPosition position; /* up to which it was formatted */
        int fd;
        sd_event_source *source;
        bool wants; /* to write, as soon as the pipe takes something */
        Buffer rest;
        size_t written; /* of rest */
        bool ended;     /* rest ends with the last that there is to say */
} Follower;

typedef struct FollowRequest {
        const char *cursor; /* as of job_parse_cursor() */
        LogFormat format;
        LogFilter filter;
        uint64_t lines; /* the newest; UINT64_MAX: all */
} FollowRequest;

void followers_init(Followers *set, sd_event *event, TimerQueue *timers);
/* Ends all of them. */
void followers_done(Followers *set);
/* Nothing more will come: each gets what is held, and the end. */
void followers_finish(Followers *set);

/* The new one is put into `owner`; who goes before it, takes it out. *ret_fd is the end to read. -EDQUOT,
 * -EBADMSG (the cursor), -ENOMEM, with e set. */
int follower_new(Followers *set, Job *job, const FollowRequest *request, List *owner, int *ret_fd, Error *e);
