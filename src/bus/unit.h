#pragma once

/* The methods of org.reeve1.Manager that are about units: the door to core/unit-set.h. */

#include <systemd/sd-bus.h>

int bus_method_list_units(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_start_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_stop_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_restart_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_reload_unit(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
int bus_method_reload(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);
