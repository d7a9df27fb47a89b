/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every layer: ranges are checked here once, whatever sits below. */
#include "layer.h"

#include <errno.h>
#include <string.h>

#define ZERO_CHUNK (64u << 10)

static int check_range(const struct layer *layer, uint64_t offset, uint64_t size)
{
	if ((offset | size) % LAYER_SECTOR || offset > layer->size || size > layer->size - offset) {
		return -EINVAL;
	}
	return 0;
}

static int check_change(const struct layer *layer, uint64_t offset, uint64_t size)
{
	return layer->read_only ? -EROFS : check_range(layer, offset, size);
}

void layer_init_over(struct layer *layer, const struct layer_ops *ops, struct layer *below)
{
	layer->ops = ops;
	layer->below = below;
	layer->size = below->size;
	layer->block_size = below->block_size;
	layer->read_only = below->read_only;
}

int layer_readv(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		uint64_t offset)
{
	int rc = check_range(layer, offset, size);

	return rc || !size ? rc : layer->ops->read(layer, iov, count, size, offset);
}

int layer_writev(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		 uint64_t offset)
{
	int rc = check_change(layer, offset, size);

	return rc || !size ? rc : layer->ops->write(layer, iov, count, size, offset);
}

int layer_read(struct layer *layer, void *ret_bytes, size_t size, uint64_t offset)
{
	struct iovec iov = {ret_bytes, size};

	return layer_readv(layer, &iov, 1, size, offset);
}

int layer_write(struct layer *layer, const void *bytes, size_t size, uint64_t offset)
{
	struct iovec iov = {(void *)bytes, size};

	return layer_writev(layer, &iov, 1, size, offset);
}

int layer_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	static const uint8_t zeros[ZERO_CHUNK];
	int rc = check_change(layer, offset, size);

	if (!rc && size && layer->ops->zero) {
		return layer->ops->zero(layer, offset, size);
	}
	while (!rc && size) {
		size_t n = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		rc = layer_write(layer, zeros, n, offset);
		offset += n;
		size -= n;
	}
	return rc;
}

int layer_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	int rc = check_change(layer, offset, size);

	return rc || !size || !layer->ops->discard ? rc : layer->ops->discard(layer, offset, size);
}

int layer_flush(struct layer *layer)
{
	return layer->read_only ? 0 : layer->ops->flush(layer);
}

int layer_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size, unsigned *ret_extent)
{
	if (offset % LAYER_SECTOR || offset >= layer->size) {
		return -EINVAL;
	}
	if (layer->ops->extent) {
		return layer->ops->extent(layer, offset, ret_size, ret_extent);
	}
	*ret_size = layer->size - offset;
	*ret_extent = LAYER_DATA;
	return 0;
}

struct layer *layer_find(struct layer *top, const char *name)
{
	while (top && strcmp(top->ops->name, name) != 0) {
		top = top->below;
	}
	return top;
}

int layer_close(struct layer *top)
{
	int first = 0;

	while (top) {
		struct layer *below = top->below;
		int rc = top->ops->close(top);

		first = first ? first : rc;
		top = below;
	}
	return first;
}
