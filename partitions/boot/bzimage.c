/* SPDX-License-Identifier: Apache-2.0 */
/** Linux bzImage: setup header and zero page.
 *  Source: Linux Documentation/arch/x86/boot.rst "The Real-Mode Kernel Header", "32-bit Boot Protocol";
 *  zero-page.rst. */
#include <string.h>
#include "formats.h"

/* Offsets in file and zero page alike. */
#define BZ_ACPI_RSDP       0x070u
#define BZ_E820_COUNT      0x1e8u
#define BZ_SETUP_SECTS     0x1f1u
#define BZ_JUMP_LENGTH     0x201u
#define BZ_MAGIC           0x202u
#define BZ_VERSION         0x206u
#define BZ_LOADER_TYPE     0x210u
#define BZ_LOADFLAGS       0x211u
#define BZ_CODE32_START    0x214u
#define BZ_RAMDISK_IMAGE   0x218u
#define BZ_RAMDISK_SIZE    0x21cu
#define BZ_CMDLINE         0x228u
#define BZ_INITRD_ADDR_MAX 0x22cu
#define BZ_CMDLINE_SIZE    0x238u
#define BZ_PREF_ADDRESS    0x258u
#define BZ_INIT_SIZE       0x260u
#define BZ_HEADER_END      0x264u
#define BZ_E820            0x2d0u

#define BZ_ZERO_PAGE    4096u
#define BZ_SECTOR       512u
#define BZ_VERSION_MIN  0x020au /* first with pref_address and init_size */
#define BZ_LOADED_HIGH  0x01u
#define BZ_LOADER_OTHER 0xffu
#define BZ_LOAD_ADDRESS 0x100000u

static uint32_t get32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static void put32(uint8_t *at, uint64_t v)
{
	const uint32_t low = (uint32_t)v;

	memcpy(at, &low, sizeof(low));
}

static void put64(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

bool bzimage_check(const struct image_request *rq)
{
	return rq->size >= BZ_HEADER_END && memcmp(rq->file + BZ_MAGIC, "HdrS", 4) == 0 &&
	       rq->file[0x1fe] == 0x55 && rq->file[0x1ff] == 0xaa;
}

/* Claims all the memory that the kernel wants before it reads the memory map. */
static int kernel_load(const struct image_request *rq, const uint8_t *header, struct window *w)
{
	uint64_t sects = header[BZ_SETUP_SECTS] == 0 ? 4 : header[BZ_SETUP_SECTS];
	uint64_t setup = (sects + 1) * BZ_SECTOR;
	uint64_t pref = get64(header + BZ_PREF_ADDRESS);
	uint64_t init_size = get32(header + BZ_INIT_SIZE);

	if (setup >= rq->size) {
		return -BH_INVAL;
	}
	uint64_t end = BZ_LOAD_ADDRESS + (rq->size - setup);

	if (pref > IMAGE_RAM_MAX) {
		return -BH_RANGE;
	}
	if (pref + init_size > end) {
		end = pref + init_size;
	}
	if (BZ_LOAD_ADDRESS + init_size > end) {
		end = BZ_LOAD_ADDRESS + init_size;
	}
	int err = window_claim(w, BZ_LOAD_ADDRESS, end - BZ_LOAD_ADDRESS);

	if (err != 0) {
		return err;
	}
	memcpy(window_at(w, BZ_LOAD_ADDRESS), rq->file + setup, rq->size - setup);
	return 0;
}

int bzimage_load(const struct image_request *rq, struct window *w, struct bh_vcpu_start *ret_start)
{
	struct window_map_entry map[WINDOW_MAP_COUNT];
	uint8_t header[BZ_HEADER_END];
	uint64_t zero_page, cmdline, initrd;
	char word[IMAGE_WORD_MAX];
	size_t text_max;

	memcpy(header, rq->file, sizeof(header));
	if (((uint32_t)header[BZ_VERSION + 1] << 8 | header[BZ_VERSION]) < BZ_VERSION_MIN ||
	    (header[BZ_LOADFLAGS] & BZ_LOADED_HIGH) == 0) {
		return -BH_NOSUPP;
	}
	text_max = get32(header + BZ_CMDLINE_SIZE);
	if (rq->cmdline != NULL &&
	    (strlen(rq->cmdline) > text_max ||
	     (rq->tsc_khz != 0 && text_max - strlen(rq->cmdline) < IMAGE_WORD_MAX))) {
		return -BH_RANGE;
	}
	int err = kernel_load(rq, header, w);

	if (err != 0) {
		return err;
	}
	uint64_t initrd_limit = (uint64_t)get32(header + BZ_INITRD_ADDR_MAX) + 1;

	if ((err = image_load_initrd(rq, w, initrd_limit, &initrd)) != 0 ||
	    (err = window_data(w, BZ_ZERO_PAGE, &zero_page)) != 0 ||
	    (err = window_string(w, image_tsc_word(rq, word), rq->cmdline, &cmdline)) != 0) {
		return err;
	}
	uint8_t *zp = window_at(w, zero_page);
	size_t header_end = BZ_MAGIC + header[BZ_JUMP_LENGTH];

	if (header_end > sizeof(header)) {
		header_end = sizeof(header);
	}
	if (header_end > BZ_SETUP_SECTS) {
		memcpy(zp + BZ_SETUP_SECTS, header + BZ_SETUP_SECTS, header_end - BZ_SETUP_SECTS);
	}
	zp[BZ_LOADER_TYPE] = BZ_LOADER_OTHER;
	put32(zp + BZ_CODE32_START, BZ_LOAD_ADDRESS);
	put32(zp + BZ_CMDLINE, cmdline);
	put32(zp + BZ_RAMDISK_IMAGE, initrd);
	put32(zp + BZ_RAMDISK_SIZE, initrd == 0 ? 0 : rq->initrd_size);
	put64(zp + BZ_ACPI_RSDP, rq->acpi_rsdp_gpa);
	window_map(w, map);
	zp[BZ_E820_COUNT] = WINDOW_MAP_COUNT;
	for (uint32_t i = 0; i < WINDOW_MAP_COUNT; i++) {
		uint8_t *entry = zp + BZ_E820 + i * 20u;

		put64(entry, map[i].addr);
		put64(entry + 8, map[i].size);
		put32(entry + 16, map[i].type);
	}
	*ret_start = (struct bh_vcpu_start){
		.mode = BH_VCPU_FLAT32,
		.rip = BZ_LOAD_ADDRESS,
		.rsi = zero_page,
	};
	return 0;
}
