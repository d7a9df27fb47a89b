/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what one request does to the disk. Invariant: nothing outside of the disk is touched, and a
 * status of OK means that what was asked for has happened. */
#include "blk.h"
#include "debug.h"

#include <string.h>

static uint8_t flush(struct blk *blk)
{
	int rc = blk->failed ? -1 : layer_flush(blk->disk);

	if (rc < 0) {
		if (!blk->failed) {
			debug_say("flush failed: %s; no write is acknowledged any more",
				  strerror(-rc));
		}
		blk->failed = true;
		return VIRTIO_BLK_S_IOERR;
	}
	/* Another flush may have failed while this one waited. */
	return blk->failed ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

/* Where the range starts on the disk; false when it does not lie there as a whole. */
static bool locate(const struct blk *blk, uint64_t sector, uint64_t size, uint64_t *ret_offset)
{
	uint64_t sectors = blk->disk->size / BLK_SECTOR_SIZE;

	if (size % BLK_SECTOR_SIZE || sector > sectors ||
	    size / BLK_SECTOR_SIZE > sectors - sector) {
		return false;
	}
	*ret_offset = sector * BLK_SECTOR_SIZE;
	return true;
}

static uint8_t run_in(struct blk_request *request)
{
	uint64_t offset;

	if (request->iov_count > BLK_IOV_MAX ||
	    !locate(request->blk, request->sector, request->size, &offset) ||
	    layer_readv(request->blk->disk, request->iov, request->iov_count, request->size,
			offset) < 0) {
		return VIRTIO_BLK_S_IOERR;
	}
	request->written = request->size;
	return VIRTIO_BLK_S_OK;
}

/* What a change of the disk answers: for a guest that does not flush, after a flush. */
static uint8_t settle(struct blk *blk)
{
	if (blk->failed) {
		return VIRTIO_BLK_S_IOERR;
	}
	return blk->writeback ? VIRTIO_BLK_S_OK : flush(blk);
}

static uint8_t run_out(struct blk_request *request)
{
	struct blk *blk = request->blk;
	uint64_t offset;

	if (blk->failed || request->iov_count > BLK_IOV_MAX ||
	    !locate(blk, request->sector, request->size, &offset) ||
	    layer_writev(blk->disk, request->iov, request->iov_count, request->size, offset) < 0) {
		return VIRTIO_BLK_S_IOERR;
	}
	return settle(blk);
}

/* All ranges are checked before the first one is touched. */
static uint8_t check_ranges(const struct blk_request *request)
{
	const bool is_discard = request->type == VIRTIO_BLK_T_DISCARD;
	const uint32_t max = is_discard ? BLK_DISCARD_MAX : BLK_ZERO_MAX;
	const uint32_t known = is_discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	uint64_t offset;

	if (!request->range_count) {
		return VIRTIO_BLK_S_IOERR;
	}
	for (unsigned i = 0; i < request->range_count; i++) {
		const struct virtio_blk_discard_write_zeroes *range = &request->range[i];

		if (range->flags & ~known) {
			return VIRTIO_BLK_S_UNSUPP;
		}
		if (range->num_sectors > max ||
		    !locate(request->blk, range->sector,
			    (uint64_t)range->num_sectors * BLK_SECTOR_SIZE, &offset)) {
			return VIRTIO_BLK_S_IOERR;
		}
	}
	return VIRTIO_BLK_S_OK;
}

static uint8_t run_ranges(struct blk_request *request)
{
	struct blk *blk = request->blk;
	uint8_t status = blk->failed ? VIRTIO_BLK_S_IOERR : check_ranges(request);

	for (unsigned i = 0; i < request->range_count && status == VIRTIO_BLK_S_OK; i++) {
		uint64_t offset = request->range[i].sector * BLK_SECTOR_SIZE;
		uint64_t size = (uint64_t)request->range[i].num_sectors * BLK_SECTOR_SIZE;
		int rc = request->type == VIRTIO_BLK_T_DISCARD
				 ? layer_discard(blk->disk, offset, size)
				 : layer_zero(blk->disk, offset, size);

		status = rc < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	}
	return status == VIRTIO_BLK_S_OK ? settle(blk) : status;
}

static uint8_t run_get_id(struct blk_request *request)
{
	uint32_t left = request->size < BLK_ID_SIZE ? request->size : BLK_ID_SIZE;
	const char *from = request->blk->id;

	if (request->iov_count > BLK_IOV_MAX) {
		return VIRTIO_BLK_S_IOERR;
	}
	request->written = left;
	for (unsigned i = 0; i < request->iov_count && left; i++) {
		uint32_t part =
			left < request->iov[i].iov_len ? left : (uint32_t)request->iov[i].iov_len;

		memcpy(request->iov[i].iov_base, from, part);
		from += part;
		left -= part;
	}
	return VIRTIO_BLK_S_OK;
}

uint8_t blk_request_run(struct blk_request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return run_in(request);
	case VIRTIO_BLK_T_OUT:
		return run_out(request);
	case VIRTIO_BLK_T_FLUSH:
		return flush(request->blk);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return run_ranges(request);
	case VIRTIO_BLK_T_GET_ID:
		return run_get_id(request);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}
