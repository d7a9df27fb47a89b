/* SPDX-License-Identifier: Apache-2.0 */
/** Puts right what vhd_check_run() calls repairable.
 *
 *  Nothing is overwritten that is not proven wrong: where two blocks share sectors, each gets a
 * copy of its own; a block whose place lies out of the file is taken out of the table and named as
 * lost. Each write may be the last one before a power cut: the file is then as repairable as
 * before.
 */
#ifndef VHD_REPAIR_H
#define VHD_REPAIR_H

#include "vhd_check.h"

struct vhd_repair_change {
	enum vhd_check_kind kind;
	uint64_t offset;    /* in the file, bytes */
	bool lost;	    /* bytes of the disk could not be saved */
	char sentence[224]; /* what was done, or what is lost */
};

struct vhd_repair {
	unsigned count; /* changes */
	unsigned kept;	/* of them in the list */
	struct vhd_repair_change *changes;
	bool is_lossy;		    /* one of them is `lost` */
	enum vhd_check_grade worst; /* what a check finds afterwards; of a dry run: before */
};

/** Repairs the file under an exclusive lock. dry_run: only says what it would do. Returns 0 also
 * when something stays lost (see `worst`); -EAGAIN in use; -EBADMSG nothing can be done: no footer
 * and no header are left; -ECANCELED; -errno. The caller frees by vhd_repair_fini(). */
VHD_MUST_CHECK int vhd_repair_run(struct folder *folder, const char *name, bool dry_run,
				  const struct progress *progress, struct vhd_repair *ret_repair,
				  struct why *why);

void vhd_repair_fini(struct vhd_repair *repair);

#endif
