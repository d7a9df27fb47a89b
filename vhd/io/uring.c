/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the ring. Invariant: an operation lives on the stack of the fiber that is parked for it, and
 * the ring is allowed no other kind of operation. */
#define _GNU_SOURCE

#include "uring.h"
#include "fiber.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Submissions between two system calls; answers wait in the kernel when there are more. */
#define DEPTH 256u

struct uring {
	struct io_uring ring;
	unsigned in_flight;
	unsigned collected;
};

struct operation {
	struct fiber *fiber;
	int result;
	bool done;
};

/* Debian 12's library does not export these two. */
static int do_register(const struct io_uring *ring, unsigned what, const void *list, unsigned count)
{
	return syscall(SYS_io_uring_register, ring->ring_fd, what, list, count) < 0 ? -errno : 0;
}

/* Files are opened elsewhere, before a program confines itself. */
static int restrict_ring(const struct io_uring *ring)
{
	static const uint8_t allowed[] = {IORING_OP_NOP,       IORING_OP_READV, IORING_OP_WRITEV,
					  IORING_OP_FALLOCATE, IORING_OP_FSYNC, IORING_OP_TIMEOUT};
	enum { COUNT = sizeof(allowed) };
	struct io_uring_restriction restriction[COUNT] = {0};
	int rc;

	for (unsigned i = 0; i < COUNT; i++) {
		restriction[i].opcode = IORING_RESTRICTION_SQE_OP;
		restriction[i].sqe_op = allowed[i];
	}
	rc = do_register(ring, IORING_REGISTER_RESTRICTIONS, restriction, COUNT);
	return rc < 0 ? rc : do_register(ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

int uring_open(struct uring **ret_ring)
{
	struct uring *ring = calloc(1, sizeof(*ring));
	const unsigned plain = IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP;
	int rc;

	if (!ring) {
		return -ENOMEM;
	}
	rc = io_uring_queue_init(DEPTH, &ring->ring,
				 plain | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER);
	if (rc == -EINVAL) { /* a kernel before 6.0 */
		rc = io_uring_queue_init(DEPTH, &ring->ring, plain);
	}
	if (rc < 0) {
		free(ring);
		return rc;
	}
	rc = restrict_ring(&ring->ring);
	if (rc < 0) {
		io_uring_queue_exit(&ring->ring);
		free(ring);
		return rc;
	}
	*ret_ring = ring;
	return 0;
}

void uring_close(struct uring *ring)
{
	if (ring) {
		assert(!ring->in_flight);
		io_uring_queue_exit(&ring->ring);
		free(ring);
	}
}

int uring_fd(const struct uring *ring)
{
	return ring->ring.ring_fd;
}

unsigned uring_in_flight(const struct uring *ring)
{
	return ring->in_flight;
}

/* Only a lack of memory or a full queue of answers makes the kernel take fewer; both pass. */
void uring_submit(struct uring *ring)
{
	while (ring->collected) {
		int rc = io_uring_submit(&ring->ring);

		if (rc > 0) {
			ring->collected -= (unsigned)rc;
		} else if (rc != -EINTR) {
			return; /* the next round tries again */
		}
	}
}

/* An answer is taken off before its fiber runs: that one may put in the next request. */
void uring_reap(struct uring *ring)
{
	struct io_uring_cqe *cqe;

	while (io_uring_peek_cqe(&ring->ring, &cqe) == 0 && cqe) {
		struct operation *operation = io_uring_cqe_get_data(cqe);

		operation->result = cqe->res;
		operation->done = true;
		io_uring_cqe_seen(&ring->ring, cqe);
		ring->in_flight--;
		fiber_wake(operation->fiber);
	}
}

void uring_wait(struct uring *ring)
{
	if (ring->in_flight) {
		int rc = io_uring_submit_and_wait(&ring->ring, 1);

		if (rc > 0) {
			ring->collected -= (unsigned)rc;
		}
		uring_reap(ring);
	}
}

static struct io_uring_sqe *prepare(struct uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->ring);

	assert(fiber_self());
	while (!sqe) {
		uring_submit(ring);
		uring_reap(ring); /* wakes take effect when this fiber parks */
		sqe = io_uring_get_sqe(&ring->ring);
	}
	return sqe;
}

static int finish(struct uring *ring, struct io_uring_sqe *sqe)
{
	struct operation operation = {.fiber = fiber_self()};

	io_uring_sqe_set_data(sqe, &operation);
	ring->in_flight++;
	ring->collected++;
	while (!operation.done) {
		fiber_park();
	}
	return operation.result;
}

int uring_readv(struct uring *ring, int fd, const struct iovec *iov, unsigned count,
		uint64_t offset)
{
	struct io_uring_sqe *sqe = prepare(ring);

	io_uring_prep_readv(sqe, fd, iov, count, offset);
	return finish(ring, sqe);
}

int uring_writev(struct uring *ring, int fd, const struct iovec *iov, unsigned count,
		 uint64_t offset)
{
	struct io_uring_sqe *sqe = prepare(ring);

	io_uring_prep_writev(sqe, fd, iov, count, offset);
	return finish(ring, sqe);
}

int uring_datasync(struct uring *ring, int fd)
{
	struct io_uring_sqe *sqe = prepare(ring);

	io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	return finish(ring, sqe);
}

int uring_fallocate(struct uring *ring, int fd, int mode, uint64_t offset, uint64_t size)
{
	struct io_uring_sqe *sqe = prepare(ring);

	io_uring_prep_fallocate(sqe, fd, mode, (off_t)offset, (off_t)size);
	return finish(ring, sqe);
}

void uring_sleep(struct uring *ring, uint64_t us)
{
	struct __kernel_timespec time = {
		.tv_sec = (int64_t)(us / 1000000),
		.tv_nsec = (long long)(us % 1000000) * 1000,
	};
	struct io_uring_sqe *sqe = prepare(ring);

	if (us) {
		io_uring_prep_timeout(sqe, &time, 0, 0);
	} else {
		io_uring_prep_nop(sqe);
	}
	(void)!finish(ring, sqe);
}
