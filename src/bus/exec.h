#pragma once

/* Manager.Exec and Manager.Start. */

#include <systemd/sd-bus.h>

int bus_method_exec(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
