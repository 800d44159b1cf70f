#pragma once

/*
 * What a job says at its notify socket, sd_notify(3): lines of KEY=VALUE. Pure text in, data out; what it
 * means for the job is core/notify.h's business. Of a key that comes twice the first counts, as in systemd;
 * keys that nobody here knows (X_…, BUSERROR, VARLINKERROR, …) are passed over.
 */

#include <stddef.h>

#include "basic/macro.h"
#include "basic/time.h"

/* What is either said or not. */
#define NOTIFY_WORDS(X)                                                                                     \
        X(READY, "READY=1")                                                                                 \
        X(RELOADING, "RELOADING=1")                                                                         \
        X(STOPPING, "STOPPING=1")                                                                           \
        X(WATCHDOG, "WATCHDOG=1")                                                                           \
        X(WATCHDOG_TRIGGER, "WATCHDOG=trigger")                                                             \
        X(FDSTORE, "FDSTORE=1")                                                                             \
        X(FDSTORE_REMOVE, "FDSTOREREMOVE=1")                                                                \
        X(BARRIER, "BARRIER=1")

/* What comes with a number: key, most, least. */
#define NOTIFY_NUMBERS(X)                                                                                   \
        X(MAINPID, "MAINPID=", INT32_MAX, 1)                                                                \
        X(ERRNO, "ERRNO=", 4095, 0)                                                                         \
        X(WATCHDOG_USEC, "WATCHDOG_USEC=", UINT64_MAX, 0)                                                   \
        X(EXTEND_TIMEOUT_USEC, "EXTEND_TIMEOUT_USEC=", UINT64_MAX, 0)                                       \
        X(MONOTONIC_USEC, "MONOTONIC_USEC=", UINT64_MAX, 0)

/* clang-format off */
typedef enum NotifyKey {
#define X(id, ...) NOTIFY_##id,
        NOTIFY_WORDS(X)
        NOTIFY_NUMBERS(X)
#undef X
        NOTIFY_STATUS,
        _NOTIFY_KEY_MAX,
} NotifyKey;
/* clang-format on */

typedef struct NotifyMessage {
        unsigned given;                    /* bit NotifyKey */
        uint64_t numbers[_NOTIFY_KEY_MAX]; /* of NOTIFY_NUMBERS, where given */
        const char *status;                /* within the text; NULL: none. Not checked to be UTF-8 */
        size_t status_size;
        const char *wrong; /* the first key whose value is none ("MAINPID="); NULL: all are right */
} NotifyMessage;

static inline bool notify_message_has(const NotifyMessage *m, NotifyKey key)
{
        return m->given & (1U << key);
}

/* text must outlive *ret. A NUL may stand at its end, not within: -EBADMSG. */
int notify_message_parse(const char *text, size_t size, NotifyMessage *ret);
