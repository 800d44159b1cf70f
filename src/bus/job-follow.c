/*
 * The door to core/follower.h. A follower counts against the connection that asked for it while that lives,
 * and against all of them for as long as the pipe is open: it may have been handed on.
 */

#include "bus/job-follow.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/job-log.h"
#include "bus/peer.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/follower.h"
#include "core/manager.h"

#define REPLY_SIZE 128U

static int read_format(const char *name, LogFormat *ret, Error *e)
{
        int format = name ? log_format_from_string(name) : LOG_FORMAT_RAW;

        if (format < 0)
                return error_set(e, ERROR_INVALID_ARGS, "Format: \"%s\" is not one of raw|short|json|export",
                                 name);
        *ret = (LogFormat) format;
        return 0;
}

/* The cursor is the message's. */
static int read_request(sd_bus_message *m, FollowRequest *ret, Error *e)
{
        _cleanup_strv_ char **streams = NULL;
        _cleanup_free_ char *format = NULL;
        const DictKey keys[] = {
                        {"Format", SETTING_TYPE_STRING, &format},
                        {"Streams", SETTING_TYPE_STRV, &streams},
                        {"Lines", SETTING_TYPE_UINT64, &ret->lines},
                        {"SinceUSec", SETTING_TYPE_USEC, &ret->filter.since},
        };
        int r;

        *ret = (FollowRequest){.lines = UINT64_MAX};
        r = sd_bus_message_read(m, "s", &ret->cursor);
        if (r >= 0)
                r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r >= 0)
                r = read_format(format, &ret->format, e);
        if (r >= 0)
                r = bus_streams_from_strv("Streams", streams, STREAM_MASK_ALL, &ret->filter.streams, e);
        return r;
}

static int check_peer(const Peer *peer, Error *e)
{
        unsigned n = 0;

        if (sd_bus_can_send(peer->bus, 'h') <= 0)
                return error_set(e, ERROR_NOT_SUPPORTED,
                                 "This connection takes no descriptors: NEGOTIATE_UNIX_FD was not said");
        LIST_FOREACH (&peer->followers, link)
                n++;
        if (n >= PEER_FOLLOWERS_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "%u logs are followed by this connection, the most that may", n);
        return 0;
}

int bus_job_method_follow_log(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_close_ int fd = -EBADF;
        FollowRequest request;
        Error e = ERROR_NULL;
        int r;

        r = read_request(m, &request, &e);
        if (r >= 0)
                r = check_peer(peer, &e);
        if (r >= 0)
                r = follower_new(&peer->server->manager->followers, job, &request, &peer->followers, &fd,
                                 &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        /* Should this fail, nobody has the end to read, and the follower notices. */
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "h", fd);
        if (r >= 0)
                r = peer_send(peer, reply);
        if (r < 0)
                return r;
        peer_sent(peer, REPLY_SIZE);
        return 1;
}
