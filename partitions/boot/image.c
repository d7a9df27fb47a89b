/* SPDX-License-Identifier: Apache-2.0 */
/** Finds out the format of an image and hands it to the loader of that format. */
#include "image.h"
#include <string.h>
#include "elf_file.h"
#include "formats.h"
#include "window.h"

int image_load_initrd(const struct image_request *rq, struct window *w, uint64_t limit,
		      uint64_t *ret_gpa)
{
	uint64_t gpa;

	if (rq->initrd == NULL || rq->initrd_size == 0) {
		*ret_gpa = 0;
		return 0;
	}
	int err = window_claim_top(w, rq->initrd_size, limit, &gpa);

	if (err != 0) {
		return err;
	}
	memcpy(window_at(w, gpa), rq->initrd, rq->initrd_size);
	*ret_gpa = gpa;
	return 0;
}

const char *image_tsc_word(const struct image_request *rq, char ret_word[IMAGE_WORD_MAX])
{
	static const char name[] = "tsc_early_khz=";
	char digits[10];
	unsigned int count = 0;
	char *to = ret_word + sizeof(name) - 1;

	if (rq->tsc_khz == 0) {
		return NULL;
	}
	for (uint32_t rest = rq->tsc_khz; rest != 0; rest /= 10) {
		digits[count++] = (char)('0' + rest % 10);
	}
	memcpy(ret_word, name, sizeof(name) - 1);
	while (count != 0) {
		*to++ = digits[--count];
	}
	*to = 0;
	return ret_word;
}

int image_load(const void *file, size_t size, const void *initrd, size_t initrd_size,
	       const char *cmdline, void *ram, uint64_t ram_size, uint64_t acpi_rsdp_gpa,
	       uint32_t tsc_khz, struct bh_vcpu_start *ret_start)
{
	const struct image_request rq = { file,	   size,	  initrd, initrd_size,
					  cmdline, acpi_rsdp_gpa, tsc_khz };
	struct elf_image elf;
	struct window w;
	int err = window_init(&w, ram, ram_size);

	if (err != 0) {
		return err;
	}
	if (bzimage_check(&rq)) {
		return bzimage_load(&rq, &w, ret_start);
	}
	err = elf_decode(file, size, &elf);
	if (err != 0) {
		return err;
	}
	/* A file that offers both is a test kernel made for QEMU, which looks in this order too. */
	if (multiboot_check(&rq)) {
		return multiboot_load(&rq, &elf, &w, ret_start);
	}
	if (elf.has_pvh) {
		return pvh_load(&rq, &elf, &w, ret_start);
	}
	return -BH_NOSUPP;
}
