/*
 * Signals come in more numbers than things happen: JobNew beside InterfacesAdded, and PropertiesChanged with
 * all that may change, whatever did. For people one line each is made of that: a new object is told by
 * InterfacesAdded, which knows what it is, and a change only where the words for it are others than before.
 * JSON has every change as it comes: a program compares for itself.
 */

#include "ctl/event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "bus/names.h"
#include "ctl/job-text.h"
#include "ctl/json.h"
#include "ctl/properties.h"
#include "ctl/text.h"

typedef struct State {
        char *path, *text;
} State;

static void state_free(State *s)
{
        if (!s)
                return;
        free(s->path);
        free(s->text);
        free(s);
}
DEFINE_CLEANUP(State *, state_free)

void events_init(Events *e, bool json)
{
        *e = (Events){.json = json};
        hashmap_init(&e->states, HASHMAP_STRING);
}

void events_done(Events *e)
{
        for (size_t i = 0; i < e->states.n_slots; i++)
                state_free(e->states.slots[i].value);
        hashmap_done(&e->states);
}

static void events_forget(Events *e, const char *path)
{
        state_free(hashmap_remove_string(&e->states, path));
}

/* 1: that is something else than what was said of the object before; 0; -ENOMEM. */
static int events_remember(Events *e, const char *path, const char *text)
{
        _cleanup_(state_freep) State *s = NULL;
        State *old = hashmap_get_string(&e->states, path);
        int r;

        if (old && streq(old->text, text))
                return 0;
        s = alloc_new(State);
        if (!s)
                return -ENOMEM;
        s->path = str_copy(path);
        s->text = str_copy(text);
        if (!s->path || !s->text)
                return -ENOMEM;
        events_forget(e, path);
        r = hashmap_put_string(&e->states, s->path, s);
        if (r < 0)
                return r;
        TAKE_PTR(s);
        return 1;
}

/* Lines */

/* "TIME job ID: ", to which the rest is appended; name NULL: what there is one of. */
static void line_begin(Buffer *b, usec_t now, const char *what, const char *name)
{
        char time[40];

        format_timestamp_iso(now, time, sizeof(time));
        buffer_printf(b, "%s %s", time, what);
        if (name) {
                buffer_append_string(b, " ");
                text_escape(b, name);
        }
        buffer_append_string(b, ": ");
}

static void json_begin(Buffer *b, usec_t now, const char *event)
{
        buffer_printf(b, "{\"time\":%" PRIu64 ",\"event\":", now);
        json_string(b, event);
}

static void json_member(Buffer *b, const char *key, const char *value)
{
        buffer_append_string(b, ",");
        json_string(b, key);
        buffer_append_string(b, ":");
        json_string(b, value);
}

/* The a{sv} that comes next; of a change also the names behind it, of what changed without being told. */
static int json_properties(Buffer *b, sd_bus_message *m, bool is_new)
{
        int r;

        buffer_append_string(b, ",\"properties\":");
        r = json_value(b, m);
        if (r >= 0 && !is_new) {
                buffer_append_string(b, ",\"invalidated\":");
                r = json_value(b, m);
        }
        buffer_append_string(b, "}\n");
        return r;
}

/* Kinds of objects */

/* What changes of it, in words; "" for what another signal tells better. */
typedef void (*Describe)(const Properties *p, Buffer *b);
/* What is added to that when it is new. */
typedef void (*Introduce)(const Properties *p, Buffer *b);

static void describe_job(const Properties *p, Buffer *b)
{
        uint32_t pid = properties_number(p, "PID", 0);
        const char *status = properties_string(p, "StatusText");
        char state[64];

        job_state(p, state, sizeof(state));
        if (streq(state, "exited") || streq(state, "finished"))
                return;
        buffer_append_string(b, state);
        if (pid > 0 && streq(state, "running"))
                buffer_printf(b, ", PID %" PRIu32, pid);
        if (*status) {
                buffer_append_string(b, ", ");
                text_escape(b, status);
        }
}

static void introduce_job(const Properties *p, Buffer *b)
{
        buffer_printf(b, "new, PID %" PRIu64 ", session ", properties_number(p, "PID", 0));
        text_escape(b, properties_string(p, "Session"));
        buffer_append_string(b, ": ");
        text_command(b, properties_strv(p, "Command"));
}

static void describe_session(const Properties *p, Buffer *b)
{
        const char *directory = properties_string(p, "WorkingDirectory");

        if (properties_boolean(p, "Frozen"))
                buffer_append_string(b, "frozen, ");
        if (*directory) {
                buffer_append_string(b, "directory ");
                text_escape(b, directory);
        }
}

static void introduce_session(const Properties *p, Buffer *b)
{
        buffer_append_string(b, "new, ");
        describe_session(p, b);
}

static void describe_reeve(const Properties *p, Buffer *b)
{
        text_escape(b, properties_string(p, "State"));
}

static const struct Kind {
        const char *interface, *path; /* path: of which its own is made, or its own */
        const char *what, *key;       /* in text; of its name in JSON, NULL: has none */
        const char *new_event, *changed_event;
        Describe describe;
        Introduce introduce;
} kinds[] = {
                {BUS_INTERFACE_JOB, BUS_PATH_JOB, "job", "id", "JobNew", "JobChanged", describe_job,
                 introduce_job},
                {BUS_INTERFACE_SESSION, BUS_PATH_SESSION, "session", "name", "SessionNew", "SessionChanged",
                 describe_session, introduce_session},
                {BUS_INTERFACE_MANAGER, BUS_PATH, "reeve", NULL, "Reeve", "ReeveChanged", describe_reeve,
                 describe_reeve},
};
#define KIND_REEVE (&kinds[2])
typedef struct Kind Kind;

