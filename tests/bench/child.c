/*
 * The programs that the benchmarks run, as one static one, so that starting it takes next to nothing:
 *
 *      write BYTES BLOCK [LINE]   BYTES to stdout, BLOCK at a time; with a newline every LINE bytes
 *      flood BLOCK LINE           the same without end
 *      idle                       nothing, for ever
 *      tree N                     N children that do nothing; "ready" when all are there
 *      orphans N                  the same, but the children end when this process does
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_MAX 65536

static _Noreturn void idle(void)
{
        for (;;)
                pause();
}

static void fail(const char *what)
{
        perror(what);
        _exit(EXIT_FAILURE);
}

/* bytes 0: without end. line 0: no newlines. */
static int write_blocks(unsigned long long bytes, size_t block, size_t line)
{
        static char buf[BLOCK_MAX];

        if (block == 0 || block > sizeof(buf))
                return EXIT_FAILURE;
        memset(buf, 'x', block);
        for (size_t i = line; line > 0 && i <= block; i += line)
                buf[i - 1] = '\n';
        for (unsigned long long done = 0; bytes == 0 || done < bytes; done += block)
                if (write(STDOUT_FILENO, buf, block) != (ssize_t) block)
                        fail("write");
        return EXIT_SUCCESS;
}

/* until_end: the children go when we do, which closes the pipe that they read. */
static void make_children(unsigned long n, bool until_end)
{
        int fds[2];
        char c;

        if (pipe(fds) < 0)
                fail("pipe");
        for (unsigned long i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        fail("fork");
                if (pid > 0)
                        continue;
                if (!until_end)
                        idle();
                close(fds[1]);
                close(STDOUT_FILENO);
                close(STDERR_FILENO);
                _exit(read(fds[0], &c, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        if (write(STDOUT_FILENO, "ready\n", 6) != 6)
                fail("write");
        idle();
}

int main(int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "";
        unsigned long long a = argc > 2 ? strtoull(argv[2], NULL, 10) : 0,
                           b = argc > 3 ? strtoull(argv[3], NULL, 10) : 0,
                           c = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;

        if (strcmp(verb, "write") == 0)
                return write_blocks(a, (size_t) b, (size_t) c);
        if (strcmp(verb, "flood") == 0)
                return write_blocks(0, (size_t) a, (size_t) b);
        if (strcmp(verb, "idle") == 0)
                idle();
        if (strcmp(verb, "tree") == 0)
                make_children((unsigned long) a, false);
        if (strcmp(verb, "orphans") == 0)
                make_children((unsigned long) a, true);
        fprintf(stderr, "bench-child: see its source\n");
        return EXIT_FAILURE;
}
