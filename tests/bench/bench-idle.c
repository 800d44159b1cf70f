/*
 * A reeve that nobody wants anything of: what it has resident, and how often it wakes up.
 */

#include <poll.h>

#include "bench.h"

#define MIB (1024.0)

void bench_idle(const Run *run)
{
        char *const command[] = {(char *) "/bin/true", NULL};
        uint64_t switches;
        Box box;

        box_start(run, "box", &box);
        (void) poll(NULL, 0, 200);
        switches = proc_status(box.pid, "voluntary_ctxt_switches") +
                   proc_status(box.pid, "nonvoluntary_ctxt_switches");
        (void) poll(NULL, 0, run->quick ? 200 : 2000);
        switches = proc_status(box.pid, "voluntary_ctxt_switches") +
                   proc_status(box.pid, "nonvoluntary_ctxt_switches") - switches;

        row_add(run, ROW_VALUE_MAX, (double) proc_status(box.pid, "VmRSS") / MIB, -1, "MiB", 2.5,
                "idle, resident");
        row_add(run, ROW_INFO, (double) proc_status(box.pid, "RssAnon") / MIB, -1, "MiB", 0, "  anonymous");
        row_add(run, ROW_INFO, (double) proc_status(box.pid, "RssFile") / MIB, -1, "MiB", 0, "  of files");
        row_add(run, ROW_VALUE_MAX, (double) switches, -1, "", 0, "idle, wakeups in 2 s");
        for (unsigned i = 0; i < 100; i++)
                call_exec(box.bus, command);
        row_add(run, ROW_INFO, (double) proc_status(box.pid, "VmRSS") / MIB, -1, "MiB", 0,
                "  resident after 100 Execs");
        box_stop(&box);
}
