/* SPDX-License-Identifier: Apache-2.0 */
/* A disk over NBD, by libnbd. */
#define _GNU_SOURCE

#include "tool_nbd.h"

#include <errno.h>
#include <libnbd.h>
#include <stdlib.h>

#define REQUEST_MAX (16u << 20)

struct nbd_layer {
	struct layer layer;
	struct nbd_handle *nbd;
	bool can_extents;
};

static struct nbd_layer *nbd_of(struct layer *layer)
{
	return (struct nbd_layer *)layer;
}

static int error_of(int rc)
{
	int error = rc < 0 ? nbd_get_errno() : 0;

	return rc < 0 ? -(error ? error : EIO) : 0;
}

/* Each part of the vector is a request of its own; callers here have one part. */
static int each_part(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset, bool write)
{
	struct nbd_handle *nbd = nbd_of(layer)->nbd;

	for (unsigned i = 0; i < count && size; i++) {
		uint8_t *at = iov[i].iov_base;
		size_t left = iov[i].iov_len < size ? iov[i].iov_len : size;

		size -= left;
		while (left) {
			size_t now = left < REQUEST_MAX ? left : REQUEST_MAX;
			int rc = write ? nbd_pwrite(nbd, at, now, offset, 0)
				       : nbd_pread(nbd, at, now, offset, 0);

			if (rc < 0) {
				return error_of(rc);
			}
			at += now;
			offset += now;
			left -= now;
		}
	}
	return 0;
}

static int nbd_layer_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
			  uint64_t offset)
{
	return each_part(layer, iov, count, size, offset, false);
}

static int nbd_layer_write(struct layer *layer, const struct iovec *iov, unsigned count,
			   size_t size, uint64_t offset)
{
	return each_part(layer, iov, count, size, offset, true);
}

static int nbd_layer_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	while (size) {
		uint64_t now = size < (1u << 30) ? size : 1u << 30;
		int rc = nbd_zero(nbd_of(layer)->nbd, now, offset, 0);

		if (rc < 0) {
			return error_of(rc);
		}
		offset += now;
		size -= now;
	}
	return 0;
}

static int nbd_layer_flush(struct layer *layer)
{
	return error_of(nbd_flush(nbd_of(layer)->nbd, 0));
}

struct first_extent {
	uint32_t size, flags;
	bool seen;
};

/* Only the first one is wanted. */
static int take_extent(void *data, const char *context, uint64_t offset, uint32_t *entries,
		       size_t count, int *error)
{
	struct first_extent *first = data;

	(void)context;
	(void)offset;
	(void)error;
	if (count >= 2 && !first->seen) {
		*first = (struct first_extent){entries[0], entries[1], true};
	}
	return 0;
}

static int nbd_layer_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
			    unsigned *ret_extent)
{
	struct nbd_layer *self = nbd_of(layer);
	struct first_extent first = {0};
	uint64_t size = layer->size - offset;
	nbd_extent_callback callback = {.callback = take_extent, .user_data = &first};

	*ret_size = size;
	*ret_extent = LAYER_DATA;
	if (!self->can_extents) {
		return 0;
	}
	size = size < (1u << 30) ? size : 1u << 30;
	if (nbd_block_status(self->nbd, size, offset, callback, 0) < 0) {
		return error_of(-1);
	}
	/* A server may answer in units below a sector; those are data. */
	if (first.seen && first.size >= LAYER_SECTOR) {
		*ret_size = first.size & ~(uint64_t)(LAYER_SECTOR - 1);
		*ret_extent = (first.flags & LIBNBD_STATE_ZERO ? LAYER_ZERO : 0) |
			      (first.flags & LIBNBD_STATE_HOLE ? LAYER_HOLE : 0);
	} else {
		*ret_size = size;
	}
	return 0;
}

/* Ends the server too: it serves one client. */
static int nbd_layer_close(struct layer *layer)
{
	struct nbd_layer *self = nbd_of(layer);
	int rc = error_of(nbd_shutdown(self->nbd, 0));

	nbd_close(self->nbd);
	free(self);
	return rc;
}

static const struct layer_ops nbd_ops = {
	.name = "nbd",
	.read = nbd_layer_read,
	.write = nbd_layer_write,
	.zero = nbd_layer_zero,
	.flush = nbd_layer_flush,
	.extent = nbd_layer_extent,
	.close = nbd_layer_close,
};

static int connect_to(struct nbd_layer *self, char **argv, struct why *why)
{
	int64_t size;

	if (nbd_add_meta_context(self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) < 0 ||
	    nbd_connect_systemd_socket_activation(self->nbd, argv) < 0) {
		return why_set(why, -EIO, "%s", nbd_get_error());
	}
	size = nbd_get_size(self->nbd);
	if (size < (int64_t)LAYER_SECTOR) {
		return why_set(why, -EINVAL, "the image holds no disk");
	}
	self->layer.size = (uint64_t)size & ~(uint64_t)(LAYER_SECTOR - 1);
	self->can_extents = nbd_can_meta_context(self->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) > 0;
	return 0;
}

int tool_nbd_open(char **argv, bool write, struct layer **ret_layer, struct why *why)
{
	struct nbd_layer *self = calloc(1, sizeof(*self));
	int rc;

	if (!self) {
		return -ENOMEM;
	}
	self->layer.ops = &nbd_ops;
	self->layer.block_size = LAYER_SECTOR;
	self->layer.read_only = !write;
	self->nbd = nbd_create();
	rc = self->nbd ? connect_to(self, argv, why) : -ENOMEM;
	if (rc < 0) {
		nbd_close(self->nbd);
		free(self);
		return rc;
	}
	*ret_layer = &self->layer;
	return 0;
}
