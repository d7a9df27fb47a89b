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
#define USED_FLAGS    0u
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
	vq->quiet = true; /* what an earlier back end may have left */
	vq->inflight = NULL;
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

void vq_call(struct vq *vq)
{
	signal_fd(vq->call_fd);
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

int vq_resume(struct vq *vq, struct vq_inflight *inflight)
{
	uint16_t used;

	if (guest_load_u16(vq->mem, vq->used + USED_IDX, &used) < 0) {
		return -EFAULT;
	}
	vq->used_idx = used;
	vq->signalled_used = used;
	vq->last_avail = (uint16_t)(used + vq_inflight_recover(inflight, vq->size, used));
	vq->inflight = inflight;
	return 0;
}

/* Asks the guest to ring for new chains, or not to. */
static int set_quiet(struct vq *vq, bool quiet)
{
	vq->quiet = quiet;
	return guest_store_u16(vq->mem, vq->used + USED_FLAGS, quiet ? VRING_USED_F_NO_NOTIFY : 0);
}

static int announce_empty(struct vq *vq)
{
	if (vq->event_idx) {
		return guest_store_u16(vq->mem, vq->used + USED_RING(vq->size), vq->last_avail);
	}
	return vq->quiet ? set_quiet(vq, false) : 0;
}

/* How many chains wait. An empty ring is announced as such first, then looked at again: the guest
 * either sees the announcement or we see its entry. */
static int load_pending(struct vq *vq, uint16_t *ret_pending)
{
	uint16_t idx;

	if (guest_load_u16(vq->mem, vq->avail + AVAIL_IDX, &idx) < 0) {
		return -EFAULT;
	}
	if (idx == vq->last_avail) {
		if (announce_empty(vq) < 0) {
			return -EFAULT;
		}
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (guest_load_u16(vq->mem, vq->avail + AVAIL_IDX, &idx) < 0) {
			return -EFAULT;
		}
	}
	if (idx != vq->last_avail && !vq->event_idx && !vq->quiet && set_quiet(vq, true) < 0) {
		return -EFAULT;
	}
	*ret_pending = (uint16_t)(idx - vq->last_avail);
	return 0;
}

/* Entry of the descriptor table that the next chain starts at: one that an earlier back end left
 * unfinished, or the next of the available ring. Returns as vq_pop(). */
static int next_head(struct vq *vq, uint16_t *ret_head)
{
	uint16_t pending;
	uint32_t slot;

	if (vq->inflight && vq_inflight_next(vq->inflight, ret_head)) {
		return 1;
	}
	if (load_pending(vq, &pending) < 0) {
		return break_with(vq);
	}
	if (!pending) {
		return 0;
	}
	slot = vq->last_avail % vq->size;
	if (pending > vq->size ||
	    guest_load_u16(vq->mem, vq->avail + AVAIL_RING(slot), ret_head) < 0 ||
	    *ret_head >= vq->size) {
		return break_with(vq);
	}
	if (vq->inflight) {
		vq_inflight_take(vq->inflight, *ret_head);
	}
	vq->last_avail++;
	return 1;
}

int vq_pop(struct vq *vq, struct vq_chain *ret_chain)
{
	uint16_t head;
	int rc;

	if (!vq->ready) {
		return -EAGAIN;
	}
	if (vq->broken) {
		return -EPROTO;
	}
	rc = next_head(vq, &head);
	if (rc <= 0) {
		return rc;
	}
	memset(ret_chain, 0, offsetof(struct vq_chain, seg));
	ret_chain->head = head;
	return collect(vq, ret_chain, head) ? 1 : break_with(vq);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void advance_read(struct vq_chain *chain, uint32_t part)
{
	chain->read_left -= part;
	chain->read_offset += part;
	if (chain->read_offset == chain->seg[chain->read_seg].len) {
		chain->read_seg++;
		chain->read_offset = 0;
	}
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
		advance_read(chain, part);
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

/* Appends one part of a chain to a list of `count`; returns the new count or an error. */
static int append_iov(const struct vq *vq, uint64_t gpa, uint32_t len, struct iovec *iov,
		      unsigned count, unsigned max)
{
	struct iovec *last = count ? &iov[count - 1] : NULL;
	int added = guest_get_iov(vq->mem, gpa, len, iov + count, max - count);

	if (added == 1 && last && (char *)last->iov_base + last->iov_len == iov[count].iov_base) {
		last->iov_len += iov[count].iov_len;
		return (int)count;
	}
	return added < 0 ? added : (int)count + added;
}

int vq_read_iov(const struct vq *vq, struct vq_chain *chain, uint32_t len, struct iovec *ret_iov,
		unsigned max)
{
	int count = 0;

	if (len > chain->read_left) {
		return -EMSGSIZE;
	}
	while (len && count >= 0) {
		const struct vq_seg *seg = &chain->seg[chain->read_seg];
		uint32_t part = min_u32(len, seg->len - chain->read_offset);

		count = append_iov(vq, seg->gpa + chain->read_offset, part, ret_iov,
				   (unsigned)count, max);
		len -= part;
		advance_read(chain, part);
	}
	return count;
}

int vq_write_iov(const struct vq *vq, struct vq_chain *chain, uint32_t len, struct iovec *ret_iov,
		 unsigned max)
{
	int count = 0;

	if (len > chain->write_left) {
		return -EMSGSIZE;
	}
	while (len && count >= 0) {
		const struct vq_seg *seg = &chain->seg[chain->write_seg];
		uint32_t part = min_u32(len, seg->len - chain->write_offset);

		count = append_iov(vq, seg->gpa + chain->write_offset, part, ret_iov,
				   (unsigned)count, max);
		len -= part;
		advance_write(chain, part);
	}
	return count;
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
	vq_push_head(vq, chain->head, chain->written);
}

void vq_push_head(struct vq *vq, uint16_t head, uint32_t written)
{
	struct vring_used_elem elem = {.id = head, .len = written};
	uint32_t slot = vq->used_idx % vq->size;

	if (!vq->ready || vq->broken) {
		return;
	}
	if (vq->inflight) {
		vq_inflight_finish(vq->inflight, head);
	}
	if (guest_copy_out(vq->mem, vq->used + USED_RING(slot), &elem, sizeof(elem)) < 0 ||
	    guest_store_u16(vq->mem, vq->used + USED_IDX, (uint16_t)(vq->used_idx + 1)) < 0) {
		vq_break(vq);
		return;
	}
	vq->used_idx++;
	if (vq->inflight) {
		vq_inflight_finished(vq->inflight, head, vq->used_idx);
	}
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
