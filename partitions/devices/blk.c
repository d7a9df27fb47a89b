/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the requests of a disk. Invariant: no byte outside of [0, size) of the file is read or
 * written. */
#define _GNU_SOURCE

#include "blk.h"
#include "debug.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

/* A notification after so many requests at the latest. */
#define BATCH 16u

_Static_assert(sizeof(struct virtio_blk_outhdr) == 16, "virtio_blk_outhdr");

void blk_init(struct blk *blk, int fd, uint64_t size, bool read_only, const char *id)
{
	blk->fd = fd;
	blk->size = size;
	blk->read_only = read_only;
	blk->write_through = true;
	blk->failed = false;
	memset(blk->id, 0, sizeof(blk->id));
	memcpy(blk->id, id, strnlen(id, sizeof(blk->id)));
}

uint64_t blk_features(const struct blk *blk)
{
	return 1ull << VIRTIO_BLK_F_SEG_MAX | 1ull << VIRTIO_BLK_F_BLK_SIZE |
	       1ull << VIRTIO_BLK_F_TOPOLOGY | 1ull << VIRTIO_BLK_F_FLUSH |
	       (uint64_t)blk->read_only << VIRTIO_BLK_F_RO;
}

uint32_t blk_config_size(void)
{
	return (uint32_t)sizeof(struct virtio_blk_config);
}

void blk_get_config(const struct blk *blk, uint8_t *config)
{
	struct virtio_blk_config space = {
		.capacity = blk->size / BLK_SECTOR_SIZE,
		.seg_max = BLK_SEG_MAX,
		.blk_size = BLK_SECTOR_SIZE,
		.physical_block_exp = 3, /* 4 KiB, the page size of the file's cache */
		.min_io_size = 8,
		.opt_io_size = BLK_BOUNCE_SIZE / BLK_SECTOR_SIZE,
		.num_queues = BLK_QUEUE_COUNT,
	};

	memcpy(config, &space, sizeof(space));
}

void blk_set_features(struct blk *blk, uint64_t features)
{
	blk->write_through = !(features & 1ull << VIRTIO_BLK_F_FLUSH);
}

static uint8_t flush(struct blk *blk)
{
	int rc;

	do {
		rc = blk->failed ? -1 : fdatasync(blk->fd);
	} while (rc < 0 && !blk->failed && errno == EINTR);
	if (rc < 0) {
		if (!blk->failed) {
			debug_say("flush failed: %s; no write is acknowledged any more",
				  strerror(errno));
		}
		blk->failed = true;
		return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static bool read_file(const struct blk *blk, uint64_t offset, uint8_t *to, size_t size)
{
	while (size) {
		ssize_t got = pread(blk->fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return false;
		}
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return true;
}

static bool write_file(const struct blk *blk, uint64_t offset, const uint8_t *from, size_t size)
{
	while (size) {
		ssize_t put = pwrite(blk->fd, from, size, (off_t)offset);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return false;
		}
		from += put;
		offset += (uint64_t)put;
		size -= (size_t)put;
	}
	return true;
}

/* Where the request starts in the file; false when it does not lie within the disk as a whole. */
static bool locate(const struct blk *blk, uint64_t sector, uint32_t size, uint64_t *ret_offset)
{
	uint64_t sectors = blk->size / BLK_SECTOR_SIZE;

	if (size % BLK_SECTOR_SIZE || sector > sectors ||
	    size / BLK_SECTOR_SIZE > sectors - sector) {
		return false;
	}
	*ret_offset = sector * BLK_SECTOR_SIZE;
	return true;
}

static uint32_t next_part(uint32_t left)
{
	return left < BLK_BOUNCE_SIZE ? left : BLK_BOUNCE_SIZE;
}

/* size: writable bytes before the status byte. */
static uint8_t handle_in(struct blk *blk, struct vq *vq, uint64_t sector, uint32_t size)
{
	uint64_t offset;

	if (!locate(blk, sector, size, &offset)) {
		return VIRTIO_BLK_S_IOERR;
	}
	while (size) {
		uint32_t part = next_part(size);

		if (!read_file(blk, offset, blk->bounce, part) ||
		    vq_write(vq, &blk->chain, blk->bounce, part) < 0) {
			return VIRTIO_BLK_S_IOERR;
		}
		offset += part;
		size -= part;
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t handle_out(struct blk *blk, struct vq *vq, uint64_t sector)
{
	uint32_t size = blk->chain.read_left;
	uint64_t offset;

	if (blk->read_only || blk->failed || !locate(blk, sector, size, &offset)) {
		return VIRTIO_BLK_S_IOERR;
	}
	while (size) {
		uint32_t part = next_part(size);

		if (vq_read(vq, &blk->chain, blk->bounce, part) < 0 ||
		    !write_file(blk, offset, blk->bounce, part)) {
			return VIRTIO_BLK_S_IOERR;
		}
		offset += part;
		size -= part;
	}
	return blk->write_through ? flush(blk) : VIRTIO_BLK_S_OK;
}

static uint8_t handle_get_id(struct blk *blk, struct vq *vq, uint32_t size)
{
	uint32_t part = size < BLK_ID_SIZE ? size : BLK_ID_SIZE;

	return vq_write(vq, &blk->chain, blk->id, part) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t handle(struct blk *blk, struct vq *vq, const struct virtio_blk_outhdr *header,
		      uint32_t size)
{
	switch (header->type) {
	case VIRTIO_BLK_T_IN:
		return handle_in(blk, vq, header->sector, size);
	case VIRTIO_BLK_T_OUT:
		return handle_out(blk, vq, header->sector);
	case VIRTIO_BLK_T_FLUSH:
		return flush(blk);
	case VIRTIO_BLK_T_GET_ID:
		return handle_get_id(blk, vq, size);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* A request is a header to read, data either way, and one last byte to write the status into.
 * Without room for header and status there is nobody to answer. */
static bool serve(struct blk *blk, struct vq *vq)
{
	struct vq_chain *chain = &blk->chain;
	struct virtio_blk_outhdr header;
	uint8_t status;

	if (!chain->write_left || vq_read(vq, chain, &header, sizeof(header)) < 0) {
		return false;
	}
	status = handle(blk, vq, &header, chain->write_left - 1);
	debug_trace(DEBUG_DEVICE_QUEUE, "type %u sector %" PRIu64 " status %u", header.type,
		    (uint64_t)header.sector, status);
	vq_skip_write(chain, chain->write_left - 1);
	if (vq_write(vq, chain, &status, sizeof(status)) < 0) {
		return false;
	}
	vq_push(vq, chain);
	return true;
}

bool blk_handle_queue(struct blk *blk, struct vq *vq)
{
	unsigned served = 0;

	while (served < BATCH && vq_pop(vq, &blk->chain) > 0) {
		if (!serve(blk, vq)) {
			vq_break(vq);
			break;
		}
		served++;
	}
	vq_notify(vq);
	return served == BATCH;
}
