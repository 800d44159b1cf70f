/*
 * What the kernel says about a process from outside: reeve is not asked, since asking wakes it up.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

uint64_t proc_status(pid_t pid, const char *field)
{
        size_t n = strlen(field);
        char path[64], line[256];
        uint64_t value = 0;
        bool found = false;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        f = fopen(path, "re");
        if (!f)
                bench_fail("%s: %m", path);
        while (!found && fgets(line, sizeof(line), f))
                found = strncmp(line, field, n) == 0 && line[n] == ':' &&
                        sscanf(line + n + 1, "%" SCNu64, &value) == 1;
        fclose(f);
        if (!found)
                bench_fail("%s has no %s", path, field);
        return value;
}

double proc_cpu(pid_t pid)
{
        char path[64];
        uint64_t nsec = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/schedstat", (int) pid);
        f = fopen(path, "re");
        if (!f)
                return -1; /* not every kernel counts that */
        if (fscanf(f, "%" SCNu64, &nsec) != 1)
                nsec = 0;
        fclose(f);
        return (double) nsec / 1e9;
}
