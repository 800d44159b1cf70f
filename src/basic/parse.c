/* Strict readers of numbers. strtoull(3) takes blanks, signs and whatever follows, and wraps a negative
 * number around; what comes from clients, unit files and the kernel is held to what it may be. Units are
 * those of systemd, since its users write them: systemd.time(7), systemd.resource-control(5). */

#include "basic/parse.h"

#include <errno.h>
#include <signal.h>
#include <strings.h>

#include "basic/time.h"

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* The digits at *s, and moves *s behind them. */
static int scan_digits(const char **s, unsigned base, uint64_t *ret)
{
        const char *p = *s;
        uint64_t n = 0;

        if (!is_digit(*p) || *p - '0' >= base)
                return -EINVAL;
        for (; is_digit(*p) && *p - '0' < base; p++)
                if (__builtin_mul_overflow(n, (uint64_t) base, &n) ||
                    __builtin_add_overflow(n, (uint64_t) (*p - '0'), &n)) {
                        /* Not a number at all beats too large a number. */
                        while (is_digit(*p))
                                p++;
                        return *p ? -EINVAL : -ERANGE;
                }
        *s = p;
        *ret = n;
        return 0;
}

int parse_bool(const char *s)
{
        static const char *const words[][2] = {
                {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}, {"n", "y"}, {"f", "t"},
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (int value = 0; value < 2; value++)
                        if (strcasecmp(s, words[i][value]) == 0)
                                return value;
        return -EINVAL;
}

int parse_u64(const char *s, uint64_t *ret)
{
        uint64_t n;
        int r;

        r = scan_digits(&s, 10, &n);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        *ret = n;
        return 0;
}

int parse_i64(const char *s, int64_t *ret)
{
        bool negative = *s == '-';
        uint64_t n;
        int r;

        r = parse_u64(s + negative, &n);
        if (r < 0)
                return r;
        if (n > (uint64_t) INT64_MAX + negative)
                return -ERANGE;
        *ret = negative ? (int64_t) -n : (int64_t) n;
        return 0;
}

int parse_mode(const char *s, uint32_t *ret)
{
        uint64_t n;
        int r;

        r = scan_digits(&s, 8, &n);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        if (n > 07777)
                return -ERANGE;
        *ret = n;
        return 0;
}

/* A number with an optional fraction, not yet multiplied by its unit. */
typedef struct Decimal {
        uint64_t whole, fraction, divisor; /* whole + fraction / divisor */
} Decimal;

static int scan_decimal(const char **s, Decimal *ret)
{
        Decimal d = {.divisor = 1};
        const char *p = *s;
        int r;

        r = scan_digits(&p, 10, &d.whole);
        if (r < 0)
                return r;
        if (*p == '.') {
                if (!is_digit(*++p))
                        return -EINVAL;
                /* What comes after 18 digits is below every unit. */
                for (; is_digit(*p); p++)
                        if (d.divisor < UINT64_C(1000000000000000000)) {
                                d.fraction = d.fraction * 10 + (*p - '0');
                                d.divisor *= 10;
                        }
        }
        *s = p;
        *ret = d;
        return 0;
}

static int decimal_multiply(const Decimal *d, uint64_t unit, uint64_t *ret)
{
        uint64_t n;

        if (__builtin_mul_overflow(d->whole, unit, &n) ||
            __builtin_add_overflow(n, (uint64_t) ((__uint128_t) d->fraction * unit / d->divisor), &n))
                return -ERANGE;
        *ret = n;
        return 0;
}

int parse_bytes(const char *s, uint64_t *ret)
{
        static const char suffixes[] = "BKMGTPE";
        const char *suffix;
        Decimal d;
        int r;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = scan_decimal(&s, &d);
        if (r < 0)
                return r;
        if (*s == 0 || streq(s, "B")) {
                if (d.divisor > 1) /* half a byte */
                        return -EINVAL;
                *ret = d.whole;
                return 0;
        }
        suffix = strchr(suffixes, *s);
        if (!suffix || s[1])
                return -EINVAL;
        return decimal_multiply(&d, UINT64_C(1) << (10 * (suffix - suffixes)), ret);
}

static const struct {
        const char *names; /* a blank around each */
        usec_t length;
} time_units[] = {
        {" us usec \xc2\xb5s \xce\xbcs ", 1}, /* both signs that look like a mu */
        {" ms msec ", USEC_PER_MSEC},
        {" s sec second seconds ", USEC_PER_SEC},
        {" m min minute minutes ", 60 * USEC_PER_SEC},
        {" h hr hour hours ", 3600 * USEC_PER_SEC},
        {" d day days ", 86400 * USEC_PER_SEC},
        {" w week weeks ", 604800 * USEC_PER_SEC},
        {" M month months ", 2629800 * USEC_PER_SEC},
        {" y year years ", 31557600 * USEC_PER_SEC},
};

/* 0: no such unit. */
static usec_t time_unit(const char *s, size_t n)
{
        if (n == 0)
                return USEC_PER_SEC;
        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                for (const char *p = time_units[i].names; (p = memmem(p, strlen(p), s, n)); p++)
                        if (p[-1] == ' ' && p[n] == ' ')
                                return time_units[i].length;
        return 0;
}

int parse_usec(const char *s, uint64_t *ret)
{
        usec_t sum = 0;

        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }

        do {
                usec_t part, unit;
                Decimal d;
                size_t n;
                int r;

                r = scan_decimal(&s, &d);
                if (r < 0)
                        return r;
                /* "2 h" is two hours, "1min 30" is ninety seconds: a blank may stand on either side. */
                n = strspn(s, " ");
                if (s[n] && !is_digit(s[n]))
                        s += n;
                n = strcspn(s, " .0123456789");
                unit = time_unit(s, n);
                if (unit == 0)
                        return -EINVAL;
                s += n;
                n = strspn(s, " ");
                if (s[n]) /* none at the end */
                        s += n;

                r = decimal_multiply(&d, unit, &part);
                if (r < 0)
                        return r;
                /* USEC_INFINITY is said with its word only. */
                if (__builtin_add_overflow(sum, part, &sum) || sum == USEC_INFINITY)
                        return -ERANGE;
        } while (*s);

        *ret = sum;
        return 0;
}

