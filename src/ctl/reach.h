#pragma once

/* Kill, Stop and CloseSession: the same shape of answer, one call an id. */

#include <stdint.h>

#include <systemd/sd-bus.h>

#include "basic/macro.h"

typedef struct Call Call;
typedef struct Client Client;
typedef struct Selector Selector;

typedef struct Reached {
        char **ids;
        uint32_t *pids;
        size_t n_pids;
        bool tells_remaining; /* Stop does */
        uint32_t remaining;
        bool failed; /* a call was refused, and that was said */
} Reached;

#define REACHED_INIT ((Reached){0})

void reached_done(Reached *r);

/* Calls Manager.MEMBER; append adds the arguments behind the selector (0 or a negative errno). 0 or FAILED;
 * where one of several calls fails the others still count. */
int reach_jobs(Client *c, const Selector *s, const char *member,
               int (*append)(const void *object, sd_bus_message *m), const void *object, Reached *ret);

/* The same of calls that are made already, and answer alike. */
int reach_calls(Client *c, Call *calls, size_t n, Reached *ret);

/* 0, or FAILED when a call was refused or something of them lives still, which it says. */
int reached_check(const Reached *r);

/* As JSON, or "killed j1, j2 (3 processes)". 0, or one of output.h. */
int reached_print(const Reached *r, Client *c, const char *done);
