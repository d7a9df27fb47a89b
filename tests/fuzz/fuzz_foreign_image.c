/* SPDX-License-Identifier: Apache-2.0 */
/* What convert and mount look at before anything else does: the first bytes of images of other
 * formats, partition tables, superblocks. The input repeats over a file of 4 MiB and beyond. */
#include "layer_raw.h"
#include "tool_partition.h"
#include "tool_probe.h"

#include <stdlib.h>
#include <string.h>

#define FILE_SIZE (4u << 20)

struct bytes_file {
	struct file file;
	const uint8_t *data;
	size_t size;
};

static int bytes_read(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	const struct bytes_file *self = (const struct bytes_file *)file;

	(void)size;
	for (unsigned i = 0; i < count; i++) {
		for (size_t j = 0; j < iov[i].iov_len;) {
			size_t at = offset % self->size, part = self->size - at;

			part = part < iov[i].iov_len - j ? part : iov[i].iov_len - j;
			memcpy((uint8_t *)iov[i].iov_base + j, self->data + at, part);
			j += part;
			offset += part;
		}
	}
	return 0;
}

static int bytes_size(struct file *file, uint64_t *ret_size)
{
	(void)file;
	*ret_size = FILE_SIZE;
	return 0;
}

static void bytes_close(struct file *file)
{
	free(file);
}

static const struct file_ops bytes_ops = {
	.read = bytes_read,
	.get_size = bytes_size,
	.close = bytes_close,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tool_partition list[TOOL_PARTITION_MAX];
	struct bytes_file *self;
	enum tool_format format;
	struct layer *layer;
	unsigned count;
	struct why why;

	if (size == 0) {
		return 0;
	}
	self = calloc(1, sizeof(*self));
	if (!self) {
		return 0;
	}
	*self = (struct bytes_file){{&bytes_ops, true}, data, size};
	if (tool_probe_format(&self->file, &format)) {
		abort();
	}
	for (int i = 0; i < TOOL_FORMAT_COUNT; i++) {
		why.text[0] = '\0';
		(void)!tool_probe_check(&self->file, (enum tool_format)i, &why);
	}
	if (layer_raw_open(&self->file, &layer)) {
		free(self);
		return 0;
	}
	if (tool_partition_list(layer, list, &count)) {
		abort();
	}
	for (unsigned i = 0; i < count; i++) {
		if (list[i].size > FILE_SIZE || list[i].offset > FILE_SIZE - list[i].size) {
			abort();
		}
	}
	(void)!layer_close(layer);
	return 0;
}
