/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the device side of a split ring. Invariant: nothing read from the ring is used before it was
 * checked, and nothing is read twice. */
#define _GNU_SOURCE

#include "vq.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <unistd.h>

#define AVAIL_FLAGS   0u
#define AVAIL_IDX     2u
#define AVAIL_RING(i) (4u + 2u * (uint32_t)(i))
#define USED_IDX      2u
#define USED_RING(i)  (4u + 8u * (uint32_t)(i))

_Static_assert(sizeof(struct vring_desc) == 16, "vring_desc");
_Static_assert(sizeof(struct vring_used_elem) == 8, "vring_used_elem");

uint64_t vq_desc_size(uint32_t size)
{
	return 16ull * size;
}

/* Both end with the event index, whether it is used or not. */
uint64_t vq_avail_size(uint32_t size)
{
	return AVAIL_RING(size) + 2ull;
}

uint64_t vq_used_size(uint32_t size)
{
	return USED_RING(size) + 2ull;
}

int vq_setup(struct vq *vq, const struct guest_mem *mem, uint32_t size, uint64_t desc,
	     uint64_t avail, uint64_t used, uint16_t base, bool event_idx)
{
	if (!size || size > VQ_SIZE_MAX || (size & (size - 1))) {
		return -EINVAL;
	}
	if ((desc & 15) || (avail & 1) || (used & 3)) {
		return -EINVAL;
	}
	if (!guest_check_range(mem, desc, vq_desc_size(size)) ||
	    !guest_check_range(mem, avail, vq_avail_size(size)) ||
	    !guest_check_range(mem, used, vq_used_size(size))) {
		return -EINVAL;
	}
	vq->mem = mem;
	vq->size = (uint16_t)size;
	vq->desc = desc;
	vq->avail = avail;
	vq->used = used;
	vq->last_avail = base;
	/* Every chain is pushed before a ring stops, so both rings stand at the same index. */
	vq->used_idx = base;
	vq->signalled_used = base;
	vq->event_idx = event_idx;
	vq->broken = false;
	vq->ready = true;
	return 0;
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	/* An eventfd that is full already tells what we want to tell. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0) {
		return;
	}
}

void vq_break(struct vq *vq)
{
	if (!vq->broken) {
		vq->broken = true;
		signal_fd(vq->err_fd);
	}
}

static int break_with(struct vq *vq)
{
	vq_break(vq);
	return -EPROTO;
}

/* Adds one buffer descriptor to the private chain. False: order, length or address is wrong. */
static bool add_segment(const struct vq *vq, struct vq_chain *chain, const struct vring_desc *desc)
{
	uint64_t total = (uint64_t)chain->read_left + chain->write_left + desc->len;

	if (chain->seg_count >= VQ_SEG_MAX || total > VQ_BYTES_MAX ||
	    !guest_check_range(vq->mem, desc->addr, desc->len)) {
		return false;
	}
	if (desc->flags & VRING_DESC_F_WRITE) {
		chain->write_left += desc->len;
	} else {
		if (chain->readable_count != chain->seg_count) {
			return false; /* readable after writable */
		}
		chain->readable_count++;
		chain->read_left += desc->len;
	}
	chain->seg[chain->seg_count].gpa = desc->addr;
	chain->seg[chain->seg_count].len = desc->len;
	chain->seg_count++;
	return true;
}

/* Walks the chain that starts at entry `head` of the ring's table and may continue in one indirect
 * table. A walk visits no more entries than its table has, so a loop ends. */
static bool collect(const struct vq *vq, struct vq_chain *chain, uint16_t head)
{
	uint64_t table = vq->desc;
	uint32_t table_size = vq->size;
	uint32_t index = head;
	bool indirect = false;

	for (uint32_t visited = 0; visited < table_size && index < table_size; visited++) {
		struct vring_desc desc;

		if (guest_copy_in(vq->mem, &desc, table + 16ull * index, sizeof(desc)) < 0) {
			return false;
		}
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (indirect || (desc.flags & VRING_DESC_F_NEXT) || (desc.len & 15) ||
			    desc.len / 16 > VQ_SEG_MAX ||
			    !guest_check_range(vq->mem, desc.addr, desc.len)) {
				return false;
			}
			indirect = true;
			table = desc.addr;
			table_size = desc.len / 16;
			index = 0;
			visited = UINT32_MAX; /* the walk of the new table starts at 0 */
			continue;
		}
		if (!add_segment(vq, chain, &desc)) {
			return false;
		}
		if (!(desc.flags & VRING_DESC_F_NEXT)) {
			chain->write_seg = chain->readable_count;
			return true;
		}
		index = desc.next;
	}
	return false;
}

/* How many chains wait. With event indices an empty ring is announced as such first, then looked at
 * again: the guest either sees the announcement or we see its entry. */
