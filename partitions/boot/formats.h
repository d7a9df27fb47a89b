/* SPDX-License-Identifier: Apache-2.0 */
/** The boot protocols behind image_load, one file each. */
#ifndef BOOT_FORMATS_H
#define BOOT_FORMATS_H

#include <stdbool.h>
#include "elf_file.h"
#include "image.h"
#include "window.h"

struct image_request {
	const uint8_t *file;
	size_t size;
	const void *initrd;
	size_t initrd_size;
	const char *cmdline;
	uint64_t acpi_rsdp_gpa;
	uint32_t tsc_khz;
};

/** True if the first 8 KiB hold a multiboot 1 header with a correct checksum. */
bool multiboot_check(const struct image_request *rq);
int multiboot_load(const struct image_request *rq, const struct elf_image *elf, struct window *w,
		   struct bh_vcpu_start *ret_start);

int pvh_load(const struct image_request *rq, const struct elf_image *elf, struct window *w,
	     struct bh_vcpu_start *ret_start);

/** True if the file carries the header of the Linux boot protocol. */
bool bzimage_check(const struct image_request *rq);
int bzimage_load(const struct image_request *rq, struct window *w, struct bh_vcpu_start *ret_start);

#define IMAGE_WORD_MAX 32u

/** The word that tells Linux the rate of its time-stamp counter, in ret_word; NULL if that is not known. */
const char *image_tsc_word(const struct image_request *rq, char ret_word[IMAGE_WORD_MAX]);

/** Puts the initrd, if there is one, at the top of RAM below `limit`. gpa 0 = none. */
int image_load_initrd(const struct image_request *rq, struct window *w, uint64_t limit,
		      uint64_t *ret_gpa);

#endif
