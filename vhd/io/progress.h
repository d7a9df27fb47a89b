/* SPDX-License-Identifier: Apache-2.0 */
/** How far a long operation is, told to who asked for it, who may stop it by his answer. */
#ifndef VHD_PROGRESS_H
#define VHD_PROGRESS_H

#include "why.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	/** `done` of `total` bytes; called at least at the start and at the end, and every few MiB.
	 * Non-zero stops: the operation returns -ECANCELED and leaves every image valid. */
	int (*step)(void *context, uint64_t done, uint64_t total);
	void *context;
};

/** Returns 0 or -ECANCELED. NULL is fine: nobody listens. */
VHD_MUST_CHECK static inline int progress_step(const struct progress *progress, uint64_t done,
					       uint64_t total)
{
	return progress && progress->step && progress->step(progress->context, done, total)
		       ? -ECANCELED
		       : 0;
}

#endif
