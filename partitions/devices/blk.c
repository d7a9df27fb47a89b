/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the requests of a disk from the queue to their fibers and back. Invariant: a request that
 * was taken is given back exactly once, and the drain waits for all of them. */
#define _GNU_SOURCE

#include "blk.h"
#include "debug.h"
#include "fiber.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Requests taken in one go: a notification after so many at the latest. */
#define BATCH 32u
/* And after so many bytes: the guest prepares its next request while we move the next data. */
#define NOTIFY_BYTES (256u << 10)

_Static_assert(sizeof(struct virtio_blk_outhdr) == 16, "virtio_blk_outhdr");
_Static_assert(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "virtio_blk range");

void blk_init(struct blk *blk, struct layer *disk, struct uring *ring, unsigned queue_count,
	      const char *id)
{
	memset(blk, 0, offsetof(struct blk, chain));
	blk->disk = disk;
	blk->ring = ring;
	blk->queue_count = queue_count;
	memcpy(blk->id, id, strnlen(id, sizeof(blk->id)));
	for (unsigned i = BLK_IN_FLIGHT_MAX; i-- > 0;) {
		blk->request[i].blk = blk;
		blk->request[i].next = blk->free;
		blk->free = &blk->request[i];
	}
}

/* No switch of the cache (CONFIG_WCE): a back end started anew could not know how it stands, and
 * would take a guest that counts on write-through for one that flushes. */
uint64_t blk_features(const struct blk *blk)
{
	uint64_t features = 1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |
			    1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_FLUSH;

	if (blk->queue_count > 1) {
		features |= 1ull << VIRTIO_BLK_F_MQ;
	}
	if (blk->disk->read_only) {
		return features | 1ull << VIRTIO_BLK_F_RO;
	}
	return features | 1ull << VIRTIO_BLK_F_DISCARD | 1ull << VIRTIO_BLK_F_WRITE_ZEROES;
}

uint32_t blk_config_size(void)
{
	return (uint32_t)sizeof(struct virtio_blk_config);
}

/* 512-byte sectors, on blocks of what the disk rewrites at once. */
static uint8_t block_exponent(const struct blk *blk)
{
	uint8_t exponent = 0;

	while (exponent < 7 && BLK_SECTOR_SIZE << exponent < blk->disk->block_size) {
		exponent++;
	}
	return exponent;
}

void blk_get_config(const struct blk *blk, uint8_t *config)
{
	const uint8_t exponent = block_exponent(blk);
	struct virtio_blk_config space = {
		.capacity = blk->disk->size / BLK_SECTOR_SIZE,
		.seg_max = BLK_SEG_MAX,
		.blk_size = BLK_SECTOR_SIZE,
		.physical_block_exp = exponent,
		.min_io_size = (uint16_t)(1u << exponent),
		.num_queues = (uint16_t)blk->queue_count,
		.max_discard_sectors = BLK_DISCARD_MAX,
		.max_discard_seg = BLK_RANGE_MAX,
		.discard_sector_alignment = 1u << exponent,
		.max_write_zeroes_sectors = BLK_ZERO_MAX,
		.max_write_zeroes_seg = BLK_RANGE_MAX,
		.write_zeroes_may_unmap = 1,
	};

	memcpy(config, &space, sizeof(space));
}

void blk_set_features(struct blk *blk, uint64_t features)
{
	blk->writeback = features & 1ull << VIRTIO_BLK_F_FLUSH;
}

static void notify(struct blk *blk)
{
	blk->untold_bytes = 0;
	while (blk->dirty) {
		unsigned index = (unsigned)__builtin_ctz(blk->dirty);

		blk->dirty &= blk->dirty - 1;
		vq_notify(blk->queue[index]);
	}
}

static void finish(struct blk_request *request, uint8_t status)
{
	struct blk *blk = request->blk;

	debug_trace(DEBUG_DEVICE_QUEUE, "type %u sector %" PRIu64 " status %u", request->type,
		    request->sector, status);
	*(volatile uint8_t *)request->status = status;
	vq_push_head(request->vq, request->head, request->written + 1);
	blk->dirty |= 1u << request->queue;
	blk->untold_bytes += request->size;
	if (blk->untold_bytes >= NOTIFY_BYTES) {
		notify(blk);
	}
	blk->in_flight--;
	request->next = blk->free;
	blk->free = request;
}

