/* Times and sizes as people read them. The timestamp is journalctl's short-iso-precise, because what reads
 * logs today reads that; the spans and sizes are what parse_usec() and parse_bytes() take back. */

#include "basic/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void format_timestamp_iso(usec_t realtime, char *buf, size_t size)
{
        char date[32], zone[16];
        time_t seconds = realtime / USEC_PER_SEC;
        struct tm tm;

        /* localtime_r() looks at the zone file once, the first time; it fails for years beyond an int only.
         */
        if (!localtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
            strftime(zone, sizeof(zone), "%z", &tm) == 0) {
                snprintf(buf, size, "@%" PRIu64, realtime / USEC_PER_SEC);
                return;
        }
        snprintf(buf, size, "%s.%06" PRIu64 "%s", date, realtime % USEC_PER_SEC, zone);
}

/* value / unit with up to three decimals, those that are zero at the end left out. */
static void format_decimal(uint64_t value, uint64_t unit, const char *name, char *buf, size_t size)
{
        char decimals[16];
        int digits = 3;

        snprintf(decimals, sizeof(decimals), "%03u", (unsigned) (value % unit * 1000 / unit));
        while (digits > 0 && decimals[digits - 1] == '0')
                digits--;
        snprintf(buf, size, "%" PRIu64 "%s%.*s%s", value / unit, digits > 0 ? "." : "", digits, decimals,
                 name);
}

void format_timespan(usec_t span, char *buf, size_t size)
{
        static const struct {
                const char *name;
                usec_t length;
        } units[] = {
                {"d", 86400 * USEC_PER_SEC},
                {"h", 3600 * USEC_PER_SEC},
                {"min", 60 * USEC_PER_SEC},
                {"s", USEC_PER_SEC},
        };
        size_t used = 0;

        if (span == USEC_INFINITY)
                snprintf(buf, size, "infinity");
        else if (span == 0)
                snprintf(buf, size, "0");
        else if (span < USEC_PER_MSEC)
                snprintf(buf, size, "%" PRIu64 "us", span);
        else if (span < USEC_PER_SEC)
                format_decimal(span, USEC_PER_MSEC, "ms", buf, size);
        else if (span < 60 * USEC_PER_SEC)
                format_decimal(span, USEC_PER_SEC, "s", buf, size);
        else
                /* From a minute on nobody reads fractions of a second. */
                for (size_t i = 0; i < ELEMENTSOF(units) && used < size; i++) {
                        if (span < units[i].length)
                                continue;
                        used += snprintf(buf + used, size - used, "%s%" PRIu64 "%s", used > 0 ? " " : "",
                                         span / units[i].length, units[i].name);
                        span %= units[i].length;
                }
}

void format_bytes(uint64_t n, char *buf, size_t size)
{
        static const char suffixes[] = "BKMGTPE";
        unsigned i = 0, tenths;
        uint64_t unit = 1;

        if (n == UINT64_MAX) { /* as the parser and the cgroup files have it: no limit */
                snprintf(buf, size, "infinity");
                return;
        }
        while (n / unit >= 1024) {
                unit *= 1024;
                i++;
        }

        /* The remainder is below 2^60, so ten times it fits. Rounded down: what is shown as 2G is never
         * less. */
        tenths = n % unit * 10 / unit;
        if (tenths > 0)
                snprintf(buf, size, "%" PRIu64 ".%u%c", n / unit, tenths, suffixes[i]);
        else
                snprintf(buf, size, "%" PRIu64 "%c", n / unit, suffixes[i]);
}
