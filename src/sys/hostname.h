#pragma once

#include <stddef.h>

#define HOSTNAME_SIZE 65U

/* As the kernel has it, uname(2). */
void hostname_get(char buf[static HOSTNAME_SIZE]);