static const Kind *kind_by_interface(const char *interface)
{
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (streq(kinds[i].interface, interface))
                        return &kinds[i];
        return NULL;
}

/* The name of the object at path; *ret NULL where it has none. */
static int kind_name(const Kind *k, const char *path, char **ret)
{
        *ret = NULL;
        return k->key ? sd_bus_path_decode(path, k->path, ret) : 0;
}

/* A new object, or a change: what comes next in m. */
static int append_properties(Events *e, const Kind *k, bool is_new, const char *path, sd_bus_message *m,
                             usec_t now, Buffer *b)
{
        _cleanup_(properties_done) Properties p = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer said = BUFFER_INIT;
        _cleanup_free_ char *name = NULL, *text = NULL;
        int r;

        r = kind_name(k, path, &name);
        if (r < 0)
                return r;
        if (e->json) {
                json_begin(b, now, is_new ? k->new_event : k->changed_event);
                if (name)
                        json_member(b, k->key, name);
                return json_properties(b, m, is_new);
        }

        r = properties_read(m, &p);
        if (r < 0)
                return r;
        k->describe(&p, &said);
        text = buffer_take(&said, NULL);
        if (!text)
                return -ENOMEM;
        r = events_remember(e, path, text);
        if (r < 0 || (!is_new && (r == 0 || !*text)))
                return r;
        line_begin(b, now, k->what, name);
        is_new ? k->introduce(&p, b) : buffer_append_string(b, text);
        buffer_append_string(b, "\n");
        return 0;
}

int events_begin(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        return append_properties(e, KIND_REEVE, true, BUS_PATH, m, now, b);
}

/* Signals */

static int on_added(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        const char *path, *interface;
        int r;

        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                const Kind *k;

                r = sd_bus_message_read_basic(m, 's', &interface);
                if (r < 0)
                        return r;
                k = kind_by_interface(interface);
                if (k)
                        return append_properties(e, k, true, path, m, now, b);
                r = sd_bus_message_skip(m, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int on_changed(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        const char *interface;
        const Kind *k;
        int r;

        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0)
                return r;
        k = kind_by_interface(interface);
        return k ? append_properties(e, k, false, sd_bus_message_get_path(m), m, now, b) : 0;
}

static int on_exited(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        const char *id, *result;
        char outcome[64];
        int r, exit_code, sig;

        r = sd_bus_message_read(m, "ssii", &id, &result, &exit_code, &sig);
        if (r < 0)
                return r;
        outcome_format(result, exit_code, sig, outcome, sizeof(outcome));
        line_begin(b, now, "job", id);
        buffer_append_string(b, "exited, ");
        text_escape(b, outcome);
        buffer_append_string(b, "\n");
        return 0;
}

static int on_finished(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        const char *id;
        int r;

        r = sd_bus_message_read_basic(m, 's', &id);
        if (r < 0)
                return r;
        line_begin(b, now, "job", id);
        buffer_append_string(b, "finished\n");
        return 0;
}

static int on_removed(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        bool job = startswith(sd_bus_message_get_member(m), "Job");
        const char *name, *path;
        int r;

        r = sd_bus_message_read(m, "so", &name, &path);
        if (r < 0)
                return r;
        events_forget(e, path);
        line_begin(b, now, job ? "job" : "session", name);
        buffer_append_string(b, "removed\n");
        return 0;
}

static const struct {
        const char *interface, *member;
        int (*append)(Events *e, sd_bus_message *m, usec_t now, Buffer *b);
        const char *names[5]; /* of its arguments in JSON; none: append() makes that, too */
} signals[] = {
                {"org.freedesktop.DBus.ObjectManager", "InterfacesAdded", on_added, {NULL}},
                {"org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed, {NULL}},
                {BUS_INTERFACE_MANAGER, "JobExited", on_exited, {"id", "result", "exit_code", "signal"}},
                {BUS_INTERFACE_MANAGER, "JobFinished", on_finished, {"id", "result"}},
                {BUS_INTERFACE_MANAGER, "JobRemoved", on_removed, {"id"}},
                {BUS_INTERFACE_MANAGER, "SessionRemoved", on_removed, {"name"}},
};

static int append_arguments(sd_bus_message *m, const char *const *names, usec_t now, Buffer *b)
{
        int r = 0;

        json_begin(b, now, sd_bus_message_get_member(m));
        for (; r >= 0 && *names; names++) {
                buffer_append_string(b, ",");
                json_string(b, *names);
                buffer_append_string(b, ":");
                r = json_value(b, m);
        }
        buffer_append_string(b, "}\n");
        return r;
}

int events_append(Events *e, sd_bus_message *m, usec_t now, Buffer *b)
{
        int r;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                if (sd_bus_message_is_signal(m, signals[i].interface, signals[i].member) <= 0)
                        continue;
                if (e->json && signals[i].names[0])
                        return append_arguments(m, signals[i].names, now, b);
                r = signals[i].append(e, m, now, b);
                return r < 0 ? r : 0;
        }
        return 0;
}
