/* As systemctl(1) takes names: nobody wants to write ".service" each time. */

#include "ctl/unit-text.h"

#include <inttypes.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl/text.h"
#include "unit/name.h"

char *unit_full_name(const char *name)
{
        return unit_name_kind(name) == UNIT_NAME_INVALID ? str_printf("%s.service", name) : str_copy(name);
}

void unit_problem_format(Buffer *b, const char *file, uint32_t line, const char *message)
{
        text_escape(b, file);
        if (line > 0)
                buffer_printf(b, ":%" PRIu32, line);
        buffer_append_string(b, ": ");
        text_escape(b, message);
        buffer_append_string(b, "\n");
}
