/* Names of errors. glibc 2.32 and later know both forms as constant strings, without locale and without a
 * buffer: strerrorname_np(3), strerrordesc_np(3). What is left to do here is the sign, and a word for
 * numbers that are none. */

#include "basic/errno-name.h"

#include <limits.h>
#include <string.h>

static int magnitude(int error)
{
        if (error == INT_MIN) /* has no positive counterpart */
                return INT_MAX;
        return error < 0 ? -error : error;
}

const char *errno_name(int error)
{
        return strerrorname_np(magnitude(error)) ?: "E?";
}

const char *errno_text(int error)
{
        return strerrordesc_np(magnitude(error)) ?: "Unknown error";
}
