/* SPDX-License-Identifier: Apache-2.0 */
/** An image with its parents, as the layer "vhd": what is behind vhd_disk.h. */
#ifndef VHD_CHAIN_H
#define VHD_CHAIN_H

#include "vhd_disk.h"
#include "vhd_image.h"
#include "vhd_range.h"

struct vhd_chain {
	struct layer layer;
	unsigned depth;
	struct vhd_image *images[VHD_DEPTH_MAX]; /* the top one first */
	struct vhd_ranges setting;		 /* by writes that set new sectors */
};

extern const struct layer_ops vhd_chain_ops;

/** The chain behind a layer that vhd_disk_open() made. */
static inline struct vhd_chain *vhd_chain_of(struct layer *layer)
{
	return (struct vhd_chain *)layer;
}

/** Which image has the bytes at `offset`, from image `from` downwards, for at most `max` bytes.
 * *ret_image is NULL where the disk reads as zeros. */
VHD_MUST_CHECK int vhd_chain_find(struct vhd_chain *chain, unsigned from, uint64_t offset,
				  uint64_t max, struct vhd_image **ret_image,
				  struct vhd_extent *ret_extent);

/** Makes a range of the top image zeros, also past the end of the disk but not of its last block.
 */
VHD_MUST_CHECK int vhd_chain_zero(struct vhd_chain *chain, uint64_t offset, uint64_t size);

#endif
