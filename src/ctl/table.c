/*
 * Two passes over the cells: how wide is each column, then print. What tables are read for is mostly the
 * columns on the left, and the last one (a command line) is the long one: so that is cut.
 */

#include "ctl/table.h"

#include <errno.h>
#include <stdarg.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/text.h"

#define GAP 2U
#define LAST_MIN 12U /* the last column is not cut below that: rather let the terminal wrap it */

void table_done(Table *t)
{
        t->cells = strv_free(t->cells);
}

void table_cell(Table *t, const char *format, ...)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;
        char *cell;
        va_list ap;

        va_start(ap, format);
        text = str_vprintf(format, ap);
        va_end(ap);

        text_escape(&b, isempty(text) ? "-" : text);
        cell = buffer_take(&b, NULL);
        if (!text || !cell || strv_consume(&t->cells, TAKE_PTR(cell)) < 0)
                t->error = -ENOMEM;
        free(cell);
}

static size_t column_width(const Table *t, size_t n_columns, size_t column)
{
        size_t width = text_width(t->headers[column]), n = strv_length(t->cells);

        for (size_t i = column; i < n; i += n_columns)
                width = MAX(width, text_width(t->cells[i]));
        return width;
}

static void format_last(Buffer *b, const char *cell, size_t room)
{
        if (text_width(cell) <= room)
                buffer_append_string(b, cell);
        else {
                buffer_append(b, cell, text_prefix(cell, room - 1));
                buffer_append_string(b, "…");
        }
        buffer_append_string(b, "\n");
}

void table_format(const Table *t, size_t columns, Buffer *b)
{
        _cleanup_free_ size_t *widths = NULL;
        size_t n_columns = 0, n_cells = strv_length(t->cells), left = 0, room;

        while (t->headers[n_columns])
                n_columns++;
        assert(n_columns > 0);
        widths = alloc_array(size_t, n_columns);
        if (!widths || t->error < 0) {
                b->error = -ENOMEM;
                return;
        }
        for (size_t i = 0; i + 1 < n_columns; i++) {
                widths[i] = column_width(t, n_columns, i);
                left += widths[i] + GAP;
        }
        room = columns == 0 ? SIZE_MAX : MAX(columns > left ? columns - left : 0, (size_t) LAST_MIN);

        for (size_t i = 0; i < n_columns + n_cells; i++) {
                const char *cell = i < n_columns ? t->headers[i] : t->cells[i - n_columns];
                size_t column = i % n_columns;

                if (column + 1 == n_columns) {
                        format_last(b, cell, room);
                        continue;
                }
                buffer_printf(b, "%s%*s", cell, (int) (widths[column] + GAP - text_width(cell)), "");
        }
}
