/*
 * Names of capabilities, as capabilities(7) writes them. A table of our own instead of libcap: it is 41
 * words, and PID 1 gains no library by it. What a later kernel adds has no name here until the table has it.
 */

#include "sys/capability.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif
#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

static const char *const capability_names[] = {
                [CAP_CHOWN] = "CAP_CHOWN",
                [CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
                [CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
                [CAP_FOWNER] = "CAP_FOWNER",
                [CAP_FSETID] = "CAP_FSETID",
                [CAP_KILL] = "CAP_KILL",
                [CAP_SETGID] = "CAP_SETGID",
                [CAP_SETUID] = "CAP_SETUID",
                [CAP_SETPCAP] = "CAP_SETPCAP",
                [CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
                [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
                [CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
                [CAP_NET_ADMIN] = "CAP_NET_ADMIN",
                [CAP_NET_RAW] = "CAP_NET_RAW",
                [CAP_IPC_LOCK] = "CAP_IPC_LOCK",
                [CAP_IPC_OWNER] = "CAP_IPC_OWNER",
                [CAP_SYS_MODULE] = "CAP_SYS_MODULE",
                [CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
                [CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
                [CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
                [CAP_SYS_PACCT] = "CAP_SYS_PACCT",
                [CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
                [CAP_SYS_BOOT] = "CAP_SYS_BOOT",
                [CAP_SYS_NICE] = "CAP_SYS_NICE",
                [CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
                [CAP_SYS_TIME] = "CAP_SYS_TIME",
                [CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
                [CAP_MKNOD] = "CAP_MKNOD",
                [CAP_LEASE] = "CAP_LEASE",
                [CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
                [CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
                [CAP_SETFCAP] = "CAP_SETFCAP",
                [CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
                [CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
                [CAP_SYSLOG] = "CAP_SYSLOG",
                [CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
                [CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
                [CAP_AUDIT_READ] = "CAP_AUDIT_READ",
                [CAP_PERFMON] = "CAP_PERFMON",
                [CAP_BPF] = "CAP_BPF",
                [CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};

int capability_from_string(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(capability_names); i++)
                if (strcasecmp(name, capability_names[i]) == 0)
                        return (int) i;
        return -EINVAL;
}

int capability_last(void)
{
        _cleanup_free_ char *text = NULL;
        uint64_t n;
        int last = 0;

        if (read_small_file(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", 64, &text) >= 0 &&
            parse_u64(text, &n) >= 0 && n < 64)
                return (int) n;

        /* No /proc: prctl(2) answers EINVAL for the first that is not there. */
        while (last < 63 && prctl(PR_CAPBSET_READ, (unsigned long) last + 1, 0, 0, 0) >= 0)
                last++;
        return last;
}
