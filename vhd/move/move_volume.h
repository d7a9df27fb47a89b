/* SPDX-License-Identifier: Apache-2.0 */
/** A disk as bundles see it: 4 KiB sectors numbered from the start of its payload, plain, with an
 * encrypted disk's LUKS2 header area apart from them.
 */
#ifndef VHD_MOVE_VOLUME_H
#define VHD_MOVE_VOLUME_H

#include "bundle.h"
#include "folder.h"
#include "layer.h"
#include "luks.h"

struct move_volume {
	struct layer *payload; /* what the image holds: encrypted, or not */
	struct layer *top;     /* plain: a crypt layer over payload, or payload itself */
	uint32_t luks_size;    /* bytes of the header area, 0: a plain disk */
	uint32_t sector_count; /* of the payload; the last one may be short */
};

/** What opens an encrypted disk, or a bundle. In locked memory: locked_alloc(). */
struct move_key {
	uint8_t bytes[XTS_KEY_SIZE];
	struct luks_segment segment;
	bool is_there;
};

/** Puts a volume on an image that is open, which it owns from now on when 0 is returned. key: NULL
 * or not there: a plain disk. */
VHD_MUST_CHECK int move_volume_open(struct layer *payload, const struct move_key *key,
				    struct move_volume *ret_volume);
/** Closes all of it. All zero is fine. Returns the first error. */
int move_volume_close(struct move_volume *volume);

/** Reads plain sectors; sectors past the end read as zeros. None lies in the header area. */
VHD_MUST_CHECK int move_volume_read(const struct move_volume *volume, uint32_t sector,
				    uint32_t count, void *ret_bytes);
/** As the image holds them. */
VHD_MUST_CHECK int move_volume_read_payload(const struct move_volume *volume, uint32_t sector,
					    uint32_t count, void *ret_bytes);
VHD_MUST_CHECK int move_volume_write(const struct move_volume *volume, uint32_t sector,
				     uint32_t count, const void *bytes);
/** Makes sectors zero as the image holds them. */
VHD_MUST_CHECK int move_volume_zero(const struct move_volume *volume, uint32_t sector,
				    uint32_t count);

/** A hash of a sample of the payload's sectors, chosen by `id`: two disks that differ in more than
 * a few sectors have different ones. */
VHD_MUST_CHECK int move_volume_probe(struct layer *payload, const uint8_t id[16],
				     uint8_t ret_probe[BUNDLE_HASH_SIZE]);

/** Opens the key of a header area that is not, or not yet, on a disk. */
VHD_MUST_CHECK int move_volume_unlock(const uint8_t *luks, uint32_t luks_size, uint64_t disk_size,
				      const struct luks_secret *secret, struct move_key *ret_key,
				      struct why *why);

#endif
