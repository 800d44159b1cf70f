/*
 * Each property is a line in a table: its name, its signature, whether it costs a look at the cgroup tree,
 * and how it is written. Values are always computed when asked for; only what is final is remembered, by the
 * job.
 */

#include "bus/job-properties.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "basic/utf8.h"
#include "bus/output.h"
#include "core/job-ports.h"
#include "core/job.h"
#include "core/notify.h"
#include "journal/ring.h"

typedef struct Property Property;
struct Property {
        const char *name, *signature;
        bool usage;
        int (*append)(sd_bus_message *m, Job *job, const Property *property);
        size_t offset; /* in Job, ScopeUsage or RingStat, as append has it */
};

static int append_string(sd_bus_message *m, Job *job, const Property *property)
{
        const char *s = *(char *const *) ((const char *) job + property->offset);

        return sd_bus_message_append(m, "s", s ?: "");
}

static int append_strv(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append_strv(m, *(char **const *) ((const char *) job + property->offset));
}

static int append_u64(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "t", *(const uint64_t *) ((const char *) job + property->offset));
}

static int append_int(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "i",
                                     (int32_t) * (const int *) ((const char *) job + property->offset));
}

static int append_status(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "s", job->notify && job->notify->status ? job->notify->status : "");
}

static int append_labels(sd_bus_message *m, Job *job, const Property *property)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        STRV_FOREACH (label, job->spec.labels) {
                char *equals = strchr(*label, '=');

                if (r < 0)
                        return r;
                *equals = '\0';
                r = sd_bus_message_append(m, "{ss}", *label, equals + 1);
                *equals = '=';
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_directory(sd_bus_message *m, Job *job, const Property *property)
{
        const char *path = job->working_directory; /* perhaps where a command of the session has led */
        _cleanup_free_ char *text = utf8_sanitize(path, strlen(path));

        return text ? sd_bus_message_append(m, "s", text) : -ENOMEM;
}

/* What its 0 is, in words of systemd.exec(5) where there are such. */
static int append_input(sd_bus_message *m, Job *job, const Property *property)
{
        static const char *const words[] = {
                        [EXEC_INPUT_NULL] = "null",
                        [EXEC_INPUT_DATA] = "data",
                        [EXEC_INPUT_PIPE] = "pipe",
                        [EXEC_INPUT_INHERIT] = "inherit",
        };
        const char *word = words[job->spec.input];

        if (job->spec.tty)
                word = "tty";
        else if (exec_spec_is_given(&job->spec, SETTING_STANDARD_INPUT_FD))
                word = "fd";
        return sd_bus_message_append(m, "s", word);
}

static int append_state(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "s", job_state_word(job));
}

static int append_result(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "s", job_result_to_string(job->result));
}

static int append_running(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "b", (int) job_is_running(job));
}

static int append_frozen(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "b", (int) job_is_frozen(job));
}

static int append_ready(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "b", (int) job_is_ready(job));
}

static int append_pid(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "u", job_is_exited(job) ? 0U : (uint32_t) job->pid);
}

static int append_restarts(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "u", job->n_restarts);
}

static int append_unit(sd_bus_message *m, Job *job, const Property *property)
{
        return sd_bus_message_append(m, "s", job->is_unit ? job->id : "");
}

static int append_usage(sd_bus_message *m, Job *job, const Property *property)
{
        ScopeUsage usage;

        job_usage(job, &usage);
        return sd_bus_message_append(m, "t", *(const uint64_t *) ((const char *) &usage + property->offset));
}

static int append_log(sd_bus_message *m, Job *job, const Property *property)
{
        RingStat stat;

        ring_stat(job->ring, &stat);
        return sd_bus_message_append(m, "t", *(const uint64_t *) ((const char *) &stat + property->offset));
}

static int append_log_bytes(sd_bus_message *m, Job *job, const Property *property)
{
        RingStat stat;

        ring_stat(job->ring, &stat);
        return sd_bus_message_append(m, "t",
                                     stat.bytes[STREAM_STDOUT] + stat.bytes[STREAM_STDERR] +
                                                     capture_held(&job->capture));
}

