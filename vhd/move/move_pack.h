/* SPDX-License-Identifier: Apache-2.0 */
/** Cuts what changed in a disk into frames. The same disk gives the same frames. */
#ifndef VHD_MOVE_PACK_H
#define VHD_MOVE_PACK_H

#include "bundle_frame.h"
#include "move_delta.h"
#include "move_volume.h"

struct move_pack; /* some 40 MiB at most, for sectors that came before */

/** base NULL: none. All stay the caller's until move_pack_close(). */
VHD_MUST_CHECK int move_pack_open(const struct move_volume *volume, const struct move_volume *base,
				  const struct move_delta *delta, struct move_pack **ret_pack);
void move_pack_close(struct move_pack *pack);

/** The next frame; run_count 0 at the end. ret_done: sectors so far. */
VHD_MUST_CHECK int move_pack_next(struct move_pack *pack, struct bundle_frame *ret_frame,
				  uint64_t *ret_done);

#endif
