#pragma once

/* Names of units, systemd.unit(5): prefix[@[instance]].type, of at most
 * 200 characters [A-Za-z0-9:_.\-] here, for a scope is called by them, and more (sys/scope.h). */

#include "basic/macro.h"

#define UNIT_NAME_LENGTH_MAX ((size_t) 200)

typedef enum UnitNameKind {
        UNIT_NAME_INVALID,
        UNIT_NAME_PLAIN,    /* web.service */
        UNIT_NAME_TEMPLATE, /* web@.service */
        UNIT_NAME_INSTANCE, /* web@80.service */
        UNIT_NAME_FOREIGN,  /* network.target: right, but of a type that systemd has, and reeve has not */
} UnitNameKind;

UnitNameKind unit_name_kind(const char *name) _pure_;

/* The following take valid names of services. All return NULL when there is no memory. */
char *unit_name_template(const char *instance); /* web@.service of web@80.service */
char *unit_name_base(const char *name);         /* web@80 of web@80.service */
char *unit_name_prefix(const char *name);       /* web of web@80.service, of web.service */
char *unit_name_instance(const char *name);     /* 80 of web@80.service; "" of web.service */

/* systemd-escape(1) taken back: "-" is "/", \xHH a byte. 0; -EINVAL: there is no such sequence; -ENOMEM. */
int unit_name_unescape(const char *text, char **ret);