/* The numbers are those of signal(7), the real-time ones counted from glibc's SIGRTMIN, which is 34: the two
 * below it belong to libc and have no name, but they can be sent and seen. sigabbrev_np(3) knows the names
 * without their SIG only, and none of the real-time ones. */
/* clang-format off */
#define S(name) [SIG##name] = "SIG" #name
#define RT(n) [34 + (n)] = "SIGRTMIN+" #n
static const char *const signals[65] = {
        S(HUP), S(INT), S(QUIT), S(ILL), S(TRAP), S(ABRT), S(BUS), S(FPE), S(KILL), S(USR1), S(SEGV),
        S(USR2), S(PIPE), S(ALRM), S(TERM), S(STKFLT), S(CHLD), S(CONT), S(STOP), S(TSTP), S(TTIN), S(TTOU),
        S(URG), S(XCPU), S(XFSZ), S(VTALRM), S(PROF), S(WINCH), S(IO), S(PWR), S(SYS),
        [32] = "32", [33] = "33", [34] = "SIGRTMIN",
        RT(1), RT(2), RT(3), RT(4), RT(5), RT(6), RT(7), RT(8), RT(9), RT(10), RT(11), RT(12), RT(13),
        RT(14), RT(15), RT(16), RT(17), RT(18), RT(19), RT(20), RT(21), RT(22), RT(23), RT(24), RT(25),
        RT(26), RT(27), RT(28), RT(29), RT(30),
};
#undef S
#undef RT
/* clang-format on */

const char *signal_name(int sig)
{
        return sig >= 1 && sig < (int) ELEMENTSOF(signals) ? signals[sig] : NULL;
}

static int parse_realtime_signal(const char *s, int *ret)
{
        const char *rest = startswith(s, "RTMIN");
        bool from_max = !rest;
        uint64_t n = 0;
        int r;

        if (!rest)
                rest = startswith(s, "RTMAX");
        if (!rest)
                return -EINVAL;
        if (*rest) {
                if (*rest != (from_max ? '-' : '+'))
                        return -EINVAL;
                r = parse_u64(rest + 1, &n);
                if (r < 0)
                        return r;
                if (n > 30)
                        return -ERANGE;
        }
        *ret = from_max ? 64 - (int) n : 34 + (int) n;
        return 0;
}

int parse_signal(const char *s, int *ret)
{
        const char *name = startswith(s, "SIG") ?: s;
        uint64_t n;
        int r;

        if (is_digit(*s)) {
                r = parse_u64(s, &n);
                if (r < 0)
                        return r;
                if (n < 1 || n > 64)
                        return -ERANGE;
                *ret = n;
                return 0;
        }

        for (int sig = 1; sig < 32; sig++)
                if (streq(name, signals[sig] + strlen("SIG"))) {
                        *ret = sig;
                        return 0;
                }
        return parse_realtime_signal(name, ret);
}
