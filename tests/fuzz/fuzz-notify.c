/* A message of a notify socket: whatever it holds, what comes out lies within it, and within its ranges. */

#include <stdlib.h>

#include "basic/utf8.h"
#include "core/notify-message.h"
#include "fuzz.h"

#define HOLDS(expression)                                                                                   \
        do {                                                                                                \
                if (!(expression))                                                                          \
                        abort();                                                                            \
        } while (0)

static void check(const char *text, size_t size, const NotifyMessage *m)
{
        HOLDS(m->given >> _NOTIFY_KEY_MAX == 0);
        HOLDS(notify_message_has(m, NOTIFY_STATUS) == (m->status != NULL));
        HOLDS(!notify_message_has(m, NOTIFY_MAINPID) ||
              (m->numbers[NOTIFY_MAINPID] > 0 && m->numbers[NOTIFY_MAINPID] <= INT32_MAX));
        HOLDS(!notify_message_has(m, NOTIFY_ERRNO) || m->numbers[NOTIFY_ERRNO] <= 4095);
        HOLDS(!m->wrong || m->wrong[strlen(m->wrong) - 1] == '=');
        if (m->status) {
                char *shown = utf8_sanitize(m->status, m->status_size);

                HOLDS(m->status >= text && m->status + m->status_size <= text + size);
                HOLDS(!memchr(m->status, '\n', m->status_size) && !memchr(m->status, '\0', m->status_size));
                HOLDS(shown && utf8_is_valid(shown, strlen(shown)));
                free(shown);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        NotifyMessage m;
        bool has_nul = size > 0 && memchr(text, '\0', size - 1);

        HOLDS((notify_message_parse(text, size, &m) < 0) == has_nul);
        if (!has_nul)
                check(text, size, &m);
        return 0;
}
