/*
 * The way back from a fault. An unwinder would have to be loaded, allocates, and takes the loader's lock;
 * here the stack is read from its pointer upwards, once. Our own code keeps frame pointers
 * (-fno-omit-frame-pointer), so that the calls in it form a chain; the libraries do not. Where the chain is
 * lost, every return address into some module's text is told as a possible one, until the next word that
 * looks like a frame pointer of ours. A stale one among those costs its reader a moment; a missing one, the
 * bug.
 */

#include "sys/crash-internal.h"

#define CALLS_MAX 32
#define GUESSES_MAX 16
#define STACK_READ_MAX (256 * 1024)

typedef struct Registers {
        uintptr_t pc, sp, fp;
} Registers;

/* By the machine; zeroes where we do not know how. */
static Registers registers_of(const ucontext_t *context)
{
#if defined(__x86_64__) && defined(__LP64__)
        const greg_t *r = context->uc_mcontext.gregs;

        return (Registers){(uintptr_t) r[REG_RIP], (uintptr_t) r[REG_RSP], (uintptr_t) r[REG_RBP]};
#elif defined(__aarch64__)
        const mcontext_t *r = &context->uc_mcontext;

        return (Registers){r->pc, r->sp, r->regs[29]};
#else
        return (Registers){0};
#endif
}

static const CrashModule *module_of(const CrashModules *m, uintptr_t address)
{
        for (unsigned i = 0; i < m->n; i++)
                if (address >= m->modules[i].start && address < m->modules[i].end)
                        return &m->modules[i];
        return NULL;
}

/* Whether what lies before an address in some module's text is a call. */
static bool is_return_address(const CrashModules *m, uintptr_t address)
{
        const CrashModule *module = module_of(m, address);
        const uint8_t *p = (const uint8_t *) address;

        if (!module || address < module->start + 8)
                return false;
#if defined(__x86_64__)
        if (p[-5] == 0xe8)
                return true;
        for (int length = 2; length <= 7; length++) /* FF /2: through a register or memory */
                if (p[-length] == 0xff && (p[1 - length] & 0x38) == 0x10)
                        return true;
        return false;
#elif defined(__aarch64__)
        uint32_t instruction;

        memcpy(&instruction, p - 4, sizeof(instruction));
        return (instruction & 0xfc000000) == 0x94000000 || (instruction & 0xfffffc1f) == 0xd63f0000;
#else
        return p != NULL;
#endif
}

static void say(const CrashModules *m, const char *what, uintptr_t address)
{
        const CrashModule *module = module_of(m, address);
        CrashLine l = {0};

        crash_line_add(&l, what);
        if (module) {
                crash_line_add(&l, module->name);
                crash_line_add(&l, "+");
        }
        crash_line_add_hex(&l, module ? address - module->base : address);
        crash_line_say(&l);
}

static uintptr_t word_at(uintptr_t address)
{
        return *(const volatile uintptr_t *) address;
}

/* A frame is two words: the caller's frame, and the address to return to. */
static bool is_frame(const CrashModules *m, uintptr_t frame, uintptr_t above, uintptr_t end)
{
        return frame % sizeof(uintptr_t) == 0 && frame > above && frame < end &&
               end - frame >= 2 * sizeof(uintptr_t) &&
               is_return_address(m, word_at(frame + sizeof(uintptr_t)));
}

void crash_trace(const CrashModules *m, const ucontext_t *context, uintptr_t stack_end)
{
        Registers r = registers_of(context);
        uintptr_t frame, end = stack_end;
        unsigned calls = 0, guesses = 0;

        say(m, "    at ", r.pc);
        r.sp &= ~(sizeof(uintptr_t) - 1);
        if (r.sp == 0 || r.sp >= end)
                return;
        if (end - r.sp > STACK_READ_MAX)
                end = r.sp + STACK_READ_MAX;

        frame = is_frame(m, r.fp, r.sp - 1, end) ? r.fp : 0;
        for (uintptr_t at = r.sp; at < end && calls < CALLS_MAX; at += sizeof(uintptr_t)) {
                uintptr_t word = word_at(at);

                if (frame != 0 && at == frame + sizeof(uintptr_t)) {
                        say(m, "    called from ", word);
                        calls++;
                        frame = word_at(frame);
                        if (!is_frame(m, frame, at, end))
                                frame = 0;
                } else if (frame == 0 && is_frame(m, word, at, end)) {
                        frame = word;
                } else if ((frame == 0 || at == r.sp) && guesses < GUESSES_MAX &&
                           is_return_address(m, word)) {
                        /* At the pointer itself: of one that has no frame, or none yet. */
                        say(m, "    perhaps from ", word);
                        guesses++;
                }
        }
}
