/* SPDX-License-Identifier: Apache-2.0 */
/** The record of what a back end has taken out of a ring and not yet given back. It lies in memory
 * that the front-end keeps, so that the next back end knows it when this one dies: it serves those
 * chains again, each once, in the order in which they were taken.
 *
 *  The front-end may write there whatever it wants, at any time: each value is read once and
 * checked, and a lie leads to chains of its own ring being served wrongly, nothing else.
 *
 *  Source: QEMU, "Vhost-user Protocol", "Inflight I/O tracking" (split virtqueue).
 */
#ifndef BH_VQ_INFLIGHT_H
#define BH_VQ_INFLIGHT_H

#include "guest_mem.h"

/** Largest ring. */
#define VQ_SIZE_MAX 1024u

struct vq_inflight_entry {
	uint8_t inflight;
	uint8_t padding[5];
	uint16_t next;
	uint64_t counter; /* when it was taken */
};
_Static_assert(sizeof(struct vq_inflight_entry) == 16, "vq_inflight_entry");

/** In shared memory; all zero is a fresh one. */
struct vq_inflight_record {
	uint64_t features;
	uint16_t version; /* 0: fresh; VQ_INFLIGHT_VERSION */
	uint16_t size;	  /* entries */
	uint16_t last;	  /* the one that was about to be given back */
	uint16_t used;	  /* index of the used ring when that was done */
	struct vq_inflight_entry entry[];
};
_Static_assert(sizeof(struct vq_inflight_record) == 16, "vq_inflight_record");
#define VQ_INFLIGHT_VERSION 1u

/** The side of the back end. */
struct vq_inflight {
	struct vq_inflight_record *record;
	uint16_t size;
	uint64_t counter;
	unsigned count, next; /* of again[] */
	uint16_t again[VQ_SIZE_MAX];
};

/** Bytes of a record for a ring of that size; a multiple of 64. */
uint64_t vq_inflight_size(uint32_t size);

/** Reads what an earlier back end left, with the used index that the ring really shows; the list
 * for vq_inflight_next() begins anew. size: of the ring, at most that of the record. Returns how
 * many chains are to be served again. */
uint16_t vq_inflight_recover(struct vq_inflight *inflight, uint16_t size, uint16_t used);

/** The next one of them; false when there is none. */
bool vq_inflight_next(struct vq_inflight *inflight, uint16_t *ret_head);

/** head was taken; is about to be given back; was given back, and the used index is now `used`. */
void vq_inflight_take(struct vq_inflight *inflight, uint16_t head);
void vq_inflight_finish(struct vq_inflight *inflight, uint16_t head);
void vq_inflight_finished(struct vq_inflight *inflight, uint16_t head, uint16_t used);

#endif
