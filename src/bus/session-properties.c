/*
 * As with jobs: a table of what there is, and values that are made when they are asked for.
 */

#include "bus/session-properties.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "basic/utf8.h"
#include "core/job.h"
#include "core/session.h"

typedef struct Property Property;
struct Property {
        const char *name, *signature;
        int (*append)(sd_bus_message *m, const Session *session, const Property *property);
        size_t offset; /* in Session or ScopeUsage, as append has it */
};

static int append_string(sd_bus_message *m, const Session *session, const Property *property)
{
        const char *s = *(char *const *) ((const char *) session + property->offset);

        return sd_bus_message_append(m, "s", s ?: "");
}

/* A command may have led anywhere; on the bus a string is UTF-8. */
static int append_directory(sd_bus_message *m, const Session *session, const Property *property)
{
        const char *path = session->working_directory;
        _cleanup_free_ char *text = utf8_sanitize(path, strlen(path));

        return text ? sd_bus_message_append(m, "s", text) : -ENOMEM;
}

/* Values may be secrets. */
static int append_environment_names(sd_bus_message *m, const Session *session, const Property *property)
{
        int r = sd_bus_message_open_container(m, 'a', "s");

        STRV_FOREACH (s, session->environment) {
                size_t n = strcspn(*s, "=");

                if (r < 0)
                        return r;
                if (!env_name_is_valid(*s, n))
                        continue; /* as reeve inherited it */
                (*s)[n] = '\0';
                r = sd_bus_message_append(m, "s", *s);
                (*s)[n] = '=';
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_jobs(sd_bus_message *m, const Session *session, const Property *property)
{
        int r = sd_bus_message_open_container(m, 'a', "s");

        LIST_FOREACH (&session->jobs, link) {
                const Job *job = container_of(link, Job, in_session);

                if (r >= 0 && job->announced)
                        r = sd_bus_message_append(m, "s", job->id);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_created(sd_bus_message *m, const Session *session, const Property *property)
{
        return sd_bus_message_append(m, "t", session->created);
}

static int append_control_group(sd_bus_message *m, const Session *session, const Property *property)
{
        return sd_bus_message_append(m, "s", session_control_group(session));
}

static int append_frozen(sd_bus_message *m, const Session *session, const Property *property)
{
        return sd_bus_message_append(m, "b", (int) session_is_frozen(session));
}

static int append_usage(sd_bus_message *m, const Session *session, const Property *property)
{
        ScopeUsage usage;

        session_usage(session, &usage);
        return sd_bus_message_append(m, "t", *(const uint64_t *) ((const char *) &usage + property->offset));
}

#define OF_SESSION(member) offsetof(Session, member)
#define OF_USAGE(member) offsetof(ScopeUsage, member)

static const Property properties[] = {
                {"Name", "s", append_string, OF_SESSION(name)},
                {"WorkingDirectory", "s", append_directory, 0},
                {"EnvironmentNames", "as", append_environment_names, 0},
                {"User", "s", append_string, OF_SESSION(user)},
                {"Shell", "s", append_string, OF_SESSION(shell)},
                {"Jobs", "as", append_jobs, 0},
                {"CreatedTimestamp", "t", append_created, 0},
                {"ControlGroup", "s", append_control_group, 0},
                {"Frozen", "b", append_frozen, 0},
                {"TasksCurrent", "t", append_usage, OF_USAGE(tasks_current)},
                {"CPUUsageNSec", "t", append_usage, OF_USAGE(cpu_nsec)},
                {"MemoryCurrent", "t", append_usage, OF_USAGE(memory_current)},
                {"MemoryPeak", "t", append_usage, OF_USAGE(memory_peak)},
};

int session_property_append(sd_bus_message *m, const Session *session, const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                if (streq(properties[i].name, name))
                        return properties[i].append(m, session, &properties[i]);
        return -EINVAL;
}

int session_properties_append_all(sd_bus_message *m, const Session *session)
{
        int r = sd_bus_message_open_container(m, 'a', "{sv}");

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(properties); i++) {
                const Property *property = &properties[i];

                r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", property->name);
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', property->signature);
                if (r >= 0)
                        r = property->append(m, session, property);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}
