/* The name of this container or machine: asked for when it is shown, for it can be changed. */

#include "sys/hostname.h"

#include <stdio.h>
#include <sys/utsname.h>

void hostname_get(char buf[static HOSTNAME_SIZE])
{
        struct utsname names;

        if (uname(&names) < 0)
                names.nodename[0] = '\0';
        snprintf(buf, HOSTNAME_SIZE, "%s", names.nodename);
}
