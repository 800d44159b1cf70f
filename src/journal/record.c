/* The words for streams. The layout of a record is in record.h, drawn; the code that writes and reads it is
 * ring.c alone. */

#include "journal/record.h"

#include <errno.h>

static const char *const stream_names[_STREAM_MAX] = {
        [STREAM_STDOUT] = "stdout",
        [STREAM_STDERR] = "stderr",
        [STREAM_NOTE] = "note",
};

const char *stream_to_string(Stream stream)
{
        return (unsigned) stream < _STREAM_MAX ? stream_names[stream] : NULL;
}

int stream_from_string(const char *s)
{
        for (int i = STREAM_STDOUT; i < _STREAM_MAX; i++)
                if (streq(s, stream_names[i]))
                        return i;
        return -EINVAL;
}
