/* A copy of PID 1 that reads the folders. */

#include <errno.h>

#include "sys/unit-files.h"
#include "sys/worker.h"

int unit_files_work(int fd, void *userdata)
{
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;

        if (unit_files_collect(userdata, &block) < 0)
                return -ENOMEM;
        return worker_write(fd, block.data, block.size);
}
