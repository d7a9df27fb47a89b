/* SPDX-License-Identifier: Apache-2.0 */
/* Owns making an image lasting: data before the bits that show them, and what a failed flush means.
 */
#define _GNU_SOURCE

#include "vhd_image.h"

#include <errno.h>

int vhd_image_flush_file(struct vhd_image *image)
{
	if (image->poisoned) {
		return -EIO;
	}
	if (file_flush(image->file) < 0) {
		image->poisoned = true;
	}
	/* Another flush may have failed meanwhile: the kernel tells only one of the two. */
	return image->poisoned ? -EIO : 0;
}

static int store_bitmaps(struct vhd_image *image)
{
	struct vhd_bitmaps_taken taken;
	int rc;

	if (!image->bitmaps.dirty) {
		return 0;
	}
	rc = vhd_bitmaps_take(&image->bitmaps, &taken);
	if (rc < 0) {
		return rc;
	}
	/* Data first: a bit may only be on the medium when its sector is. */
	rc = vhd_image_flush_file(image);
	return vhd_bitmaps_store(&image->bitmaps, &taken, image->bat.entries, rc);
}

int vhd_image_store_table(struct vhd_image *image)
{
	int rc;

	if (!image->bat.dirty_count && !image->storing.owner) {
		return 0;
	}
	fiber_mutex_lock(&image->storing);
	rc = vhd_bat_store(&image->bat, image->file);
	fiber_mutex_unlock(&image->storing);
	return rc;
}

static int flush_all(struct vhd_image *image)
{
	int rc = 0;

	if (!vhd_image_is_fixed(image)) {
		rc = store_bitmaps(image);
		rc = rc ? rc : vhd_image_store_table(image);
	}
	return rc ? rc : vhd_image_flush_file(image);
}

/* One at a time. Those who waited while one ran share the next one. */
int vhd_image_flush(struct vhd_image *image)
{
	uint64_t mine = ++image->flush_asked;
	int rc = 0;

	fiber_mutex_lock(&image->flushing);
	if (image->poisoned) {
		rc = -EIO;
	} else if (image->flush_done < mine) {
		uint64_t upto = image->flush_asked;

		rc = flush_all(image);
		image->flush_done = rc ? image->flush_done : upto;
	}
	fiber_mutex_unlock(&image->flushing);
	return rc;
}
