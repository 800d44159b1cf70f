#pragma once

/* What a unit's settings mean to a job. */

#include "basic/macro.h"
#include "unit/settings.h"

typedef struct Error Error;
typedef struct ExecSpec ExecSpec;
typedef struct Unit Unit;

/* Copies every setting that the unit has into spec, which is new (exec_spec_init()). 0; -ENOMEM, -EINVAL or
 * -EOPNOTSUPP with the reason in e, and then *ret_setting (may be NULL) is the one that is wrong,
 * _SETTING_MAX when that is nobody's alone. What is in spec then is to be thrown away. */
int unit_fill_exec_spec(const Unit *u, ExecSpec *spec, SettingId *ret_setting, Error *e);
