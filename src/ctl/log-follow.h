#pragma once

/* Job.FollowLog, copied to stdout. */

#include "ctl/log-page.h"

/* Until reeve has closed the pipe, all having been said; CLOSED when nobody reads stdout any more. Says what
 * goes wrong; 0, FAILED or CLOSED. */
int log_follow(Client *c, const char *path, const LogRequest *request, LogFormat f);
