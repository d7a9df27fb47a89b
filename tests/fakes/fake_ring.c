/* SPDX-License-Identifier: Apache-2.0 */
/* A virtqueue's driver in plain memory. */
#define _GNU_SOURCE

#include "fake_ring.h"

#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define AVAIL_RING	(FAKE_AVAIL + 4u)
#define USED_RING	(FAKE_USED + 4u)
#define USED_EVENT	(AVAIL_RING + 2u * FAKE_RING_SIZE)
#define AVAIL_EVENT	(USED_RING + 8u * FAKE_RING_SIZE)
#define LOAD_ENTRY_SIZE 8u

static void must(bool good)
{
	if (!good) {
		abort();
	}
}

static void put16(struct fake_ring *ring, uint32_t at, uint16_t value)
{
	memcpy(ring->ram + at, &value, sizeof(value));
}

static uint16_t get16(const struct fake_ring *ring, uint32_t at)
{
	uint16_t value;

	memcpy(&value, ring->ram + at, sizeof(value));
	return value;
}

void fake_ring_init(struct fake_ring *ring, bool event_idx)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = memfd_create("fake-ram", MFD_CLOEXEC);
	must(ring->fd >= 0 && ftruncate(ring->fd, FAKE_RAM_SIZE) == 0);
	ring->ram = mmap(NULL, FAKE_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	must(ring->ram != MAP_FAILED);
	must(guest_mem_map(&ring->mem, 0, FAKE_RAM_SIZE, FAKE_USER_ADDR, ring->fd, 0) == 0);
	ring->vq.call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ring->vq.err_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	must(vq_setup(&ring->vq, &ring->mem, FAKE_RING_SIZE, FAKE_DESC, FAKE_AVAIL, FAKE_USED, 0,
		      event_idx) == 0);
}

void fake_ring_fini(struct fake_ring *ring)
{
	guest_mem_fini(&ring->mem);
	munmap(ring->ram, FAKE_RAM_SIZE);
	close(ring->fd);
	close(ring->vq.call_fd);
	close(ring->vq.err_fd);
}

void fake_ring_desc(struct fake_ring *ring, uint16_t index, uint64_t gpa, uint32_t len,
		    uint16_t flags, uint16_t next)
{
	const struct vring_desc desc = {.addr = gpa, .len = len, .flags = flags, .next = next};

	memcpy(ring->ram + FAKE_DESC + 16u * index, &desc, sizeof(desc));
}

void fake_ring_offer(struct fake_ring *ring, uint16_t head)
{
	put16(ring, AVAIL_RING + 2u * (ring->avail_idx % FAKE_RING_SIZE), head);
	ring->avail_idx++;
	put16(ring, FAKE_AVAIL + 2u, ring->avail_idx);
}

uint16_t fake_ring_add(struct fake_ring *ring, const struct fake_seg *seg, unsigned count)
{
	uint16_t head = ring->next_desc % FAKE_RING_SIZE;

	for (unsigned i = 0; i < count; i++) {
		uint16_t at = (uint16_t)(ring->next_desc++ % FAKE_RING_SIZE);
		uint16_t flags = (uint16_t)((seg[i].write ? VRING_DESC_F_WRITE : 0) |
					    (i + 1 < count ? VRING_DESC_F_NEXT : 0));

		fake_ring_desc(ring, at, seg[i].gpa, seg[i].len, flags,
			       (uint16_t)((at + 1u) % FAKE_RING_SIZE));
	}
	fake_ring_offer(ring, head);
	return head;
}

uint16_t fake_ring_used_idx(const struct fake_ring *ring)
{
	return get16(ring, FAKE_USED + 2u);
}

void fake_ring_used(const struct fake_ring *ring, unsigned i, uint32_t *ret_id, uint32_t *ret_len)
{
	struct vring_used_elem elem;

	memcpy(&elem, ring->ram + USED_RING + 8u * (i % FAKE_RING_SIZE), sizeof(elem));
	*ret_id = elem.id;
	*ret_len = elem.len;
}

static uint64_t drain(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

uint64_t fake_ring_calls(struct fake_ring *ring)
{
	return drain(ring->vq.call_fd);
}

uint64_t fake_ring_errors(struct fake_ring *ring)
{
	return drain(ring->vq.err_fd);
}

void fake_ring_set_flags(struct fake_ring *ring, uint16_t flags)
{
	put16(ring, FAKE_AVAIL, flags);
}

void fake_ring_set_used_event(struct fake_ring *ring, uint16_t value)
{
	put16(ring, USED_EVENT, value);
}

uint16_t fake_ring_avail_event(const struct fake_ring *ring)
{
	return get16(ring, AVAIL_EVENT);
}

void fake_ring_load(struct fake_ring *ring, const uint8_t *data, size_t size)
{
	size_t entries = size ? data[0] % FAKE_RING_SIZE + 1u : 0;
	size_t at = 1;

	for (size_t i = 0; i < entries && at + LOAD_ENTRY_SIZE <= size;
	     i++, at += LOAD_ENTRY_SIZE) {
		const uint8_t *e = data + at;

		fake_ring_desc(ring, (uint16_t)i, (uint64_t)(e[0] | e[1] << 8 | e[2] << 16),
			       (uint32_t)(e[3] | e[4] << 8), e[5], e[6]);
	}
	if (at < size) {
		size_t rest = size - at;

		rest = rest < FAKE_RAM_SIZE - FAKE_BUFFERS ? rest : FAKE_RAM_SIZE - FAKE_BUFFERS;
		memcpy(ring->ram + FAKE_BUFFERS, data + at, rest);
	}
	fake_ring_offer(ring, 0);
}
