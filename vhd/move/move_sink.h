/* SPDX-License-Identifier: Apache-2.0 */
/** Where an export writes: a file on a stick that may hold the start of the same bundle already, or
 * a pipe.
 *
 *  The same disk, salt and time give the same bytes, so going on is comparing: what is there and
 * equal is kept, at the first difference the rest is cut off and written anew.
 */
#ifndef VHD_MOVE_SINK_H
#define VHD_MOVE_SINK_H

#include "bundle.h"
#include "file.h"

struct move_sink {
	struct bundle_out out;
	struct bundle_out *pipe; /* NULL: file */
	struct file *file;
	uint64_t offset; /* bytes of the bundle so far */
	uint64_t old;	 /* bytes that the file had; compared below it */
	uint64_t written, unflushed;
	bool muted; /* a pipe whose receiver has this already */
	uint8_t *step;
};

VHD_MUST_CHECK int move_sink_open(struct move_sink *sink, struct bundle_out *pipe,
				  struct file *file);
void move_sink_close(struct move_sink *sink);

/** True when all that was written up to now had been there before. */
bool move_sink_is_kept(const struct move_sink *sink);

VHD_MUST_CHECK int move_sink_flush(struct move_sink *sink);

#endif
