#pragma once

/*
 * The pump: takes a job's output from its pipes, always and at once, into splitter and ring, whoever reads
 * or does not. A turn takes at most CAPTURE_BUDGET bytes, so that one flood does not hold up the rest; a
 * trickle of small writes is let gather for a millisecond. From a terminal it takes as from a pipe, but lets
 * nothing gather: somebody may be typing, and the kernel holds only a few KiB of it.
 */

#include <systemd/sd-event.h>

#include "basic/macro.h"
#include "core/timer.h"
#include "journal/splitter.h"

typedef struct Capture Capture;
typedef struct Relay Relay;
typedef struct Ring Ring;

#define CAPTURE_BUFFER_SIZE ((size_t) 64 * 1024)
#define CAPTURE_BUDGET CAPTURE_BUFFER_SIZE
#define CAPTURE_PAUSE_USEC USEC_PER_MSEC
#define CAPTURE_PIPE_SIZE                                                                                   \
        ((size_t) 1024 * 1024) /* what a fast writer fills in a pause; where that is refused, a quarter */

/* What all captures share. */
typedef struct CaptureHost {
        sd_event *event;
        TimerQueue *timers;
        char *buffer; /* of CAPTURE_BUFFER_SIZE */
        /* Records were added (drained false), or the last pipe was closed (true). Called last: may free the
         * capture. */
        void (*progress)(Capture *c, bool drained);
        /* Within a turn, see Capture.portion. May not end the capture. */
        void (*fed)(Capture *c);
} CaptureHost;

typedef struct CaptureStream {
        Capture *capture;
        int fd;       /* -EBADF: closed, at its end */
        Relay *relay; /* NULL: it goes into the ring alone */
        bool closing; /* nobody is left to write to it */
        size_t left;  /* with that: how much is to be taken still */
        sd_event_source *source;
        usec_t last_read; /* CLOCK_MONOTONIC */
        Splitter splitter;
} CaptureStream;

struct Capture {
        const CaptureHost *host;
        Ring *ring;               /* the job's */
        CaptureStream streams[2]; /* stdout, stderr */
        Timer flush, resume;
        usec_t last_output; /* CLOCK_MONOTONIC; 0: none yet */
        bool enlarged;
        size_t portion; /* fed() is called each time that so many bytes have gone into the ring; 0: never */
        bool terminal;  /* streams[0] is the master of one */
};

void capture_init(Capture *c, const CaptureHost *host, Ring *ring);
void capture_done(Capture *c);
/* As after capture_init(), but that portion stays. */
void capture_renew(Capture *c);

/* Takes the descriptors over; -EBADF for a stream that is not there. 0, or negative errno and then nothing
 * is taken. */
int capture_start(Capture *c, const int fds[static 2]);

/* Before capture_start(): what it is about to get as stdout is the master of a terminal. */
void capture_set_terminal(Capture *c);

/* Before capture_start(): what is taken of that stream (0: stdout, 1: stderr) is to go on there as well; no
 * more is taken than it has room for, and the stream is open until it is done. Taken over. */
void capture_set_relay(Capture *c, size_t stream, Relay *relay);

bool capture_is_open(const Capture *c);

/* Takes what the pipes held when this was called: all that a process wrote that is dead by now. Does not
 * call progress; returns whether the last pipe was closed by it. */
bool capture_take(Capture *c);

/* The writers are gone: takes what is there, closes, lets the last bytes into the ring. Does not call
 * progress. False: there are relays that are not done yet; progress tells when they are. */
bool capture_close(Capture *c);

/* Lets the bytes of unfinished lines into the ring now: somebody is being answered. */
void capture_flush(Capture *c);

/* Bytes of output taken that wait for the rest of their line. */
uint64_t capture_held(const Capture *c);
