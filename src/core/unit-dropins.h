#pragma once

#include "basic/macro.h"

typedef struct UnitBundle UnitBundle;
typedef struct UnitFile UnitFile;

/* The drop-ins of a unit in the order they are to be read, an array that ends in NULL, given to free(): by
 * the names of the files; of several with one name that of the folder with priority, and within it of the
 * folder that names the unit most exactly: web-a@1.service.d, web-a@.service.d, web-.service.d, service.d. 0
 * or -ENOMEM. */
int unit_dropins_find(const UnitBundle *b, const char *unit, const UnitFile ***ret);
