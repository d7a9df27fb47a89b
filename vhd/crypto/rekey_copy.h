/* SPDX-License-Identifier: Apache-2.0 */
/** The copying part of rekey.h: one area under one key becomes another under another key.
 *
 *  A 4 KiB sector that is all zeros where the old area is encrypted was never written; it is left
 * out, so that a new image takes no more room than the old one. A guest sees other noise there than
 * before, as it would have on any other disk. Zeros of a plain area are data.
 */
#ifndef VHD_REKEY_COPY_H
#define VHD_REKEY_COPY_H

#include "layer.h"
#include "progress.h"
#include "xts.h"

struct rekey_area {
	struct layer *layer;
	uint64_t offset;
	uint32_t sector_size;
	struct xts *xts; /* NULL: plain */
};

/** Makes `to` hold what `from` holds, `size` bytes (multiple of 4 KiB), by writing what differs.
 * Flushed when 0 is returned. */
VHD_MUST_CHECK int rekey_copy(const struct rekey_area *from, const struct rekey_area *to,
			      uint64_t size, const struct progress *progress);

#endif
