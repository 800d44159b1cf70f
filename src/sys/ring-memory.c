/*
 * Memory that holds what jobs wrote. A fork copies the page tables of private memory, which at 1 GB makes a
 * spawn sixty times as slow (48 ms); shared memory that is kept out of forks altogether costs nothing. The
 * descriptor is closed at once, the mapping is what keeps the memfd; its name is for whoever reads
 * /proc/1/smaps.
 */

#include "sys/ring-memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

void *ring_memory_map(size_t size)
{
        _cleanup_close_ int fd = -EBADF;
        void *memory;

        fd = memfd_create("reeve-ring", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
        if (fd < 0 && errno == EINVAL)
                fd = memfd_create("reeve-ring", MFD_CLOEXEC);
        if (fd >= 0 && ftruncate(fd, (off_t) size) < 0)
                return NULL;

        /* No descriptor to be had: shared memory without a name does as well. */
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS,
                      fd, 0);
        if (memory == MAP_FAILED)
                return NULL;
        /* Where that is refused, a fork is slower, and no more than that. */
        (void) madvise(memory, size, MADV_DONTFORK);
        return memory;
}

void ring_memory_unmap(void *memory, size_t size)
{
        if (memory)
                (void) munmap(memory, size);
}
