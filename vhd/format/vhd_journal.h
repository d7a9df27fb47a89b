/* SPDX-License-Identifier: Apache-2.0 */
/** Operations on several files of a folder that must happen all or not at all. Before the first
 * change, VHD_JOURNAL_NAME tells how to undo; at the instant of decision, one sector of it is
 * replaced and it tells how to go on. Whoever finds one that nobody holds finishes it.
 *
 *  Steps may be done twice. What they name is checked as any untrusted input: plain names of this
 * folder only.
 */
#ifndef VHD_JOURNAL_H
#define VHD_JOURNAL_H

#include "folder.h"

#include <stddef.h>

#define VHD_JOURNAL_NAME "bulkhead-vhd.journal"

/** Rolls an operation that was cut off forward or back. To be called before an image of the folder
 * is opened, and always before one is opened for writing; costs one failed open when there is
 * nothing to do. Returns 0; -EAGAIN the operation still runs; -EROFS or -EACCES there is something
 * to do but the folder cannot be written; -EBADMSG the journal is damaged; -errno. */
VHD_MUST_CHECK int vhd_journal_recover(struct folder *folder, struct why *why);

enum vhd_journal_kind {
	/** Removes `name`, when it is there; the last thing on the way forward. */
	VHD_JOURNAL_REMOVE = 1,
	/** Undo: `name` is called `to` again, when `name` is there and `to` is not. */
	VHD_JOURNAL_BACK,
	/** While `from` is there: `name`, when it is there, is called `to`, replacing that; then
	 * `from` is called `name`. */
	VHD_JOURNAL_SWAP,
	/** `name`, when it is there, is called `to`, replacing that. */
	VHD_JOURNAL_REPLACE,
	/** Writes bytes at an offset of `name`, and flushes them. Who decides holds its lock. */
	VHD_JOURNAL_WRITE,
};

struct vhd_journal_step {
	enum vhd_journal_kind kind;
	const char *name;
	const char *to;	  /* BACK, SWAP, REPLACE */
	const char *from; /* SWAP */
	uint64_t offset;  /* WRITE */
	const void *bytes;
	size_t size;
};

/** Steps of one list, at most; and bytes of both lists as they are stored. */
#define VHD_JOURNAL_STEP_MAX 128u
#define VHD_JOURNAL_SIZE_MAX (1u << 20)

struct vhd_journal;

/** Opens a journal with both lists. When 0 is returned, a power cut from now on leads to `undo`.
 * The lists are copied. -EAGAIN another operation is under way, -E2BIG, -errno. */
VHD_MUST_CHECK int vhd_journal_begin(struct folder *folder, const struct vhd_journal_step *undo,
				     unsigned undo_count, const struct vhd_journal_step *redo,
				     unsigned redo_count, struct vhd_journal **ret_journal,
				     struct why *why);

/** Decides for `redo`, carries it out, and closes the journal. On -errno either everything was
 * undone, or the next vhd_journal_recover() ends it: `why` says which. */
VHD_MUST_CHECK int vhd_journal_decide(struct vhd_journal *journal, struct why *why);

/** Carries out `undo` and closes the journal. */
void vhd_journal_abort(struct vhd_journal *journal);

#endif
