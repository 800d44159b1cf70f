/*
 * reeve with a memory that runs out now and then: its own main(), with the fault injection of basic/alloc.h
 * armed before it. $REEVE_FAULT is "FIRST,PERIOD": the FIRST allocation from the start fails, and every
 * PERIOD-th after it.
 */

#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"

int reeve_main(int argc, char **argv);

#undef main
int main(int argc, char **argv)
{
        const char *fault = getenv("REEVE_FAULT");
        unsigned first = 0, period = 0;

        if (!fault || sscanf(fault, "%u,%u", &first, &period) != 2) {
                fprintf(stderr, "$REEVE_FAULT must be FIRST,PERIOD\n");
                return EXIT_FAILURE;
        }
        alloc_fault_set(first, period);
        return reeve_main(argc, argv);
}
