/*
 * What is to be known before a crash, since the loader cannot be asked in one: where the program and its
 * libraries lie, and the build id that the linker gave it, by which its symbols are found.
 */

#include <elf.h>
#include <link.h>

#include "sys/crash-internal.h"

static void read_build_id(CrashModules *m, const char *note, size_t size)
{
        static const char digits[] = "0123456789abcdef";

        while (size >= sizeof(ElfW(Nhdr))) {
                const ElfW(Nhdr) *header = (const void *) note;
                size_t name = sizeof(*header), data = name + (((size_t) header->n_namesz + 3) & ~3UL);
                size_t next = data + (((size_t) header->n_descsz + 3) & ~3UL);

                if (next > size)
                        return;
                if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 &&
                    memcmp(note + name, "GNU", 4) == 0) {
                        size_t n = MIN((size_t) header->n_descsz, (sizeof(m->build_id) - 1) / 2);

                        for (size_t i = 0; i < n; i++) {
                                unsigned byte = (unsigned char) note[data + i];

                                m->build_id[2 * i] = digits[byte >> 4];
                                m->build_id[2 * i + 1] = digits[byte & 15];
                        }
                        m->build_id[2 * n] = '\0';
                        return;
                }
                note += next;
                size -= next;
        }
}

static int add_module(struct dl_phdr_info *info, size_t size, void *data)
{
        CrashModules *m = data;
        CrashModule *module = &m->modules[m->n];
        const char *slash, *name;

        if (m->n >= ELEMENTSOF(m->modules))
                return 1;
        *module = (CrashModule){.base = info->dlpi_addr, .start = UINTPTR_MAX};
        for (size_t i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = &info->dlpi_phdr[i];
                uintptr_t at = info->dlpi_addr + p->p_vaddr;

                if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
                        module->start = MIN(module->start, at);
                        module->end = MAX(module->end, at + p->p_memsz);
                } else if (p->p_type == PT_NOTE && m->n == 0 && !m->build_id[0]) {
                        read_build_id(m, (const char *) at, p->p_memsz);
                }
        }
        /* The program comes first, and without a name. */
        name = m->n == 0 ? "reeve" : info->dlpi_name;
        slash = strrchr(name, '/');
        name = slash ? slash + 1 : name;
        memcpy(module->name, name, strnlen(name, sizeof(module->name) - 1));
        m->n++;
        return 0;
}

void crash_modules_find(CrashModules *ret)
{
        *ret = (CrashModules){0};
        (void) dl_iterate_phdr(add_module, ret);
}
