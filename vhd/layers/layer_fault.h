/* SPDX-License-Identifier: Apache-2.0 */
/** The "fault" layer makes requests fail by plan, for tests and for showing what a guest does then.
 * A request that fails here never reaches the layer below.
 */
#ifndef VHD_LAYER_FAULT_H
#define VHD_LAYER_FAULT_H

#include "layer_hook.h"

#define LAYER_FAULT_PLANS 16u
#define LAYER_FAULT_EVER  UINT64_MAX

struct layer_fault {
	unsigned kinds;	       /* LAYER_REQUEST_BIT()s */
	uint64_t offset, size; /* what touches this range; size 0: all of the disk, and flushes */
	uint64_t skip;	       /* so many matching requests pass first */
	uint64_t count;	       /* then so many fail; LAYER_FAULT_EVER */
	int error;	       /* -errno that they end with */
};

/** Owns `below` from now on when 0 is returned. -ENOMEM. */
VHD_MUST_CHECK int layer_fault_open(struct layer *below, struct layer **ret_layer);

/** Adds a plan; the first one that wants a request to fail decides. -EINVAL: kinds, count or error
 * make no sense; -ENOSPC: too many plans. */
VHD_MUST_CHECK int layer_fault_add(struct layer *fault, const struct layer_fault *plan);

/** Forgets all plans. */
void layer_fault_clear(struct layer *fault);

/** How many requests were made to fail since the layer was opened. */
uint64_t layer_fault_get_count(const struct layer *fault);

#endif