static int load_pending(struct vq *vq, uint16_t *ret_pending)
{
	uint16_t idx;

	if (guest_load_u16(vq->mem, vq->avail + AVAIL_IDX, &idx) < 0) {
		return -EFAULT;
	}
	if (idx == vq->last_avail && vq->event_idx) {
		if (guest_store_u16(vq->mem, vq->used + USED_RING(vq->size), vq->last_avail) < 0) {
			return -EFAULT;
		}
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (guest_load_u16(vq->mem, vq->avail + AVAIL_IDX, &idx) < 0) {
			return -EFAULT;
		}
	}
	*ret_pending = (uint16_t)(idx - vq->last_avail);
	return 0;
}

int vq_pop(struct vq *vq, struct vq_chain *ret_chain)
{
	uint16_t pending;
	uint16_t head;
	uint32_t slot;

	if (!vq->ready) {
		return -EAGAIN;
	}
	if (vq->broken) {
		return -EPROTO;
	}
	if (load_pending(vq, &pending) < 0) {
		return break_with(vq);
	}
	if (!pending) {
		return 0;
	}
	slot = vq->last_avail % vq->size;
	if (pending > vq->size ||
	    guest_load_u16(vq->mem, vq->avail + AVAIL_RING(slot), &head) < 0 || head >= vq->size) {
		return break_with(vq);
	}
	memset(ret_chain, 0, offsetof(struct vq_chain, seg));
	ret_chain->head = head;
	if (!collect(vq, ret_chain, head)) {
		return break_with(vq);
	}
	vq->last_avail++;
	return 1;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int vq_read(const struct vq *vq, struct vq_chain *chain, void *dst, uint32_t len)
{
	uint8_t *to = dst;

	if (len > chain->read_left) {
		return -EMSGSIZE;
	}
	while (len) {
		const struct vq_seg *seg = &chain->seg[chain->read_seg];
		uint32_t part = min_u32(len, seg->len - chain->read_offset);

		if (guest_copy_in(vq->mem, to, seg->gpa + chain->read_offset, part) < 0) {
			return -EFAULT;
		}
		to += part;
		len -= part;
		chain->read_left -= part;
		chain->read_offset += part;
		if (chain->read_offset == seg->len) {
			chain->read_seg++;
			chain->read_offset = 0;
		}
	}
	return 0;
}

static void advance_write(struct vq_chain *chain, uint32_t part)
{
	chain->write_left -= part;
	chain->write_offset += part;
	if (chain->write_offset == chain->seg[chain->write_seg].len) {
		chain->write_seg++;
		chain->write_offset = 0;
	}
}

int vq_write(const struct vq *vq, struct vq_chain *chain, const void *src, uint32_t len)
{
	const uint8_t *from = src;

	if (len > chain->write_left) {
		return -EMSGSIZE;
	}
	while (len) {
		const struct vq_seg *seg = &chain->seg[chain->write_seg];
		uint32_t part = min_u32(len, seg->len - chain->write_offset);

		if (guest_copy_out(vq->mem, seg->gpa + chain->write_offset, from, part) < 0) {
			return -EFAULT;
		}
		from += part;
		len -= part;
		chain->written += part;
		advance_write(chain, part);
	}
	return 0;
}

void vq_skip_write(struct vq_chain *chain, uint32_t len)
{
	while (len) {
		uint32_t room = chain->seg[chain->write_seg].len - chain->write_offset;
		uint32_t part = min_u32(len, room);

		len -= part;
		advance_write(chain, part);
	}
}

void vq_push(struct vq *vq, const struct vq_chain *chain)
{
	struct vring_used_elem elem = {.id = chain->head, .len = chain->written};
	uint32_t slot = vq->used_idx % vq->size;

	if (!vq->ready || vq->broken) {
		return;
	}
	if (guest_copy_out(vq->mem, vq->used + USED_RING(slot), &elem, sizeof(elem)) < 0 ||
	    guest_store_u16(vq->mem, vq->used + USED_IDX, (uint16_t)(vq->used_idx + 1)) < 0) {
		vq_break(vq);
		return;
	}
	vq->used_idx++;
}

void vq_notify(struct vq *vq)
{
	uint16_t old = vq->signalled_used;
	uint16_t value;
	uint64_t gpa = vq->avail + (vq->event_idx ? AVAIL_RING(vq->size) : AVAIL_FLAGS);

	if (!vq->ready || vq->broken || vq->used_idx == old) {
		return;
	}
	/* The used index must be visible before the guest's wish is read (virtio 1.2, "Used Buffer
	 * Notification Suppression"). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (guest_load_u16(vq->mem, gpa, &value) < 0) {
		vq_break(vq);
		return;
	}
	vq->signalled_used = vq->used_idx;
	if (vq->event_idx ? vring_need_event(value, vq->used_idx, old)
			  : !(value & VRING_AVAIL_F_NO_INTERRUPT)) {
		signal_fd(vq->call_fd);
	}
}