static void run_request(void *argument)
{
	struct blk_request *request = argument;

	finish(request, blk_request_run(request));
}

/* The ranges of a discard or write-zeroes request. One that is malformed has none. */
static int take_ranges(struct blk_request *request, struct vq_chain *chain)
{
	uint32_t size = chain->read_left;
	unsigned count = size / sizeof(request->range[0]);

	if (size % sizeof(request->range[0]) || count > BLK_RANGE_MAX) {
		return 0;
	}
	if (vq_read(request->vq, chain, request->range, size) < 0) {
		return -EFAULT;
	}
	request->range_count = count;
	return 0;
}

/* Where the data lie, as many bytes as there are; the last writable one is the status. */
static int take_data(struct blk_request *request, struct vq_chain *chain)
{
	const bool is_out = request->type == VIRTIO_BLK_T_OUT;
	int count;

	request->size = is_out ? chain->read_left : chain->write_left - 1;
	count = is_out ? vq_read_iov(request->vq, chain, request->size, request->iov, BLK_IOV_MAX)
		       : vq_write_iov(request->vq, chain, request->size, request->iov, BLK_IOV_MAX);
	if (count == -E2BIG) {
		count = BLK_IOV_MAX + 1;
	}
	request->iov_count = (unsigned)count;
	return count < 0 ? count : 0;
}

static int take_status(struct blk_request *request, struct vq_chain *chain)
{
	struct iovec iov;

	vq_skip_write(chain, chain->write_left - 1);
	if (vq_write_iov(request->vq, chain, 1, &iov, 1) != 1) {
		return -EFAULT;
	}
	request->status = iov.iov_base;
	return 0;
}

/* A request is a header to read, data either way, and one last byte to write the status into.
 * Without room for header and status there is nobody to answer. */
static int take_request(struct blk *blk, struct blk_request *request)
{
	struct vq_chain *chain = &blk->chain;
	struct virtio_blk_outhdr header;
	int rc;

	if (!chain->write_left || vq_read(request->vq, chain, &header, sizeof(header)) < 0) {
		return -EPROTO;
	}
	request->head = chain->head;
	request->type = header.type;
	request->sector = header.sector;
	request->size = 0;
	request->written = 0;
	request->iov_count = 0;
	request->range_count = 0;
	if (header.type == VIRTIO_BLK_T_DISCARD || header.type == VIRTIO_BLK_T_WRITE_ZEROES) {
		rc = take_ranges(request, chain);
	} else {
		rc = take_data(request, chain);
	}
	return rc < 0 ? rc : take_status(request, chain);
}

/* Without memory for a fiber the request fails, and the disk goes on. */
static void start(struct blk *blk, struct blk_request *request)
{
	blk->free = request->next;
	blk->in_flight++;
	if (!blk->ring) {
		run_request(request);
	} else if (!fiber_start(run_request, request)) {
		finish(request, VIRTIO_BLK_S_IOERR);
	}
}

bool blk_handle_queue(struct blk *blk, struct vq *vq, unsigned index)
{
	unsigned served = 0;

	blk->queue[index] = vq;
	for (; served < BATCH; served++) {
		struct blk_request *request = blk->free;

		if (!request) {
			blk->starved |= 1u << index;
			break;
		}
		if (vq_pop(vq, &blk->chain) <= 0) {
			break;
		}
		request->vq = vq;
		request->queue = index;
		if (take_request(blk, request) < 0) {
			vq_break(vq);
			break;
		}
		start(blk, request);
	}
	notify(blk);
	return served == BATCH;
}

void blk_reap(struct blk *blk)
{
	if (blk->ring) {
		uring_reap(blk->ring);
		notify(blk);
	}
}

uint32_t blk_take_starved(struct blk *blk)
{
	uint32_t starved = blk->free ? blk->starved : 0;

	blk->starved &= ~starved;
	return starved;
}

void blk_drain(struct blk *blk)
{
	while (blk->in_flight) {
		uring_wait(blk->ring);
	}
	notify(blk);
}
