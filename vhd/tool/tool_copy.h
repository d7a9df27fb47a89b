/* SPDX-License-Identifier: Apache-2.0 */
/** Copies a disk to another one, leaving out what is zero. */
#ifndef VHD_TOOL_COPY_H
#define VHD_TOOL_COPY_H

#include "layer.h"
#include "progress.h"

struct tool_copy_counts {
	uint64_t data; /* bytes written */
	uint64_t zero; /* bytes left out */
};

/** Copies all of `from`; `to` is at least as large. to_is_zero: what is not written there reads as
 * zeros already, else zeros are written. Flushes at the end. Returns 0; -ECANCELED; -errno. */
VHD_MUST_CHECK int tool_copy(struct layer *from, struct layer *to, bool to_is_zero,
			     const struct progress *progress, struct tool_copy_counts *ret_counts,
			     struct why *why);

#endif
