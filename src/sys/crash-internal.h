#pragma once

/* What the files of the crash handler share. All but crash_modules_find() runs in the handler: nothing but
 * system calls and our own static memory. */

#include <signal.h>
#include <ucontext.h>

#include "sys/crash.h"

/* A line for stderr, put together by hand. What does not fit is left out. */
typedef struct CrashLine {
        size_t n;
        char text[256];
} CrashLine;

void crash_line_add(CrashLine *l, const char *s);
void crash_line_add_number(CrashLine *l, int64_t n);
void crash_line_add_hex(CrashLine *l, uintptr_t n);
/* With "reeve: " before it and a newline; the line is empty then. */
void crash_line_say(CrashLine *l);

/* The text of a module (the program is the first), so that addresses can be told as its file has them. */
typedef struct CrashModule {
        char name[32];
        uintptr_t base, start, end;
} CrashModule;

typedef struct CrashModules {
        CrashModule modules[16];
        unsigned n;
        char build_id[65]; /* of the program, in hex; "": it has none */
} CrashModules;

/* Before anything has gone wrong: the dynamic loader is asked. */
void crash_modules_find(CrashModules *ret);

/* Where the program was, and who called that: of the stack just what lies between its pointer and end is
 * looked at. It may fault all the same, when the pointer is wrong. */
void crash_trace(const CrashModules *m, const ucontext_t *context, uintptr_t stack_end);

/* Whether a signal with that code and sender is our own fault, or an order to end like one. */
bool crash_is_meant(int sig, int code, pid_t sender);
/* Another such order came in while stopping. */
bool crash_is_urgent(void);

/* Ends all processes: as PID 1 all there are, else those that descend from us. Returns when none is left, or
 * the time is over. */
void crash_stop(bool is_pid1, usec_t limit);
