/* SPDX-License-Identifier: Apache-2.0 */
/** One VHD file: what it holds and where. Knows nothing of parents; vhd_disk.h puts images into
 * chains.
 *
 *  All that came from the file was checked: blocks and table lie within the file, and none over
 * another.
 *
 *  Context: as fiber.h says.
 */
#ifndef VHD_IMAGE_H
#define VHD_IMAGE_H

#include "folder.h"
#include "vhd_bat.h"
#include "vhd_bitmap.h"
#include "vhd_footer.h"
#include "vhd_header.h"

/** Data of new blocks and new footers lie on this boundary of the file. */
#define VHD_FILE_STEP 4096u

struct vhd_image {
	struct file *file;
	char *name;
	bool writable;
	bool poisoned; /* a flush failed: nobody knows what is on the medium */
	bool unclean;  /* see vhd_disk.h */
	struct vhd_footer footer;
	uint8_t footer_bytes[VHD_FOOTER_SIZE];
	uint64_t file_size;		  /* when it was opened */
	uint64_t footer_offset;		  /* of the one at the end; UINT64_MAX: it is missing */
	uint64_t flush_asked, flush_done; /* numbers of calls of vhd_image_flush() */
	struct fiber_mutex flushing;
	struct fiber_mutex storing; /* the block table: an older copy must not pass a newer one */
	uint64_t wiped_offset;	    /* fixed: an old footer that reads as zeros; UINT64_MAX: none */

	/* From here on: not for VHD_FIXED. */
	struct vhd_header header;
	struct vhd_bat bat;
	struct vhd_bitmaps bitmaps;
	uint32_t block_count; /* that the block table must have */
	unsigned block_shift;
	uint32_t bitmap_size;
	uint64_t first_used;  /* offset of the lowest structure behind the block table */
	uint64_t end_used;    /* behind the last block and table, when it was opened */
	uint64_t room_next;   /* where the next block goes; a multiple of VHD_FILE_STEP */
	uint64_t room_end;    /* blocks up to here need no growing */
	uint32_t room_blocks; /* of the last growing */
	struct fiber_mutex growing;
};

enum vhd_image_flags {
	VHD_IMAGE_WRITE = 1u << 0,
	VHD_IMAGE_NO_LOCK = 1u << 1,
};

/** Opens and locks one file, reads its footer and header and checks them; changes nothing. Only
 * what they say may be used before vhd_image_load(). Errors as vhd_disk_open(). */
VHD_MUST_CHECK int vhd_image_open(struct folder *folder, const char *name, unsigned flags,
				  struct vhd_image **ret_image, struct why *why);

/** Reads and checks the block table, once. Errors as vhd_disk_open(). */
VHD_MUST_CHECK int vhd_image_load(struct vhd_image *image, struct why *why);

/** Checks the block table against the file again, and finds first_used and end_used. -EBADMSG,
 * -ENOMEM. */
VHD_MUST_CHECK int vhd_image_measure(struct vhd_image *image, struct why *why);

/** 0 when nothing that writing changes lies over a name of the parent; -EBADMSG: reading does no harm,
 * writing would. */
VHD_MUST_CHECK int vhd_image_check_names(const struct vhd_image *image, struct why *why);

/** Sets the reason "its WHAT: repair it" and returns -EBADMSG. */
int vhd_image_damaged(struct why *why, const char *what);

/** Closes the file only. NULL is fine. */
void vhd_image_free(struct vhd_image *image);

static inline bool vhd_image_is_fixed(const struct vhd_image *image)
{
	return image->footer.type == VHD_FIXED;
}

static inline uint32_t vhd_image_block(const struct vhd_image *image, uint64_t offset)
{
	return (uint32_t)(offset >> image->block_shift);
}

/** Where a block's bitmap lies in the file; the block must be used. */
static inline uint64_t vhd_image_block_offset(const struct vhd_image *image, uint32_t block)
{
	return (uint64_t)image->bat.entries[block] * VHD_SECTOR_SIZE;
}

/** A stretch of the disk that lies in one piece in the file, or not at all in it. */
struct vhd_extent {
	uint64_t size;
	bool present;
	uint64_t file_offset; /* when present */
};

/** What lies at `offset`: at most `max` bytes (> 0). Offsets past the end of the disk are absent.
 * -errno of reading a bitmap. */
VHD_MUST_CHECK int vhd_image_find(struct vhd_image *image, uint64_t offset, uint64_t max,
				  struct vhd_extent *ret_extent);

/** Writes what changed in the block table, when something did, or waits for who does it. */
VHD_MUST_CHECK int vhd_image_store_table(struct vhd_image *image);

/** file_flush(), and what its failure means. */
VHD_MUST_CHECK int vhd_image_flush_file(struct vhd_image *image);

/** Makes all writes that ended before the call lasting: in a dynamic image one flush of the file,
 * in a differencing one with new sectors two. -EIO also when an earlier flush failed. */
VHD_MUST_CHECK int vhd_image_flush(struct vhd_image *image);

#endif
