/*
 * What a scope used, as its cgroup counts it: children that are long dead included, which is more than any
 * sum over /proc can tell. Each number stands alone: what the kernel (its version, its controllers) does not
 * say is unknown, and the others are told.
 */

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/time.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup.h"
#include "sys/scope-internal.h"

#define STAT_FILE_MAX (1024U * 1024)

/* Whose files are there to be read. */
static bool has_controller(const Scope *s, CgroupController c)
{
        return s->tree->controllers & (1U << c);
}

static char *read_stat(const Scope *s, const char *file)
{
        _cleanup_free_ char *name = str_printf("%s/%s", s->folder, file);
        char *text = NULL;

        if (!name || read_small_file(s->tree->fd, name, STAT_FILE_MAX, &text) < 0)
                return NULL;
        return text;
}

static uint64_t single_value(const Scope *s, const char *file)
{
        _cleanup_free_ char *text = read_stat(s, file);
        uint64_t n;

        return text && parse_u64(text, &n) >= 0 ? n : SCOPE_UNKNOWN;
}

static uint64_t keyed_value(const char *text, const char *key)
{
        uint64_t n;

        return text && cgroup_text_value(text, key, &n) >= 0 ? n : SCOPE_UNKNOWN;
}

static uint64_t nsec(uint64_t usec)
{
        return usec == SCOPE_UNKNOWN ? SCOPE_UNKNOWN : usec * NSEC_PER_USEC;
}

/* Lines of "8:0 rbytes=1 wbytes=2 rios=3 ...", one a device that was used. */
static void io_usage(const Scope *s, ScopeUsage *u)
{
        _cleanup_free_ char *text = read_stat(s, "io.stat");
        char *save = NULL;

        if (!text)
                return;
        u->io_read_bytes = u->io_write_bytes = 0;
        for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
                const char *digits;
                uint64_t n;

                if ((digits = startswith(word, "rbytes=")) && parse_u64(digits, &n) >= 0)
                        u->io_read_bytes += n;
                else if ((digits = startswith(word, "wbytes=")) && parse_u64(digits, &n) >= 0)
                        u->io_write_bytes += n;
        }
}

/* Without the pids controller the threads are counted. */
static uint64_t tasks_current(const Scope *s)
{
        _cleanup_pid_list_ PidList l = {0};

        if (has_controller(s, CGROUP_PIDS))
                return single_value(s, "pids.current");
        if (cgroup_folder_ids(s->tree->fd, s->folder, "cgroup.threads", true, &l) < 0)
                return SCOPE_UNKNOWN;
        return l.n;
}

static void memory_usage(const Scope *s, ScopeUsage *u)
{
        _cleanup_free_ char *events = read_stat(s, "memory.events");

        u->memory_current = single_value(s, "memory.current");
        u->memory_peak = single_value(s, "memory.peak");
        u->oom_kills = keyed_value(events, "oom_kill");
}

void scope_usage(const Scope *s, ScopeUsage *ret)
{
        _cleanup_free_ char *cpu = NULL;
        ScopeUsage u = SCOPE_USAGE_UNKNOWN;

        if (!scope_is_group(s)) {
                cpu = read_stat(s, "cpu.stat");
                u.cpu_nsec = nsec(keyed_value(cpu, "usage_usec"));
                u.cpu_user_nsec = nsec(keyed_value(cpu, "user_usec"));
                u.cpu_system_nsec = nsec(keyed_value(cpu, "system_usec"));
                if (has_controller(s, CGROUP_MEMORY))
                        memory_usage(s, &u);
                if (has_controller(s, CGROUP_IO))
                        io_usage(s, &u);
                u.tasks_current = tasks_current(s);
        }
        *ret = u;
}
