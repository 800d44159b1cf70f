#pragma once

#include <stddef.h>

#include "basic/macro.h"

/* Whether the bytes begin with the whole header of a D-Bus method call that is right in everything the
 * specification says of one, and tells of so many descriptors. Headers of up to a few KiB; what is right but
 * has fields that the specification does not know is not taken. */
bool message_header_is_sound(const void *data, size_t size, size_t n_descriptors) _pure_;
