/* SPDX-License-Identifier: Apache-2.0 */
/* Compares with what is there until the first difference, then writes. */
#include "move_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP	    (256u << 10)
#define FLUSH_EVERY (32u << 20) /* a stick's own cache is written behind in pieces */

static int write_file(struct move_sink *sink, const void *bytes, size_t size)
{
	int rc = file_write(sink->file, bytes, size, sink->offset);

	if (rc < 0) {
		return rc;
	}
	sink->unflushed += size;
	return sink->unflushed < FLUSH_EVERY ? 0 : move_sink_flush(sink);
}

/* How much of the bytes the file has already. Cuts it off at the first step that differs. */
static int compare(struct move_sink *sink, const uint8_t *bytes, size_t size, size_t *ret_same)
{
	size_t same = 0;
	int rc = 0;

	while (same < size && sink->offset + same < sink->old) {
		size_t n = size - same < STEP ? size - same : STEP;

		if (n > sink->old - sink->offset - same) {
			break;
		}
		rc = file_read(sink->file, sink->step, n, sink->offset + same);
		if (rc < 0 || memcmp(sink->step, bytes + same, n) != 0) {
			break;
		}
		same += n;
	}
	if (!rc && same < size) {
		sink->old = 0;
		rc = file_resize(sink->file, sink->offset + same);
	}
	*ret_same = same;
	return rc;
}

static int sink_write(struct bundle_out *out, const void *bytes, size_t size)
{
	struct move_sink *sink = (struct move_sink *)(void *)out;
	size_t same = 0;
	int rc = 0;

	if (sink->muted) {
		sink->offset += size;
		return 0;
	}
	if (sink->pipe) {
		rc = sink->pipe->write(sink->pipe, bytes, size);
		sink->offset += rc ? 0 : size;
		sink->written += rc ? 0 : size;
		return rc;
	}
	if (sink->old) {
		rc = compare(sink, bytes, size, &same);
	}
	sink->offset += same;
	if (!rc && same < size) {
		rc = write_file(sink, (const uint8_t *)bytes + same, size - same);
		sink->offset += rc ? 0 : size - same;
		sink->written += rc ? 0 : size - same;
	}
	return rc;
}

int move_sink_open(struct move_sink *sink, struct bundle_out *pipe, struct file *file)
{
	memset(sink, 0, sizeof(*sink));
	sink->out.write = sink_write;
	sink->pipe = pipe;
	sink->file = file;
	sink->step = malloc(STEP);
	if (!sink->step) {
		return -ENOMEM;
	}
	return file ? file_get_size(file, &sink->old) : 0;
}

void move_sink_close(struct move_sink *sink)
{
	free(sink->step);
	sink->step = NULL;
}

bool move_sink_is_kept(const struct move_sink *sink)
{
	return sink->old && sink->offset <= sink->old;
}

int move_sink_flush(struct move_sink *sink)
{
	int rc = sink->file ? file_flush(sink->file) : 0;

	sink->unflushed = rc ? sink->unflushed : 0;
	return rc;
}
