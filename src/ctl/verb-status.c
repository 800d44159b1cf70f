/*
 * reevectl status: reeve itself, or all that is known of a job and the end of its log. What is shown of
 * each is a table (ctl/status-lines.h).
 */

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/log-page.h"
#include "ctl/output.h"
#include "ctl/status-lines.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

static const StatusLine job_lines[] = {
                {"Description", "Description", STATUS_STRING},
                {"Unit", "Unit", STATUS_STRING},
                {"Session", "Session", STATUS_STRING},
                {"Labels", "Labels", STATUS_WORDS},
                {"Command", "Command", STATUS_COMMAND},
                {"Directory", "WorkingDirectory", STATUS_STRING},
                {"User", "User", STATUS_STRING},
                {"State", "State", STATUS_STATE},
                {"Status", "StatusText", STATUS_STRING},
                {"Result", "Result", STATUS_OUTCOME},
                {"PID", "PID", STATUS_COUNT},
                {"Restarts", "NRestarts", STATUS_COUNT},
                {"Started", "StartTimestamp", STATUS_TIME},
                {"Exited", "ExitTimestamp", STATUS_TIME},
                {"Finished", "FinishTimestamp", STATUS_TIME},
                {"Cgroup", "ControlGroup", STATUS_STRING},
                {"Tasks", "TasksCurrent", STATUS_COUNT},
                {"CPU time", "CPUUsageNSec", STATUS_NSEC},
                {"Memory", "MemoryCurrent", STATUS_BYTES},
                {"Memory peak", "MemoryPeak", STATUS_BYTES},
                {"Read", "IOReadBytes", STATUS_BYTES},
                {"Written", "IOWriteBytes", STATUS_BYTES},
                {"OOM kills", "OOMKills", STATUS_COUNT},
                {"Ports", "ListeningPorts", STATUS_WORDS},
                {"Output", "LogBytes", STATUS_BYTES},
                {"Output lost", "LogLostBytes", STATUS_BYTES},
};

static const StatusLine reeve_lines[] = {
                {"Version", "Version", STATUS_STRING},      {"State", "State", STATUS_STRING},
                {"Started", "StartTimestamp", STATUS_TIME}, {"Containment", "Containment", STATUS_STRING},
                {"Cgroup", "ControlGroup", STATUS_STRING},  {"Controllers", "Controllers", STATUS_WORDS},
                {"Jobs", "NJobs", STATUS_NUMBER},           {"Running", "NRunning", STATUS_NUMBER},
                {"Reaped", "NReaped", STATUS_NUMBER},       {"Orphans", "NOrphansReaped", STATUS_NUMBER},
                {"Log", "LogBytes", STATUS_BYTES},          {"Log budget", "LogMaxBytes", STATUS_BYTES},
};

/* All properties of an interface as one JSON object. */
static int print_json(Client *c, const char *path, const char *interface)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_get_all(c, path, interface, &reply);
        return r < 0 ? r : client_print_json(reply);
}

static int status_reeve(Client *c)
{
        _cleanup_(properties_done) Properties p = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        if (c->json)
                return print_json(c, NULL, BUS_INTERFACE_MANAGER);
        r = client_properties(c, NULL, BUS_INTERFACE_MANAGER, &p);
        if (r < 0)
                return r;
        buffer_printf(&b, "reeve at %s\n", c->address);
        status_lines_append(&b, reeve_lines, ELEMENTSOF(reeve_lines), &p);
        return output_buffer(&b);
}

/* first: else an empty line sets it off from the one before. */
static int status_job(Client *c, const char *id, bool first)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_job_path(c, id, &path);
        if (r < 0)
                return r;
        if (c->json)
                return print_json(c, path, BUS_INTERFACE_JOB);
        r = client_properties(c, path, BUS_INTERFACE_JOB, &job);
        if (r < 0)
                return r;
        buffer_append_string(&b, first ? "" : "\n");
        text_escape(&b, properties_string(&job, "Id"));
        buffer_append_string(&b, "\n");
        status_lines_append(&b, job_lines, ELEMENTSOF(job_lines), &job);
        r = log_page_append_tail(c, path, &job, "\n", &b);
        return r < 0 ? r : output_buffer(&b);
}

int verb_status(const Verb *verb, Client *c, char **args)
{
        int r, status = 0;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        if (!*args)
                return status_reeve(c);
        for (char **id = args; *id; id++) {
                r = status_job(c, *id, id == args);
                if (r == CLOSED)
                        return r;
                if (r < 0)
                        status = r; /* said; the others may be there */
        }
        return status;
}
