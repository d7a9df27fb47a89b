/* SPDX-License-Identifier: Apache-2.0 */
/** The driver's side of a virtqueue over a memory file, for tests and fuzz targets of back ends.
 *
 *  Guest memory is FAKE_RAM_SIZE bytes at guest-physical 0; the ring lies at its start, buffers
 * follow from FAKE_BUFFERS. The vq is set up over the real guest_mem.
 */
#ifndef FAKE_RING_H
#define FAKE_RING_H

#include "vq.h"

#define FAKE_RAM_SIZE  (1u << 20)
#define FAKE_RING_SIZE 64u /* entries */
#define FAKE_DESC      0x0000u
#define FAKE_AVAIL     0x4000u
#define FAKE_USED      0x8000u
#define FAKE_BUFFERS   0x10000u
/** Front-end address of guest-physical 0. */
#define FAKE_USER_ADDR 0x700000000000ull

struct fake_seg {
	uint64_t gpa;
	uint32_t len;
	bool write;
};

struct fake_ring {
	int fd;
	uint8_t *ram;
	struct guest_mem mem;
	struct vq vq;
	uint16_t avail_idx;
	uint16_t next_desc;
};

/** Fresh zeroed memory, an empty ring, eventfds for call and err. */
void fake_ring_init(struct fake_ring *ring, bool event_idx);
void fake_ring_fini(struct fake_ring *ring);

/** Writes one entry of the descriptor table, raw. */
void fake_ring_desc(struct fake_ring *ring, uint16_t index, uint64_t gpa, uint32_t len,
		    uint16_t flags, uint16_t next);
/** Makes the chain that starts at head available. */
void fake_ring_offer(struct fake_ring *ring, uint16_t head);
/** Builds a chain of these segments from fresh descriptors and offers it; returns its head. */
uint16_t fake_ring_add(struct fake_ring *ring, const struct fake_seg *seg, unsigned count);

uint16_t fake_ring_used_idx(const struct fake_ring *ring);
/** Entry i of the used ring. */
void fake_ring_used(const struct fake_ring *ring, unsigned i, uint32_t *ret_id, uint32_t *ret_len);
/** Notifications since the last call of this function, 0 or 1 and more. */
uint64_t fake_ring_calls(struct fake_ring *ring);
uint64_t fake_ring_errors(struct fake_ring *ring);

/** Driver's wishes: the available ring's flags and used_event. */
void fake_ring_set_flags(struct fake_ring *ring, uint16_t flags);
void fake_ring_set_used_event(struct fake_ring *ring, uint16_t value);
uint16_t fake_ring_avail_event(const struct fake_ring *ring);

/** For fuzz targets: fills memory from the input. Byte 0: entries of the table; then 8 bytes for
 * each (address 3, length 2, flags 1, next 1, unused 1), offered from entry 0; the rest goes to
 * FAKE_BUFFERS. */
void fake_ring_load(struct fake_ring *ring, const uint8_t *data, size_t size);

#endif
