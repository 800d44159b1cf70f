#pragma once

/* How jobs are to be ended: the options of Stop and of CloseSession. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "basic/time.h"

typedef struct Verb Verb;

typedef struct StopOptions {
        int signal; /* 0: not given */
        usec_t timeout;
        bool timeout_given;
} StopOptions;

/* 0 or MISUSED. */
int stop_options_set_signal(StopOptions *o, const Verb *verb, const char *value);
int stop_options_set_timeout(StopOptions *o, const Verb *verb, const char *value);

/* As a{sv}. 0 or a negative errno. */
int stop_options_append(const StopOptions *o, sd_bus_message *m);
