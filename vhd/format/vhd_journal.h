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

#include <stdbool.h>

#define VHD_JOURNAL_NAME "bulkhead-vhd.journal"

/** Rolls an operation that was cut off forward or back. To be called before an image of the folder
 * is opened, and always before one is opened for writing; costs one failed open when there is
 * nothing to do. Returns 0; -EAGAIN the operation still runs; -EROFS or -EACCES there is something
 * to do but the folder cannot be written; -EBADMSG the journal is damaged; -errno. */
VHD_MUST_CHECK int vhd_journal_recover(struct folder *folder, struct why *why);

#endif
