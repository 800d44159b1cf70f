/* Nothing here asks a file system, nor makes a path shorter: "..", after a symbolic link, is the kernel's
 * business. */

#include "basic/path.h"

#include "basic/alloc.h"

char *path_absolute(const char *base, const char *path)
{
        if (path[0] == '/')
                return str_copy(path);
        return str_printf("%s/%s", streq(base, "/") ? "" : base, path);
}
