#pragma once

/* For session.c and session-slice.c alone. */

#include "basic/macro.h"

typedef struct Scope Scope;
typedef struct ScopeKeeper ScopeKeeper;
typedef struct Session Session;
typedef struct SessionSet SessionSet;
typedef struct SessionSlice SessionSlice;

struct SessionSlice {
        Scope *scope;
        ScopeKeeper *keeper;
        unsigned n_ref;
};

int session_slice_new(SessionSet *set, const char *name, SessionSlice **ret);

void session_watch_init(Session *session);
/* Tells who waits for what has come true, or is not asked for any more; with gone all of them. */
void session_freezing_done(Session *session, bool gone);
/* Nobody asks for it, and nobody waits. */
void session_thaw(Session *session);
