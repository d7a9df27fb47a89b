/* SPDX-License-Identifier: Apache-2.0 */
/** The RAM of the partition that is being loaded: who has taken which part of it.
 *
 *  Every write of a loader goes through window_claim or window_data, so bounds and overlaps are checked
 *  in one place.
 */
#ifndef BOOT_WINDOW_H
#define BOOT_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#define WINDOW_CLAIM_MAX 40u

struct window_range {
	uint64_t start, end; /* guest-physical, end exclusive */
};

struct window {
	uint8_t *ram;
	uint64_t size;
	uint64_t data_next; /* next free byte of the boot structures */
	uint32_t claim_count;
	struct window_range claims[WINDOW_CLAIM_MAX];
};

/** Memory map of a guest, as every format tells it: RAM, the hole below 1 MiB, RAM. */
#define WINDOW_MAP_COUNT 3u
struct window_map_entry {
	uint64_t addr, size;
	uint32_t type; /* as in E820: 1 RAM, 2 reserved */
};

/** 0 or -BH_RANGE if ram_size is not one we load into. */
int window_init(struct window *w, void *ram, uint64_t ram_size);

/** Reserves [gpa, gpa + size) for the image. -BH_RANGE: outside RAM, or taken. size 0 is fine. */
int window_claim(struct window *w, uint64_t gpa, uint64_t size);

/** Reserves `size` bytes, page aligned, as high as possible but ending at or below `limit`. */
int window_claim_top(struct window *w, uint64_t size, uint64_t limit, uint64_t *ret_gpa);

/** Takes `size` zeroed bytes of the boot structures, 16-byte aligned. -BH_RANGE when they are full. */
int window_data(struct window *w, uint64_t size, uint64_t *ret_gpa);

/** Copies a string, with an optional first word, into the boot structures. NULL counts as "".
 *  -BH_RANGE: longer than IMAGE_CMDLINE_MAX. */
int window_string(struct window *w, const char *first_word, const char *text, uint64_t *ret_gpa);

void window_map(const struct window *w, struct window_map_entry ret_map[WINDOW_MAP_COUNT]);

/** Address of a claimed gpa in our own address space. */
static inline void *window_at(struct window *w, uint64_t gpa)
{
	return w->ram + gpa;
}

#endif
