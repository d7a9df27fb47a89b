/* SPDX-License-Identifier: Apache-2.0 */
/** The "stats" layer counts what passes: requests, bytes, errors and latency by kind. It costs two
 * looks at the clock and a few additions a request.
 */
#ifndef VHD_LAYER_STATS_H
#define VHD_LAYER_STATS_H

#include "layer_clock.h"
#include "layer_hook.h"

/** Bucket i counts requests that took below 2^i microseconds (and not below 2^(i-1)); the last one
 * all that took longer. */
#define LAYER_STATS_BUCKETS 24u

struct layer_stats_counts {
	uint64_t requests; /* that ended, errors included */
	uint64_t bytes;	   /* of those without error */
	uint64_t errors;
	uint64_t busy_ns; /* sum of the latencies */
	uint64_t buckets[LAYER_STATS_BUCKETS];
};

/** Owns `below` from now on when 0 is returned. clock NULL: layer_clock_real. -ENOMEM. */
VHD_MUST_CHECK int layer_stats_open(struct layer *below, const struct layer_clock *clock,
				    struct layer **ret_layer);

/** The counts of one kind; they live as long as the layer. `stats` is what layer_find(top, "stats")
 * returns. */
const struct layer_stats_counts *layer_stats_get(const struct layer *stats,
						 enum layer_request_kind kind);

/** Writes all counts as one JSON object, {"read": {"requests": ..., "bytes": ..., "errors": ...,
 * "busy_us": ..., "latency_us": [...]}, ...}, cut to the buffer; 4 KiB are enough. Empty buckets at
 * the end of a histogram are left out. Returns the length of the whole text, as snprintf(3). */
size_t layer_stats_json(const struct layer *stats, char *ret_text, size_t size);

#endif
