#pragma once

/* KillOnDisconnect: a connection holds a job; when the last connection that does has gone, the job is
 * stopped. */

typedef struct Job Job;
typedef struct Peer Peer;

/* The place for a hold, made before the job is: so that nothing can fail afterwards. */
typedef struct Hold Hold;

Hold *hold_new(Peer *p); /* NULL: no memory */
void hold_set(Hold *h, Job *job);
/* One that was not set. */
Hold *hold_free(Hold *h);

/* The peer goes. */
void hold_release_all(Peer *p);
