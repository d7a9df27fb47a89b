/* SPDX-License-Identifier: Apache-2.0 */
/** Puts a changed LUKS2 header on the disk so that at each instant one whole copy of its metadata
 * is there and every keyslot that it names is whole:
 *
 *    added:   areas, flush, one copy, flush, the other copy, flush
 *    removed: one copy, flush, the other copy, flush, areas, flush
 *    fresh:   both magics gone, flush, then as added
 *
 *  The copy written first is the one that the disk can do without.
 */
#ifndef VHD_LUKS_WRITE_H
#define VHD_LUKS_WRITE_H

#include "luks_process.h"

enum luks_write_order { LUKS_WRITE_ADDED, LUKS_WRITE_REMOVED, LUKS_WRITE_FRESH };

/** job->after over job->before. 0 or -errno: then old or new opens. */
VHD_MUST_CHECK int luks_write(struct layer *payload, const struct luks_job *job,
			      enum luks_write_order order);

#endif
