/* SPDX-License-Identifier: Apache-2.0 */
/** All tables of one VHD file as they are found, damaged or not: what check tells of and repair
 * works on. The bytes are decoded by the same modules as when an image is opened.
 */
#ifndef VHD_SURVEY_H
#define VHD_SURVEY_H

#include "vhd_bat.h"
#include "vhd_footer.h"
#include "vhd_header.h"

#include <stdbool.h>

struct vhd_survey_footer {
	int rc;		 /* of vhd_footer_decode() */
	uint64_t offset; /* in the file */
	unsigned size;	 /* VHD_FOOTER_SIZE or VHD_FOOTER_SIZE_SHORT */
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];
};

/** What became of an entry of the block table. */
enum vhd_survey_block {
	VHD_SURVEY_UNUSED,
	VHD_SURVEY_GOOD,
	VHD_SURVEY_OUTSIDE, /* begins past the end of the file or in a place of 0 to the header */
	VHD_SURVEY_CUT,	    /* begins in the file and goes on past its end or its footer */
	VHD_SURVEY_TABLES,  /* lies over a header or the block table */
	VHD_SURVEY_SHARED,  /* lies over a block that is lower in the file */
};

struct vhd_survey {
	struct file *file;
	uint64_t file_size;
	struct vhd_survey_footer end, copy;
	const struct vhd_survey_footer *footer; /* the one to believe; NULL: none is whole */
	uint64_t stray;				/* bytes behind the footer of a fixed disk */
	bool footer_sums_are_wrong; /* that is all: both say the same; `end` has the right one */

	/* Of a dynamic or differencing disk: */
	int header_rc;		  /* 0: `header` is filled in */
	bool header_sum_is_wrong; /* that is all that is wrong with it */
	uint64_t header_offset;
	uint8_t header_bytes[VHD_HEADER_SIZE];
	struct vhd_header header;
	int table_rc; /* 0: `bat` and `blocks` are filled in; -EBADMSG: it lies in a wrong place */
	struct vhd_bat bat;
	uint8_t *blocks; /* enum vhd_survey_block of each entry */
	uint32_t bitmap_size;
	uint32_t block_count; /* that the size of the disk asks for */
	uint64_t limit;	      /* blocks end here at the latest */
	uint64_t end_used;    /* behind the highest thing in the file but the footer */
};

/** Reads everything. The file stays the caller's and open. -ENOMEM, -errno of reading; anything
 * else is told in *ret_survey. */
VHD_MUST_CHECK int vhd_survey_make(struct file *file, struct vhd_survey *ret_survey);

void vhd_survey_fini(struct vhd_survey *survey);

static inline bool vhd_survey_is_sparse(const struct vhd_survey *survey)
{
	return survey->footer && survey->footer->footer.type != VHD_FIXED;
}

/** Offset of a used block's bitmap in the file. */
static inline uint64_t vhd_survey_place(const struct vhd_survey *survey, uint32_t block)
{
	return (uint64_t)survey->bat.entries[block] * VHD_SECTOR_SIZE;
}

/** Bytes of a block with its bitmap. */
static inline uint64_t vhd_survey_block_bytes(const struct vhd_survey *survey)
{
	return (uint64_t)survey->bitmap_size + survey->header.block_size;
}

/** What the bits of a bitmap are: all set, none, or some. */
enum vhd_survey_bits {
	VHD_SURVEY_ALL,
	VHD_SURVEY_NONE,
	VHD_SURVEY_SOME,
	VHD_SURVEY_ODD, /* some, and not by whole bytes */
};

#define VHD_SURVEY_BUFFER (1u << 20)

/** Looks at the bitmap of a good block, and of a dynamic disk whether there is something but zeros
 * in sectors that are not set. buffer: VHD_SURVEY_BUFFER bytes. */
VHD_MUST_CHECK int vhd_survey_look_at_bits(const struct vhd_survey *survey, uint32_t block,
					   uint8_t *buffer, enum vhd_survey_bits *ret_bits,
					   bool *ret_hidden_data);

#endif
