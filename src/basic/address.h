#pragma once

/* Addresses of D-Bus, as far as they name a unix(7) socket. */

#include <stddef.h>

#include "basic/macro.h"

/* What sun_path (zeroed by the caller, of that size) is to hold for "unix:path=/run/x" or
 * "unix:abstract=name", with %XX undone as the D-Bus specification has it; an abstract one begins with a
 * NUL. The number of bytes: of a path less than size, so that a NUL is behind it. with_guid: ",guid=00ff…"
 * may stand at the end, and is not looked at. -EINVAL: no such address; -ENAMETOOLONG. */
int address_parse_unix(const char *address, bool with_guid, char *to, size_t size);
