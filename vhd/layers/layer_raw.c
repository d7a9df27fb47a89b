/* SPDX-License-Identifier: Apache-2.0 */
/* A file as a disk. Its length in sectors never changes while it is open. */
#include "layer_raw.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE 4096u /* file systems read a part of it and write it back when less is written */

struct raw {
	struct layer layer;
	struct file *file;
	bool poisoned; /* a flush failed */
};

static struct raw *raw_of(struct layer *layer)
{
	return (struct raw *)layer;
}

static int raw_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset)
{
	return file_readv(raw_of(layer)->file, iov, count, size, offset);
}

static int raw_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	struct raw *raw = raw_of(layer);

	return raw->poisoned ? -EIO : file_writev(raw->file, iov, count, size, offset);
}

static int raw_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct raw *raw = raw_of(layer);

	return raw->poisoned ? -EIO : file_zero(raw->file, offset, size);
}

static int raw_flush(struct layer *layer)
{
	struct raw *raw = raw_of(layer);
	int rc = raw->poisoned ? -EIO : file_flush(raw->file);

	if (!rc && raw->poisoned) {
		rc = -EIO; /* another one failed meanwhile, and what is lost is lost for both */
	}
	raw->poisoned = raw->poisoned || rc;
	return rc;
}

/* Data that begins inside a sector makes the whole sector data. */
static int raw_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
		      unsigned *ret_extent)
{
	uint64_t at, size, end;
	int rc = file_find_data(raw_of(layer)->file, offset, &at, &size);

	if (rc < 0) {
		return rc;
	}
	if (at >= layer->size) { /* the file grew behind us */
		at = offset;
		size = 0;
	}
	end = size < layer->size - at ? at + size : layer->size;
	end += (LAYER_SECTOR - end % LAYER_SECTOR) % LAYER_SECTOR;
	at -= at % LAYER_SECTOR;
	*ret_extent = LAYER_DATA;
	if (size == 0 || at > offset) {
		*ret_extent = LAYER_ZERO | LAYER_HOLE;
		end = size == 0 ? layer->size : at;
	}
	*ret_size = end - offset;
	return 0;
}

static int raw_close(struct layer *layer)
{
	file_close(raw_of(layer)->file);
	free(layer);
	return 0;
}

static const struct layer_ops raw_ops = {
	.name = "raw",
	.read = raw_read,
	.write = raw_write,
	.zero = raw_zero,
	.discard = raw_zero,
	.flush = raw_flush,
	.extent = raw_extent,
	.close = raw_close,
};

int layer_raw_open(struct file *file, struct layer **ret_layer)
{
	struct raw *raw;
	uint64_t size;
	int rc = file_get_size(file, &size);

	if (rc < 0) {
		return rc;
	}
	if (size == 0 || size > INT64_MAX - LAYER_SECTOR) {
		return -EINVAL;
	}
	raw = calloc(1, sizeof(*raw));
	if (!raw) {
		return -ENOMEM;
	}
	raw->layer.ops = &raw_ops;
	raw->layer.size = (size + LAYER_SECTOR - 1) / LAYER_SECTOR * LAYER_SECTOR;
	raw->layer.block_size = raw->layer.size % PAGE ? LAYER_SECTOR : PAGE;
	raw->layer.read_only = file->read_only;
	raw->file = file;
	*ret_layer = &raw->layer;
	return 0;
}