static int append_log_cursor(sd_bus_message *m, Job *job, const Property *property)
{
        char text[CURSOR_TEXT_MAX];
        RingPosition tail;

        ring_tail(job->ring, &tail);
        cursor_format(&job->log, &tail, text);
        return sd_bus_message_append(m, "s", text);
}

/* That they cannot be seen, for want of a descriptor, say, must not take all the other properties away. */
static int append_ports(sd_bus_message *m, Job *job, const Property *property)
{
        _cleanup_free_ uint16_t *ports = NULL;
        size_t n = 0;
        int r;

        r = job_listening_ports(job, &ports, &n);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                log_debug_errno(r, "Job %s: cannot see who listens", job->id);
        return sd_bus_message_append_array(m, 'q', ports, n * sizeof(uint16_t));
}

#define OF_JOB(member) offsetof(Job, member)
#define OF_USAGE(member) offsetof(ScopeUsage, member)
#define OF_LOG(member) offsetof(RingStat, member)

static const Property properties[] = {
                {"Id", "s", false, append_string, OF_JOB(id)},
                {"Session", "s", false, append_string, OF_JOB(session)},
                {"Unit", "s", false, append_unit, 0},
                {"Description", "s", false, append_string, OF_JOB(spec.description)},
                {"Labels", "a{ss}", false, append_labels, 0},
                {"Command", "as", false, append_strv, OF_JOB(spec.argv)},
                {"WorkingDirectory", "s", false, append_directory, 0},
                {"User", "s", false, append_string, OF_JOB(user)},
                {"StandardInput", "s", false, append_input, 0},
                {"State", "s", false, append_state, 0},
                {"Running", "b", false, append_running, 0},
                {"Frozen", "b", false, append_frozen, 0},
                {"Ready", "b", false, append_ready, 0},
                {"StatusText", "s", false, append_status, 0},
                {"Result", "s", false, append_result, 0},
                {"PID", "u", false, append_pid, 0},
                {"ExitCode", "i", false, append_int, OF_JOB(exit_code)},
                {"Signal", "i", false, append_int, OF_JOB(signal)},
                {"NRestarts", "u", false, append_restarts, 0},
                {"StartTimestamp", "t", false, append_u64, OF_JOB(start_time)},
                {"ExitTimestamp", "t", false, append_u64, OF_JOB(exit_time)},
                {"FinishTimestamp", "t", false, append_u64, OF_JOB(finish_time)},
                {"ControlGroup", "s", false, append_string, OF_JOB(control_group)},
                {"TasksCurrent", "t", true, append_usage, OF_USAGE(tasks_current)},
                {"CPUUsageNSec", "t", true, append_usage, OF_USAGE(cpu_nsec)},
                {"CPUUserNSec", "t", true, append_usage, OF_USAGE(cpu_user_nsec)},
                {"CPUSystemNSec", "t", true, append_usage, OF_USAGE(cpu_system_nsec)},
                {"MemoryCurrent", "t", true, append_usage, OF_USAGE(memory_current)},
                {"MemoryPeak", "t", true, append_usage, OF_USAGE(memory_peak)},
                {"IOReadBytes", "t", true, append_usage, OF_USAGE(io_read_bytes)},
                {"IOWriteBytes", "t", true, append_usage, OF_USAGE(io_write_bytes)},
                {"OOMKills", "t", true, append_usage, OF_USAGE(oom_kills)},
                {"LogBytes", "t", false, append_log_bytes, 0},
                {"LogLostBytes", "t", false, append_log, OF_LOG(lost_bytes)},
                {"LogLostRecords", "t", false, append_log, OF_LOG(lost_records)},
                {"LogMaxBytes", "t", false, append_log, OF_LOG(memory_max)},
                {"LogCursor", "s", false, append_log_cursor, 0},
                {"ListeningPorts", "aq", true, append_ports, 0},
};

int job_property_append(sd_bus_message *m, Job *job, const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                if (streq(properties[i].name, name))
                        return properties[i].append(m, job, &properties[i]);
        return -EINVAL;
}

static int append_entry(sd_bus_message *m, Job *job, const Property *property)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", property->name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', property->signature);
        if (r >= 0)
                r = property->append(m, job, property);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int job_properties_append_all(sd_bus_message *m, Job *job, bool usage)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(properties); i++)
                if (usage || !properties[i].usage)
                        r = append_entry(m, job, &properties[i]);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
