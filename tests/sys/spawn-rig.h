#pragma once

/* What the tests of spawn() share. */

#include <stdlib.h>
#include <string.h>

#include "rig.h"

static const char *const methods[] = {"clone3", "clone", "fork"};

#define FOREACH_METHOD(m)                                                                                   \
        for (size_t m##_i = 0; m##_i < ELEMENTSOF(methods); m##_i++)                                        \
                for (const char *m = methods[m##_i]; m && spawn_set_method(m) == 0; m = NULL)

#define ARGV(...) ((char *const *) (const char *const[]){__VA_ARGS__, NULL})
#define PROBE rig_probe()

#define ck_assert_line(output, key, value) ck_assert_str_eq(rig_line(output, key " "), value)
