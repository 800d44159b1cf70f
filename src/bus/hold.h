#pragma once

/* KillOnDisconnect and KillOnCancel: a connection holds a job, for good or until a call of it is answered;
 * when the last connection that does has gone, the job is stopped. */

typedef struct Job Job;
typedef struct Peer Peer;

/* The place for a hold, made before the job is: so that nothing can fail afterwards. */
typedef struct Hold Hold;

/* It ends by itself, with the job or with the peer: *slot, which outlives it or is let go, is NULL then.
 * 0 or -ENOMEM. */
int hold_new(Peer *p, Hold **slot);
/* From now on it holds that job. */
void hold_set(Hold *h, Job *job);
/* Nobody looks after it any more: it goes on without its slot. NULL: nothing. */
void hold_let_go(Hold *h);
/* It ends, and the job goes on. NULL: nothing. */
void hold_end(Hold *h);

/* The peer goes. */
void hold_release_all(Peer *p);
