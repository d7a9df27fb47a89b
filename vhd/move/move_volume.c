/* SPDX-License-Identifier: Apache-2.0 */
/* Sectors over payload and crypt layer; a header area that has no disk yet. */
#include "move_volume.h"
#include "bundle_io.h"
#include "bundle_seal.h"
#include "layer_crypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_FIRST  16u /* from the start: partition table, superblock */
#define PROBE_SAMPLE 64u

int move_volume_open(struct layer *payload, const struct move_key *key,
		     struct move_volume *ret_volume)
{
	struct move_volume volume = {.payload = payload, .top = payload};
	uint64_t sectors = (payload->size + BUNDLE_SECTOR - 1) / BUNDLE_SECTOR;
	int rc = 0;

	if (sectors >= BUNDLE_SECTOR_COUNT_MAX) {
		return -EFBIG;
	}
	volume.sector_count = (uint32_t)sectors;
	if (key && key->is_there) {
		volume.luks_size = (uint32_t)key->segment.offset;
		rc = layer_crypt_open(payload, &key->segment, key->bytes, NULL, true, &volume.top);
	}
	if (!rc) {
		*ret_volume = volume;
	}
	return rc;
}

int move_volume_close(struct move_volume *volume)
{
	int rc = layer_close(volume->top);

	memset(volume, 0, sizeof(*volume));
	return rc;
}

/* The part of the run that lies in a layer; bytes, at `offset` of it. */
static size_t clip(const struct layer *layer, uint64_t offset, size_t size)
{
	uint64_t left = offset < layer->size ? layer->size - offset : 0;

	return size < left ? size : (size_t)left;
}

static int read_from(struct layer *layer, uint64_t offset, size_t size, void *ret_bytes)
{
	size_t there = clip(layer, offset, size);

	memset((char *)ret_bytes + there, 0, size - there);
	return there ? layer_read(layer, ret_bytes, there, offset) : 0;
}

int move_volume_read(const struct move_volume *volume, uint32_t sector, uint32_t count,
		     void *ret_bytes)
{
	uint64_t offset = (uint64_t)sector * BUNDLE_SECTOR;

	return offset < volume->luks_size ? -EINVAL
					  : read_from(volume->top, offset - volume->luks_size,
						      (size_t)count * BUNDLE_SECTOR, ret_bytes);
}

int move_volume_read_payload(const struct move_volume *volume, uint32_t sector, uint32_t count,
			     void *ret_bytes)
{
	return read_from(volume->payload, (uint64_t)sector * BUNDLE_SECTOR,
			 (size_t)count * BUNDLE_SECTOR, ret_bytes);
}

int move_volume_write(const struct move_volume *volume, uint32_t sector, uint32_t count,
		      const void *bytes)
{
	uint64_t offset = (uint64_t)sector * BUNDLE_SECTOR;
	size_t size;

	if (offset < volume->luks_size) {
		return -EINVAL;
	}
	offset -= volume->luks_size;
	size = clip(volume->top, offset, (size_t)count * BUNDLE_SECTOR);
	return layer_write(volume->top, bytes, size, offset);
}

int move_volume_zero(const struct move_volume *volume, uint32_t sector, uint32_t count)
{
	uint64_t offset = (uint64_t)sector * BUNDLE_SECTOR;
	uint64_t size = (uint64_t)count * BUNDLE_SECTOR;

	if (offset < volume->luks_size || offset >= volume->payload->size) {
		return -EINVAL;
	}
	if (size > volume->payload->size - offset) {
		size = volume->payload->size - offset;
	}
	return layer_zero(volume->payload, offset, size);
}

int move_volume_probe(struct layer *payload, const uint8_t id[16],
		      uint8_t ret_probe[BUNDLE_HASH_SIZE])
{
	uint64_t sectors = payload->size / BUNDLE_SECTOR;
	uint8_t hash[BUNDLE_HASH_SIZE], place[BUNDLE_HASH_SIZE], number[8];
	uint8_t *bytes = malloc(BUNDLE_SECTOR);
	int rc = bytes ? 0 : -ENOMEM;

	bundle_put64(number, payload->size);
	rc = rc ? rc : bundle_hash(id, 16, number, sizeof(number), NULL, 0, hash);
	for (uint32_t i = 0; !rc && sectors && i < PROBE_FIRST + PROBE_SAMPLE; i++) {
		uint64_t sector = i;

		bundle_put64(number, i);
		if (i >= PROBE_FIRST) {
			rc = bundle_hash(id, 16, number, sizeof(number), NULL, 0, place);
			sector = bundle_get64(place) % sectors;
		}
		rc = rc ? rc : read_from(payload, sector * BUNDLE_SECTOR, BUNDLE_SECTOR, bytes);
		rc = rc ? rc : bundle_hash(hash, sizeof(hash), bytes, BUNDLE_SECTOR, NULL, 0, hash);
	}
	free(bytes);
	if (!rc) {
		memcpy(ret_probe, hash, sizeof(hash));
	}
	return rc;
}

/* A disk that has nothing but its header area. */
struct header_layer {
	struct layer layer;
	const uint8_t *luks;
	uint32_t luks_size;
};

static int header_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	const struct header_layer *header = (const struct header_layer *)(void *)layer;

	(void)size;
	for (unsigned i = 0; i < count; i++) {
		size_t there = offset < header->luks_size ? header->luks_size - (size_t)offset : 0;

		there = there < iov[i].iov_len ? there : iov[i].iov_len;
		if (there) {
			memcpy(iov[i].iov_base, header->luks + offset, there);
		}
		memset((char *)iov[i].iov_base + there, 0, iov[i].iov_len - there);
		offset += iov[i].iov_len;
	}
	return 0;
}

static int header_close(struct layer *layer)
{
	(void)layer;
	return 0;
}

int move_volume_unlock(const uint8_t *luks, uint32_t luks_size, uint64_t disk_size,
		       const struct luks_secret *secret, struct move_key *ret_key, struct why *why)
{
	static const struct layer_ops ops = {
		.name = "header", .read = header_read, .close = header_close};
	struct header_layer header = {
		.layer = {.ops = &ops, .size = disk_size, .block_size = 512, .read_only = true},
		.luks = luks,
		.luks_size = luks_size,
	};
	int rc = luks_unlock(&header.layer, secret, ret_key->bytes, &ret_key->segment, why);

	if (!rc && ret_key->segment.offset != luks_size) {
		rc = why_set(why, -EBADMSG,
			     "the encrypted disk's header is not where it should be");
	}
	ret_key->is_there = !rc;
	return rc;
}
