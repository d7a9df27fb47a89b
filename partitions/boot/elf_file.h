/* SPDX-License-Identifier: Apache-2.0 */
/** Reads the headers of an untrusted ELF file into a checked private form, and loads its segments. */
#ifndef BOOT_ELF_FILE_H
#define BOOT_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "window.h"

#define ELF_SEGMENT_MAX 32u

struct elf_segment {
	uint64_t offset, file_size, mem_size; /* file bytes lie inside the file */
	uint64_t vaddr, paddr;
};

struct elf_image {
	const uint8_t *file;
	uint64_t entry; /* physical */
	bool has_pvh;
	uint64_t pvh_entry; /* physical, from XEN_ELFNOTE_PHYS32_ENTRY */
	uint32_t segment_count;
	struct elf_segment segments[ELF_SEGMENT_MAX];
};

/** True if the file starts like an ELF file. */
bool elf_check_magic(const void *file, size_t size);

/** Decodes and checks the headers of an x86 ELF32 or ELF64 executable. -BH_INVAL or -BH_NOSUPP. */
int elf_decode(const void *file, size_t size, struct elf_image *ret_image);

/** Claims and fills the memory of all segments. -BH_RANGE: outside RAM or on top of each other. */
int elf_load(const struct elf_image *image, struct window *w);

/** True if a physical address lies in a segment, so that code can start there. */
bool elf_contains(const struct elf_image *image, uint64_t paddr);

#endif
