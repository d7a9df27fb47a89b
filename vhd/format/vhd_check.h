/* SPDX-License-Identifier: Apache-2.0 */
/** Says all that is wrong with a VHD file, and changes nothing.
 *
 *  One file is checked, and of its parent only that it is there and the one meant; check each image
 * of a chain by itself. Sizes and offsets of the file are not trusted; memory is bounded.
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0.
 */
#ifndef VHD_CHECK_H
#define VHD_CHECK_H

#include "folder.h"
#include "progress.h"

#include <stdbool.h>

enum vhd_check_kind {
	VHD_CHECK_FOOTER,	  /* none at the end, or a damaged one */
	VHD_CHECK_FOOTER_COPY,	  /* none at the start of a dynamic disk, or a damaged one */
	VHD_CHECK_FOOTERS_DIFFER, /* both whole, but not the same */
	VHD_CHECK_GEOMETRY,	  /* cylinders, heads, sectors do not fit the size */
	VHD_CHECK_UUID,		  /* all zero */
	VHD_CHECK_HEADER,	  /* of a dynamic disk: damaged */
	VHD_CHECK_BAT,		  /* block table outside of the file, too small, over the headers */
	VHD_CHECK_BLOCK_OUTSIDE,  /* entry of the block table that points out of the file */
	VHD_CHECK_BLOCK_OVERLAP,  /* two entries share sectors, or one lies over the tables */
	VHD_CHECK_BLOCK_MISALIGNED, /* data not on a 4 KiB boundary: slower */
	VHD_CHECK_BITMAP,	    /* a bitmap that does not fit the type of the disk */
	VHD_CHECK_LEAKED,	    /* room in the file that no block uses */
	VHD_CHECK_STRAY,	    /* bytes after the footer */
	VHD_CHECK_PARENT,	    /* missing, changed, or no VHD */
	VHD_CHECK_LOCATOR,	    /* a name of the parent that is damaged or leads elsewhere */
	VHD_CHECK_SIZE,		    /* a fixed disk that is longer than its file */
	VHD_CHECK_JOURNAL,	    /* an operation on several files was cut off */
	VHD_CHECK_KIND_COUNT,
};

enum vhd_check_grade {
	VHD_CHECK_NOTE,	      /* reads and writes rightly all the same */
	VHD_CHECK_REPAIRABLE, /* vhd_repair_run() puts it right, and says when data are lost */
	VHD_CHECK_LOST,	      /* what is missing is not in this file */
};

struct vhd_check_finding {
	enum vhd_check_kind kind;
	enum vhd_check_grade grade;
	uint64_t offset;    /* in the file, bytes */
	char sentence[224]; /* printable */
};

/** Findings kept; `count` goes on. */
#define VHD_CHECK_KEPT_MAX 1024u

struct vhd_check {
	bool is_sound;		    /* no finding above VHD_CHECK_NOTE */
	enum vhd_check_grade worst; /* VHD_CHECK_NOTE also without findings */
	unsigned count;		    /* findings */
	unsigned kept;		    /* of them in the list */
	struct vhd_check_finding *findings;
};

/** Checks the file with a shared lock. Returns 0 when the check was made, whatever it found;
 * -EINVAL no VHD at all, -ENOENT, -EAGAIN in use by a writer, -ECANCELED, -errno of reading. The
 * caller frees by vhd_check_fini(). */
VHD_MUST_CHECK int vhd_check_run(struct folder *folder, const char *name,
				 const struct progress *progress, struct vhd_check *ret_check,
				 struct why *why);

void vhd_check_fini(struct vhd_check *check);

/** "footer", "block-overlap" ...: stable words for --json. */
const char *vhd_check_kind_name(enum vhd_check_kind kind);
/** "note", "repairable", "lost". */
const char *vhd_check_grade_name(enum vhd_check_grade grade);

#endif
