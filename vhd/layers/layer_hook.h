/* SPDX-License-Identifier: Apache-2.0 */
/** What the layers that only look at requests have in common (stats, throttle, fault, delay): one
 * function before each request and one after it.
 */
#ifndef VHD_LAYER_HOOK_H
#define VHD_LAYER_HOOK_H

#include "layer.h"

enum layer_request_kind {
	LAYER_REQUEST_READ,
	LAYER_REQUEST_WRITE,
	LAYER_REQUEST_ZERO,
	LAYER_REQUEST_DISCARD,
	LAYER_REQUEST_FLUSH,
	LAYER_REQUEST_KINDS,
};

/** "read" ... "flush". */
extern const char *const layer_request_names[LAYER_REQUEST_KINDS];

/** For masks of kinds. */
#define LAYER_REQUEST_BIT(kind) (1u << (kind))
#define LAYER_REQUEST_ALL	((1u << LAYER_REQUEST_KINDS) - 1)

struct layer_request {
	enum layer_request_kind kind;
	uint64_t offset, size; /* both 0 for a flush */
	uint64_t stamp;	       /* for the hook's own use from before() to after() */
};

/** First member of a layer with hooks; either may be NULL. */
struct layer_hook {
	struct layer layer;
	/** Not 0: the request ends with that error and goes no further; after() is not called. */
	int (*before)(struct layer_hook *hook, struct layer_request *request);
	void (*after)(struct layer_hook *hook, const struct layer_request *request, int rc);
};

int layer_hook_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset);
int layer_hook_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset);
int layer_hook_zero(struct layer *layer, uint64_t offset, uint64_t size);
int layer_hook_discard(struct layer *layer, uint64_t offset, uint64_t size);
int layer_hook_flush(struct layer *layer);
int layer_hook_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
		      unsigned *ret_extent);
/** Frees the memory of the layer. */
int layer_hook_close(struct layer *layer);

/** The table of such a layer. */
#define LAYER_HOOK_OPS(layer_name)                                                                 \
	{                                                                                          \
		.name = (layer_name), .read = layer_hook_read, .write = layer_hook_write,          \
		.zero = layer_hook_zero, .discard = layer_hook_discard, .flush = layer_hook_flush, \
		.extent = layer_hook_extent, .close = layer_hook_close,                            \
	}

#endif
