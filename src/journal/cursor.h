#pragma once

/*
 * A cursor names the place just after one record of one job's log, in one run of reeve: opaque to clients,
 * text on the wire:
 *
 *      r=4fe2…c1 ; j=1a ; n=2710 ; b=18696 ; c=26f2          (without the blanks; numbers in hex)
 *      run         job    seqnum   bytes     records
 *
 * bytes and records count the output (not the notes) up to and with that record: so what a reader lost is
 * one subtraction, also when the record is long gone. The job is its serial number, for an Id can be used
 * again.
 */

#include <stdint.h>

#include "basic/macro.h"

typedef struct RingPosition {
        uint64_t seqnum;  /* of the record before this place; 0: the very beginning */
        uint64_t bytes;   /* of output, up to here */
        uint64_t records; /* of output, up to here */
} RingPosition;

typedef struct LogIdentity {
        uint64_t run[2]; /* random, one a start of reeve */
        uint64_t serial; /* of the job in that run */
} LogIdentity;

#define CURSOR_TEXT_MAX 128U

void cursor_format(const LogIdentity *log, const RingPosition *position, char buf[static CURSOR_TEXT_MAX]);
/* -EBADMSG: malformed; -ESTALE: of another run or another job. */
int cursor_parse(const char *text, const LogIdentity *log, RingPosition *ret);
