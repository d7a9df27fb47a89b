/* SPDX-License-Identifier: Apache-2.0 */
/** The RAM of the partition that is being loaded: claims and boot structures. */
#include "window.h"
#include <stdbool.h>
#include <string.h>
#include "image.h"

#define PAGE       4096ull
#define LOW_END    0xa0000ull
#define HIGH_START 0x100000ull

static int claim_add(struct window *w, uint64_t start, uint64_t end)
{
	if (w->claim_count == WINDOW_CLAIM_MAX) {
		return -BH_RANGE;
	}
	w->claims[w->claim_count++] = (struct window_range){ start, end };
	return 0;
}

/* The claim that [start, end) runs into, or NULL. */
static const struct window_range *claim_find(const struct window *w, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < w->claim_count; i++) {
		if (start < w->claims[i].end && w->claims[i].start < end) {
			return &w->claims[i];
		}
	}
	return NULL;
}

int window_init(struct window *w, void *ram, uint64_t ram_size)
{
	if (ram_size < 0x200000 || ram_size > IMAGE_RAM_MAX || ram_size % PAGE != 0) {
		return -BH_RANGE;
	}
	*w = (struct window){ .ram = ram, .size = ram_size, .data_next = IMAGE_DATA_GPA };
	w->claims[0] = (struct window_range){ IMAGE_DATA_GPA, IMAGE_DATA_END };
	w->claims[1] = (struct window_range){ LOW_END, HIGH_START };
	w->claim_count = 2;
	return 0;
}

int window_claim(struct window *w, uint64_t gpa, uint64_t size)
{
	if (size == 0) {
		return 0;
	}
	if (size > w->size || gpa > w->size - size || claim_find(w, gpa, gpa + size) != NULL) {
		return -BH_RANGE;
	}
	return claim_add(w, gpa, gpa + size);
}

int window_claim_top(struct window *w, uint64_t size, uint64_t limit, uint64_t *ret_gpa)
{
	uint64_t top = limit < w->size ? limit : w->size;

	if (size == 0) {
		return -BH_INVAL;
	}
	/* Each round goes below one claim, so there are at most claim_count rounds. */
	for (;;) {
		if (size > top) {
			return -BH_RANGE;
		}
		uint64_t start = (top - size) & ~(PAGE - 1);
		const struct window_range *hit = claim_find(w, start, start + size);

		if (hit == NULL) {
			*ret_gpa = start;
			return claim_add(w, start, start + size);
		}
		top = hit->start;
	}
}

int window_data(struct window *w, uint64_t size, uint64_t *ret_gpa)
{
	uint64_t start = (w->data_next + 15) & ~15ull;

	if (size > IMAGE_DATA_END - IMAGE_DATA_GPA || start > IMAGE_DATA_END - size) {
		return -BH_RANGE;
	}
	memset(window_at(w, start), 0, size);
	w->data_next = start + size;
	*ret_gpa = start;
	return 0;
}

int window_string(struct window *w, const char *first_word, const char *text, uint64_t *ret_gpa)
{
	size_t head = first_word == NULL ? 0 : strlen(first_word);
	size_t tail = text == NULL ? 0 : strlen(text);
	bool gap = head != 0 && tail != 0;
	uint64_t gpa;

	if (head > 64 || tail > IMAGE_CMDLINE_MAX - head - gap) {
		return -BH_RANGE;
	}
	int err = window_data(w, head + gap + tail + 1, &gpa);

	if (err != 0) {
		return err;
	}
	uint8_t *to = window_at(w, gpa);

	if (head != 0) {
		memcpy(to, first_word, head);
	}
	if (gap) {
		to[head] = ' ';
	}
	if (tail != 0) {
		memcpy(to + head + gap, text, tail);
	}
	*ret_gpa = gpa;
	return 0;
}

void window_map(const struct window *w, struct window_map_entry ret_map[WINDOW_MAP_COUNT])
{
	ret_map[0] = (struct window_map_entry){ 0, LOW_END, 1 };
	ret_map[1] = (struct window_map_entry){ LOW_END, HIGH_START - LOW_END, 2 };
	ret_map[2] = (struct window_map_entry){ HIGH_START, w->size - HIGH_START, 1 };
}
