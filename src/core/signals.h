#pragma once

#include "sys/power.h"

/* What each signal to reeve means; one table. */

typedef enum SignalMeaning {
        SIGNAL_PASS_ON,  /* the main job's, if there is one */
        SIGNAL_SHUTDOWN, /* an order to stop */
        SIGNAL_CHILD,    /* somebody is to be reaped */
        SIGNAL_NOTHING,
} SignalMeaning;

SignalMeaning signal_meaning(int sig);
/* What an order to stop makes of a machine whose init reeve is. */
PowerAction signal_power(int sig);
