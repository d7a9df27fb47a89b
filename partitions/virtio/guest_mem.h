/* SPDX-License-Identifier: Apache-2.0 */
/** Guest memory as a back end sees it: a table of mapped regions that only this folder
 * dereferences.
 *
 *  A guest, and any other process that maps the same memory, may change every byte at any time. So
 *  nothing that decides anything is read in place: callers copy in once, validate their copy and
 * act on that. Only bulk data, which nobody looks at, is moved by pointers (guest_get_iov()).
 * Addresses are guest-physical unless a name says `user` (address space of the
 * front-end, which is how the vhost-user protocol names rings). All sizes are in bytes.
 */
#ifndef BH_GUEST_MEM_H
#define BH_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define VIRTIO_MUST_CHECK __attribute__((warn_unused_result))

/** As many regions as one SET_MEM_TABLE message can carry. */
#define GUEST_REGION_MAX 8u
/** Largest region that is mapped; far above any partition, it bounds the arithmetic. */
#define GUEST_REGION_SIZE_MAX (1ull << 40)

struct guest_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;
	uint8_t *host; /* private to this folder */
};

struct guest_mem {
	unsigned region_count;
	struct guest_region region[GUEST_REGION_MAX];
};

/** Maps [fd_offset, fd_offset + size) of fd, shared and writable, as guest memory [gpa, gpa +
 * size). All but user_addr page aligned. The fd stays the caller's. Returns 0 or -errno: EINVAL
 * (alignment, overflow, empty, overlap with another region, file too short), ENOSPC (table full),
 * else what mmap says. Nothing changed on failure. */
VIRTIO_MUST_CHECK int guest_mem_map(struct guest_mem *mem, uint64_t gpa, uint64_t size,
				    uint64_t user_addr, int fd, uint64_t fd_offset);

/** Unmaps everything; the table is then empty and usable again. */
void guest_mem_fini(struct guest_mem *mem);

/** True when every byte of [gpa, gpa + size) lies in some region. A size of 0 is never valid. */
bool guest_check_range(const struct guest_mem *mem, uint64_t gpa, uint64_t size);

/** Turns a front-end address into a guest-physical one; [user_addr, user_addr + size) must lie in
 * one region. Returns 0 or -EFAULT. */
VIRTIO_MUST_CHECK int guest_from_user(const struct guest_mem *mem, uint64_t user_addr,
				      uint64_t size, uint64_t *ret_gpa);

/** Copies guest memory to private memory, each byte read once; a compiler barrier follows, so that
 * the copy cannot be re-read from the guest. Returns 0, or -EFAULT with *dst in part overwritten.
 */
VIRTIO_MUST_CHECK int guest_copy_in(const struct guest_mem *mem, void *dst, uint64_t gpa,
				    size_t size);

/** Copies private memory to guest memory. Returns 0, or -EFAULT before the first byte is written.
 */
VIRTIO_MUST_CHECK int guest_copy_out(const struct guest_mem *mem, uint64_t gpa, const void *src,
				     size_t size);

/** Where [gpa, gpa + size) lies in this process, for system calls and ciphers that move data. The
 * guest may change the bytes meanwhile: what arrives is then a mixture of old and new, which only
 * the guest itself ever reads. Valid until the table changes. Returns the parts used, at most
 * `max`; -EFAULT outside of memory, -E2BIG. */
VIRTIO_MUST_CHECK int guest_get_iov(const struct guest_mem *mem, uint64_t gpa, uint64_t size,
				    struct iovec *ret_iov, unsigned max);

/** One aligned 16-bit access in guest memory, load-acquire and store-release: ring indices.
 *  Returns 0; -EFAULT when outside of memory or not 2-byte aligned. */
VIRTIO_MUST_CHECK int guest_load_u16(const struct guest_mem *mem, uint64_t gpa,
				     uint16_t *ret_value);
VIRTIO_MUST_CHECK int guest_store_u16(const struct guest_mem *mem, uint64_t gpa, uint16_t value);

#endif
