/*
 * The table. Rows are made in the driver's process and printed by main() when all of them are there; they
 * are smaller than PIPE_BUF, so a write(2) of one is whole or not at all.
 */

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

static_assert(sizeof(Row) <= PIPE_BUF, "a row is written whole");

static void row_send(const Run *run, const Row *row)
{
        if (write(run->rows_fd, row, sizeof(*row)) != (ssize_t) sizeof(*row))
                bench_fail("cannot hand in a row: %m");
}

void row_add(const Run *run, RowKind kind, double reeve, double baseline, const char *unit, double goal,
             const char *name)
{
        Row row = {.kind = kind, .reeve = reeve, .baseline = baseline, .goal = goal};

        snprintf(row.name, sizeof(row.name), "%s", name);
        snprintf(row.unit, sizeof(row.unit), "%s", unit);
        row_send(run, &row);
}

void row_skip(const Run *run, const char *name, const char *why)
{
        Row row = {.kind = ROW_SKIPPED};

        snprintf(row.name, sizeof(row.name), "%s", name);
        snprintf(row.note, sizeof(row.note), "%s", why);
        row_send(run, &row);
}

static void format_value(char *buf, size_t size, double value, const char *unit)
{
        int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;

        snprintf(buf, size, "%.*f %s", digits, value, unit);
}

static void format_goal(char *buf, size_t size, const Row *row)
{
        switch (row->kind) {
        case ROW_RATIO_MAX: snprintf(buf, size, "<= %g", row->goal); break;
        case ROW_RATIO_MIN: snprintf(buf, size, ">= %g", row->goal); break;
        case ROW_VALUE_MAX: snprintf(buf, size, "<= %g %s", row->goal, row->unit); break;
        default: snprintf(buf, size, "-"); break;
        }
}

static const char *row_met(const Row *row)
{
        double ratio = row->baseline > 0 ? row->reeve / row->baseline : 0;

        switch (row->kind) {
        case ROW_RATIO_MAX: return ratio <= row->goal ? "yes" : "NO";
        case ROW_RATIO_MIN: return ratio >= row->goal ? "yes" : "NO";
        case ROW_VALUE_MAX: return row->reeve <= row->goal ? "yes" : "NO";
        default: return "-";
        }
}

static void row_print(const Row *row)
{
        char reeve[32], baseline[32] = "-", ratio[32] = "-", goal[32];

        if (row->kind == ROW_SKIPPED) {
                printf("%-38s skipped: %s\n", row->name, row->note);
                return;
        }
        format_value(reeve, sizeof(reeve), row->reeve, row->unit);
        if (row->baseline >= 0)
                format_value(baseline, sizeof(baseline), row->baseline, row->unit);
        if (row->baseline > 0)
                snprintf(ratio, sizeof(ratio), "%.2f", row->reeve / row->baseline);
        format_goal(goal, sizeof(goal), row);
        printf("%-38s %14s %14s %7s %12s  %s\n", row->name, reeve, baseline, ratio, goal, row_met(row));
}

void table_print(const Row *rows, size_t n)
{
        printf("%-38s %14s %14s %7s %12s  %s\n", "name", "reeve", "baseline", "ratio", "goal", "met");
        for (size_t i = 0; i < n; i++)
                row_print(&rows[i]);
        fflush(stdout);
}
