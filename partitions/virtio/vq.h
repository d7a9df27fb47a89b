/* SPDX-License-Identifier: Apache-2.0 */
/** A split virtqueue, device side.
 *
 *  vq_pop() copies each descriptor of a chain exactly once into the caller's struct vq_chain and
 * checks all of it: indices, loops, order of readable and writable parts, lengths, every address
 * range. After that the chain is private and the guest cannot change it. What is wrong with a ring
 * is the guest's doing: the queue becomes `broken`, gives nothing any more, and says so through
 * err_fd; only setting it up again heals it.
 *
 *  Source: virtio 1.2, "Split Virtqueues".
 */
#ifndef BH_VQ_H
#define BH_VQ_H

#include "vq_inflight.h"

/** Most segments of one chain (direct and indirect together). */
#define VQ_SEG_MAX 1024u
/** Most bytes of one chain, readable and writable together. */
#define VQ_BYTES_MAX (64u << 20)

struct vq_seg {
	uint64_t gpa;
	uint32_t len;
};

/** A popped request. Segments [0, readable_count) are for reading, the rest for writing; each half
 * has a cursor that vq_read(), vq_write() and vq_skip_write() move forward. */
struct vq_chain {
	uint16_t head;
	unsigned seg_count;
	unsigned readable_count;
	uint32_t read_left;  /* bytes not yet read */
	uint32_t write_left; /* bytes not yet written */
	uint32_t written;    /* what the used ring will report */
	unsigned read_seg, write_seg;
	uint32_t read_offset, write_offset;
	struct vq_seg seg[VQ_SEG_MAX];
};

struct vq {
	const struct guest_mem *mem;
	uint16_t size;
	uint64_t desc, avail, used; /* gpa */
	uint16_t last_avail;	    /* next entry of the available ring to take */
	uint16_t used_idx;	    /* next entry of the used ring to fill */
	uint16_t
		signalled_used; /* used_idx when the guest was last considered for a notification */
	bool event_idx;
	bool quiet; /* without event_idx: the guest was told not to ring, or may have been */
	struct vq_inflight *inflight; /* the record of what was taken, or NULL */
	bool ready;
	bool broken;
	int call_fd; /* eventfd or -1; owned by the caller, as err_fd */
	int err_fd;
};

/** Starts the queue at index `base`. desc, avail, used are guest-physical. Returns 0 or -EINVAL:
 * size not a power of two in [1, VQ_SIZE_MAX], misaligned or outside of memory. call_fd and err_fd
 * keep their values. */
VIRTIO_MUST_CHECK int vq_setup(struct vq *vq, const struct guest_mem *mem, uint32_t size,
			       uint64_t desc, uint64_t avail, uint64_t used, uint16_t base,
			       bool event_idx);

/** After vq_setup(), when a record of an earlier back end is there: what that one took and did not
 * finish comes first out of vq_pop(), in the order it was taken. Returns 0 or -EFAULT. */
VIRTIO_MUST_CHECK int vq_resume(struct vq *vq, struct vq_inflight *inflight);

/** Sizes in bytes of the three parts of a ring with `size` entries. */
uint64_t vq_desc_size(uint32_t size);
uint64_t vq_avail_size(uint32_t size);
uint64_t vq_used_size(uint32_t size);

/** Takes the next chain. While there are some the guest is asked not to ring. Returns 1; 0 when
 * there is none (the guest will ring for the next one);
 * -EPROTO when the queue is or becomes broken; -EAGAIN when it is not set up. */
VIRTIO_MUST_CHECK int vq_pop(struct vq *vq, struct vq_chain *ret_chain);

/** Copies the next len readable bytes, or writes to the next writable ones. Returns 0; -EMSGSIZE
 * when fewer are left, -EFAULT when the memory table has changed since vq_pop(). */
VIRTIO_MUST_CHECK int vq_read(const struct vq *vq, struct vq_chain *chain, void *dst, uint32_t len);
VIRTIO_MUST_CHECK int vq_write(const struct vq *vq, struct vq_chain *chain, const void *src,
			       uint32_t len);
/** Where the next len readable or writable bytes lie in this process, for moving data without
 * copying it (see guest_get_iov()); neighbours become one part. The cursor moves on; nothing counts
 * as written. Returns the parts used, at most `max`; -EMSGSIZE, -EFAULT as above; -E2BIG. */
VIRTIO_MUST_CHECK int vq_read_iov(const struct vq *vq, struct vq_chain *chain, uint32_t len,
				  struct iovec *ret_iov, unsigned max);
VIRTIO_MUST_CHECK int vq_write_iov(const struct vq *vq, struct vq_chain *chain, uint32_t len,
				   struct iovec *ret_iov, unsigned max);
/** Leaves len writable bytes as they are. len must not exceed write_left. */
void vq_skip_write(struct vq_chain *chain, uint32_t len);

/** Hands the chain back to the guest; chain->written bytes count as written. */
void vq_push(struct vq *vq, const struct vq_chain *chain);

/** The same for a chain of which only the head was kept. */
void vq_push_head(struct vq *vq, uint16_t head, uint32_t written);

/** Notifies the guest of pushed chains if it wants to be. */
void vq_notify(struct vq *vq);

/** Notifies the guest whether it wants to be or not. */
void vq_call(struct vq *vq);

/** Declares the ring unusable: for a request that is malformed beyond an answer. */
void vq_break(struct vq *vq);

#endif
