/*
 * The corpus as an ordinary test, for compilers without libFuzzer: each file below the folders that are
 * named is one input, and so is each of its beginnings of up to 64 lengths, since what is cut off in the
 * middle is what finds most.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define BYTES_MAX (1024UL * 1024)
#define PIECES 64

static void run(const uint8_t *data, size_t size)
{
        uint8_t *copy = malloc(size ? size : 1); /* of that very size, so that a sanitizer sees its end */

        if (!copy)
                abort();
        memcpy(copy, data, size);
        (void) LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static int run_file(const char *path)
{
        FILE *f = fopen(path, "re");
        uint8_t *data = malloc(BYTES_MAX);
        size_t size, step;

        if (!f || !data) {
                fprintf(stderr, "%s: cannot be read\n", path);
                return -1;
        }
        size = fread(data, 1, BYTES_MAX, f);
        fclose(f);
        step = size / PIECES + 1;
        for (size_t n = 0; n < size; n += step)
                run(data, n);
        run(data, size);
        free(data);
        return 0;
}

int main(int argc, char **argv)
{
        unsigned n = 0;

        for (int i = 1; i < argc; i++) {
                DIR *d = opendir(argv[i]);
                const struct dirent *entry;

                while (d && (entry = readdir(d))) {
                        char path[4096];

                        if (entry->d_name[0] == '.')
                                continue;
                        snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
                        if (run_file(path) < 0)
                                return EXIT_FAILURE;
                        n++;
                }
                if (d)
                        closedir(d);
        }
        printf("%u inputs\n", n);
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
