#pragma once

/*
 * Relay: one stream of the main job, on its way to reeve's own stdout or stderr, where nothing may be lost
 * and nobody but the main job may be held up. It is given what was taken of the job's pipe, a piece at a
 * time, and says when it has room for the next; until then the pipe is not read (core/capture.h), and the
 * job waits in its write(2), as it would without reeve in between.
 */

#include <systemd/sd-event.h>

#include "basic/macro.h"
#include "sys/pidref.h"

typedef struct Relay Relay;
struct Relay {
        const char *name; /* static, for what is said of it */
        PidRef worker;    /* that writes, and may wait (sys/tee.h) */
        int fd;           /* to it; -EBADF: done */
        sd_event_source *source;
        char *rest; /* of RELAY_PIECE_MAX: what of the last piece it was not given yet */
        size_t rest_at, rest_size;
        uint64_t n_given, n_taken; /* bytes; all, and as far as they were written */
        bool ended;
        /* There is room again, or it is done. Called last. */
        void (*ready)(Relay *r, void *userdata);
        void *userdata;
};

#define RELAY_PIECE_MAX ((size_t) 64 * 1024)

/* -EBADF: target is not open for writing. target stays the caller's. */
int relay_new(sd_event *event, int target, const char *name, Relay **ret);
Relay *relay_free(Relay *r); /* returns NULL */

bool relay_has_room(const Relay *r);
/* At most RELAY_PIECE_MAX, and only when it has room. */
void relay_give(Relay *r, const void *data, size_t size);
/* No more comes; what it has is written, for as long as it takes. */
void relay_end(Relay *r);
/* All was written after its end, or no more can be. */
bool relay_is_done(const Relay *r);
