/* SPDX-License-Identifier: Apache-2.0 */
/* One table of functions for layers that look at requests and pass them on unchanged. */
#include "layer_hook.h"

#include <stdlib.h>

const char *const layer_request_names[LAYER_REQUEST_KINDS] = {
	[LAYER_REQUEST_READ] = "read",	 [LAYER_REQUEST_WRITE] = "write",
	[LAYER_REQUEST_ZERO] = "zero",	 [LAYER_REQUEST_DISCARD] = "discard",
	[LAYER_REQUEST_FLUSH] = "flush",
};

static int before(struct layer *layer, struct layer_request *request)
{
	struct layer_hook *hook = (struct layer_hook *)layer;

	return hook->before ? hook->before(hook, request) : 0;
}

static int after(struct layer *layer, const struct layer_request *request, int rc)
{
	struct layer_hook *hook = (struct layer_hook *)layer;

	if (hook->after) {
		hook->after(hook, request, rc);
	}
	return rc;
}

int layer_hook_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset)
{
	struct layer_request request = {LAYER_REQUEST_READ, offset, size, 0};
	int rc = before(layer, &request);

	return rc ? rc
		  : after(layer, &request, layer_readv(layer->below, iov, count, size, offset));
}

int layer_hook_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	struct layer_request request = {LAYER_REQUEST_WRITE, offset, size, 0};
	int rc = before(layer, &request);

	return rc ? rc
		  : after(layer, &request, layer_writev(layer->below, iov, count, size, offset));
}

int layer_hook_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct layer_request request = {LAYER_REQUEST_ZERO, offset, size, 0};
	int rc = before(layer, &request);

	return rc ? rc : after(layer, &request, layer_zero(layer->below, offset, size));
}

int layer_hook_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct layer_request request = {LAYER_REQUEST_DISCARD, offset, size, 0};
	int rc = before(layer, &request);

	return rc ? rc : after(layer, &request, layer_discard(layer->below, offset, size));
}

int layer_hook_flush(struct layer *layer)
{
	struct layer_request request = {LAYER_REQUEST_FLUSH, 0, 0, 0};
	int rc = before(layer, &request);

	return rc ? rc : after(layer, &request, layer_flush(layer->below));
}

int layer_hook_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
		      unsigned *ret_extent)
{
	return layer_extent(layer->below, offset, ret_size, ret_extent);
}

int layer_hook_close(struct layer *layer)
{
	free(layer);
	return 0;
}
