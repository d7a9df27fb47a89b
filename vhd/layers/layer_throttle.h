/* SPDX-License-Identifier: Apache-2.0 */
/** The "throttle" layer: at most so many requests and bytes a second, for one disk and for several
 * that share a budget; and a share of that budget that a disk gets whatever the others do.
 *
 *  A request passes when its disk is below its own limit, and the disk is below its share or the
 * budget is not used up. What passes by share counts in the budget too, so the others give way to
 * it; shares never sum up to more than the budget. Requests of a disk pass in order of arrival.
 *  A read or write costs one request and its bytes, zeroing the same, discard one request, flush
 * nothing: it is never held back.
 */
#ifndef VHD_LAYER_THROTTLE_H
#define VHD_LAYER_THROTTLE_H

#include "layer_clock.h"
#include "layer_hook.h"

/** A rate and how much may come at once after a pause. */
struct throttle_rate {
	uint64_t iops;	      /* requests a second; 0: no limit */
	uint64_t bytes;	      /* bytes a second; 0: no limit */
	uint64_t iops_burst;  /* requests; 0: what a tenth of a second gives */
	uint64_t bytes_burst; /* bytes; 0: what a tenth of a second gives */
};

/** A budget that the disks of one thread share. */
struct throttle_group;

/** -ENOMEM. Destroy it after its layers. */
VHD_MUST_CHECK int throttle_group_create(const struct throttle_rate *budget,
					 struct throttle_group **ret_group);
/** NULL is fine. */
void throttle_group_destroy(struct throttle_group *group);

struct layer_throttle_limits {
	struct throttle_rate limit;
	struct throttle_group *group; /* NULL: alone */
	/** Of the group's budget; what the budget does not limit is ignored. iops or bytes 0: no
	 * share of that. */
	struct throttle_rate share;
	const struct layer_clock *clock; /* NULL: layer_clock_real. One clock for a group. */
};

/** Owns `below` from now on when 0 is returned. The limits are copied. -EDQUOT: the shares of the
 * group's disks would be more than its budget; -ENOMEM. */
VHD_MUST_CHECK int layer_throttle_open(struct layer *below,
				       const struct layer_throttle_limits *limits,
				       struct layer **ret_layer);

/** Changes the limit of the disk from the next request on; group and share stay. */
void layer_throttle_set_limit(struct layer *throttle, const struct throttle_rate *limit);

#endif
