#pragma once

typedef struct Options Options;

/* --check-units: says on stdout what is wrong with the unit files, and starts nothing. The exit status. */
int check_units(const Options *o);
