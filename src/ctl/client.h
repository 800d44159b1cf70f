#pragma once

/* One run of reevectl: whom it talks to, and the calls it makes. The connection is made with the first call.
 */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "bus/names.h"
#include "ctl/properties.h"

typedef struct Client {
        const char *address;
        bool json;
        sd_bus *bus; /* NULL: not connected yet */
} Client;

void client_done(Client *c);

#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

/* All of these say what goes wrong, and return 0 or FAILED (output.h). */

/* A new method call. path NULL: the manager's own. */
int client_message(Client *c, const char *path, const char *interface, const char *member,
                   sd_bus_message **ret);
/* It could not be connected to; error: a negative errno, -EINVAL for an address that is none. Returns
 * FAILED. */
int client_unreachable(const Client *c, int error);
/* For a message that could not be put together, or an answer that could not be read: `error` is what sd-bus
 * returned. */
int client_message_failed(int error);

/* Sends m and waits, for ever: commands take their time. */
int client_call(Client *c, sd_bus_message *m, sd_bus_message **ret_reply);
/* Like client_call(), but an error that reeve answered is -EREMOTEIO, not said, and in *ret_error. */
int client_call_error(Client *c, sd_bus_message *m, sd_bus_error *ret_error, sd_bus_message **ret_reply);
int client_report(Client *c, const sd_bus_error *error);

/* Several calls at once, each with its answer, which may be an error (sd_bus_message_is_method_error). */
typedef struct Call {
        sd_bus_message *message, *reply; /* both owned */
        size_t *pending;
} Call;

int client_call_all(Client *c, Call *calls, size_t n);
/* Likewise, but without waiting for more answers when there is one to the last call. It is the end of the
 * connection: the other calls go on without anybody who waits for them. n > 0. */
int client_call_until_last(Client *c, Call *calls, size_t n);
void calls_free(Call *calls, size_t n);

/* Hands every signal of reeve to handler, for ever: until that returns something else than 0, which is
 * returned; or the connection ends, which is FAILED; or nobody reads stdout any more, which is CLOSED. */
int client_listen(Client *c, int (*handler)(void *object, sd_bus_message *m), void *object);

/* The next value of an answer, as JSON in a line. */
int client_print_json(sd_bus_message *m);

/* A call with one string, which is all that many take. */
int client_call_string(Client *c, const char *path, const char *interface, const char *member,
                       const char *argument, sd_bus_message **ret_reply);
/* All properties of one interface of an object: the answer as it comes, and read. */
int client_get_all(Client *c, const char *path, const char *interface, sd_bus_message **ret_reply);
int client_properties(Client *c, const char *path, const char *interface, Properties *ret);
/* The path that an answer is, to be freed. */
int client_read_path(sd_bus_message *reply, char **ret_path);
/* The object of a job, to be freed. No such job: says so. */
int client_job_path(Client *c, const char *id, char **ret_path);
/* The same of a session. */
int client_session_path(Client *c, const char *name, char **ret_path);
