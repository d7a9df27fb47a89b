/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the order of writes to the record. Each step leaves it true for whoever finds it: a process
 * that dies loses none of its stores, so it is enough that they are not reordered. */
#include "vq_inflight.h"

#include <stdlib.h>

#define ALIGN 64u

uint64_t vq_inflight_size(uint32_t size)
{
	uint64_t bytes = sizeof(struct vq_inflight_record) +
			 (uint64_t)size * sizeof(struct vq_inflight_entry);

	return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static void store_u8(uint8_t *at, uint8_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static void store_u16(uint16_t *at, uint16_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

struct taken {
	uint64_t counter;
	uint16_t head;
};

static int compare(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return (x->counter > y->counter) - (x->counter < y->counter);
}

/* A record that is fresh, or not ours to read, begins anew: then nothing was taken. */
static void reset(struct vq_inflight *inflight, uint16_t size, uint16_t used)
{
	struct vq_inflight_record *record = inflight->record;

	for (unsigned i = 0; i < size; i++) {
		store_u8(&record->entry[i].inflight, 0);
	}
	record->size = size;
	record->used = used;
	store_u16(&record->version, VQ_INFLIGHT_VERSION);
}

uint16_t vq_inflight_recover(struct vq_inflight *inflight, uint16_t size, uint16_t used)
{
	struct vq_inflight_record *record = inflight->record;
	struct taken taken[VQ_SIZE_MAX];
	uint16_t last = __atomic_load_n(&record->last, __ATOMIC_ACQUIRE);
	unsigned count = 0;

	inflight->size = size;
	inflight->counter = 0;
	inflight->next = 0;
	if (record->version != VQ_INFLIGHT_VERSION || record->size != size) {
		reset(inflight, size, used);
	}
	/* It died between the used ring and the record: the last one was given back. */
	if (record->used != used && last < size) {
		store_u8(&record->entry[last].inflight, 0);
	}
	store_u16(&record->used, used);
	for (uint16_t i = 0; i < size; i++) {
		if (__atomic_load_n(&record->entry[i].inflight, __ATOMIC_ACQUIRE) == 1) {
			uint64_t counter = record->entry[i].counter;

			taken[count++] = (struct taken){counter, i};
			inflight->counter =
				counter >= inflight->counter ? counter + 1 : inflight->counter;
		}
	}
	qsort(taken, count, sizeof(taken[0]), compare);
	for (unsigned i = 0; i < count; i++) {
		inflight->again[i] = taken[i].head;
	}
	inflight->count = count;
	return (uint16_t)count;
}

bool vq_inflight_next(struct vq_inflight *inflight, uint16_t *ret_head)
{
	if (inflight->next >= inflight->count) {
		return false;
	}
	*ret_head = inflight->again[inflight->next++];
	return true;
}

void vq_inflight_take(struct vq_inflight *inflight, uint16_t head)
{
	struct vq_inflight_entry *entry = &inflight->record->entry[head];

	entry->counter = inflight->counter++;
	store_u8(&entry->inflight, 1);
}

void vq_inflight_finish(struct vq_inflight *inflight, uint16_t head)
{
	store_u16(&inflight->record->last, head);
}

void vq_inflight_finished(struct vq_inflight *inflight, uint16_t head, uint16_t used)
{
	store_u8(&inflight->record->entry[head].inflight, 0);
	store_u16(&inflight->record->used, used);
}
