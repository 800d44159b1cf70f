#pragma once

/*
 * What comes in on a connection, on its way to the library that reads it: piece by piece, never beyond the
 * end of a message, with the descriptors that came along counted and bounded. The library reads from the
 * other end of a pair of sockets.
 *
 * Why it stands between: sd-bus (252) forgets the descriptors of a message that it finds malformed, among
 * them all whose number is not what the message says; and it takes any number of them while a message is on
 * its way. Here a message has INLET_DESCRIPTORS_MAX of them at the most, which come with its whole header,
 * and that is right; and should one not be understood all the same, they are closed.
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/macro.h"

#define INLET_DESCRIPTORS_MAX 16U
#define INLET_MESSAGE_MAX (UINT32_C(128) * 1024 * 1024) /* of the D-Bus specification */
#define INLET_FIELDS_MAX (UINT32_C(256) * 1024)         /* of a header: sd-bus goes through it in one go */

typedef struct Inlet {
        int from;    /* the caller's socket; the owner's */
        int to;      /* our end of the pair */
        bool begun;  /* the authentication is over, messages follow */
        int matched; /* bytes of "BEGIN\r\n" seen since a line's start; -1: it is another line */
        char last;
        uint8_t header[16];
        size_t n_header;
        uint64_t n_messages;                /* that were complete, before this one */
        uint64_t size;                      /* of the message, once its header is there */
        uint64_t left;                      /* bytes of the message behind its header that are to come */
        size_t n_descriptors;               /* of the message */
        size_t n_untaken;                   /* the last of them, which the library has not read yet */
        int numbers[INLET_DESCRIPTORS_MAX]; /* that they have, or will have, there */
        char *rest;                         /* taken from the caller, but the pair was full */
        size_t n_rest;
} Inlet;

/* *ret_fd is what the library reads from, and the caller's to close. -errno. */
int inlet_init(Inlet *i, int from, int *ret_fd);
void inlet_done(Inlet *i);

/* One piece. Only when the library has read all that was given before. 1: there was one; 0: there is nothing
 * now; negative: the end, or nothing that can be let in. */
int inlet_move(Inlet *i);

/* Nothing has begun that is not complete: no authentication, no message. */
bool inlet_is_idle(const Inlet *i);

/* Before each time that the library may read. */
void inlet_foresee(Inlet *i);
/* The message is complete, and has descriptors: it must be known what becomes of them. */
bool inlet_is_owed(const Inlet *i);
/* The library has read all that it was given. */
bool inlet_is_taken(const Inlet *i);
/* When it has; understood: it has made a message of it. -EBADMSG: it has
 * not, and the descriptors that it forgot are closed. */
int inlet_settle(Inlet *i, bool understood);
