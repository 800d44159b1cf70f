/*
 * Bytes for identities: of a job, of this run of reeve. At the boot of a virtual machine the kernel may have
 * no entropy yet, and getrandom(2) would wait for it, perhaps for ever in a machine where nothing happens
 * before PID 1 goes on.
 */

#include "sys/entropy.h"

#include <stdint.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"

/* splitmix64 (Vigna): each step of the counter gives a well mixed number. */
static uint64_t mix(uint64_t *state)
{
        uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static void random_stand_in(unsigned char *p, size_t size)
{
        static uint64_t calls;
        struct timespec real = {0}, mono = {0};
        uint64_t state;

        (void) clock_gettime(CLOCK_REALTIME, &real);
        (void) clock_gettime(CLOCK_MONOTONIC, &mono);
        state = (uint64_t) real.tv_sec * UINT64_C(1000000007) ^ (uint64_t) real.tv_nsec << 20;
        state ^= (uint64_t) mono.tv_nsec ^ (uint64_t) mono.tv_sec << 40;
        state ^= (uint64_t) (uintptr_t) &calls ^ (uint64_t) (uintptr_t) &real << 16;
        state ^= (uint64_t) getpid() << 48;
        state += ++calls << 32;

        while (size > 0) {
                uint64_t word = mix(&state);
                size_t n = MIN(size, sizeof(word));

                memcpy(p, &word, n);
                p += n;
                size -= n;
        }
}

void random_bytes(void *buf, size_t size)
{
        unsigned char *p = buf;

        while (size > 0) {
                ssize_t n = getrandom(p, size, GRND_NONBLOCK);

                if (n <= 0) {
                        random_stand_in(p, size);
                        return;
                }
                p += n;
                size -= (size_t) n;
        }
}
