/* SPDX-License-Identifier: Apache-2.0 */
/** System calls that would wait, handed to the kernel's ring while the fiber that asked is parked.
 *
 *  Requests are collected; uring_submit() hands all of them over with one system call, and
 * uring_reap() lets the fibers go on whose answers came. The ring can do nothing but what this
 * header lists, so a confined program gains no way around its system call filter by having one.
 *
 *  Context: one thread; the functions that act on a file only on a fiber, the rest only on the
 * thread's own stack.  Source: io_uring(7), io_uring_register(2).
 */
#ifndef VHD_URING_H
#define VHD_URING_H

#include "why.h"

#include <stdint.h>
#include <sys/uio.h>

struct uring;

/** Returns 0 or -errno: -ENOSYS, -EPERM ... where the kernel has no rings or forbids them; whoever
 * gets that does plain calls. */
VHD_MUST_CHECK int uring_open(struct uring **ret_ring);

/** NULL is fine. Nothing may be in flight. */
void uring_close(struct uring *ring);

/** A descriptor that poll() finds readable when uring_reap() has something to do. */
int uring_fd(const struct uring *ring);

/** Requests that fibers wait for, submitted or not. */
unsigned uring_in_flight(const struct uring *ring);

/** Hands over what was collected; no system call when that is nothing. */
void uring_submit(struct uring *ring);

/** Wakes the fibers whose answers are there, without waiting. */
void uring_reap(struct uring *ring);

/** Submits, waits for at least one answer, reaps. Returns at once when nothing is in flight. */
void uring_wait(struct uring *ring);

/** As preadv(2) and its kind, but -errno instead of -1; bytes done may be fewer than asked for. */
VHD_MUST_CHECK int uring_readv(struct uring *ring, int fd, const struct iovec *iov, unsigned count,
			       uint64_t offset);
VHD_MUST_CHECK int uring_writev(struct uring *ring, int fd, const struct iovec *iov, unsigned count,
				uint64_t offset);
VHD_MUST_CHECK int uring_datasync(struct uring *ring, int fd);
VHD_MUST_CHECK int uring_fallocate(struct uring *ring, int fd, int mode, uint64_t offset,
				   uint64_t size);

/** Parks the fiber for that many microseconds; 0: until the other requests had their turn. */
void uring_sleep(struct uring *ring, uint64_t us);

#endif
