/* SPDX-License-Identifier: Apache-2.0 */
/** The highest epoch of each disk that this PC has seen, in a folder of its own, one small file
 * "DISK-ID.epoch" a disk. The folder must lie where somebody who can replace images cannot write
 * (in the control partition's state): else an old image with its old manifest could come back.
 */
#ifndef VHD_MANIFEST_SEEN_H
#define VHD_MANIFEST_SEEN_H

#include "manifest.h"

/** *ret_epoch 0: never seen. -EBADMSG: the file is damaged. */
VHD_MUST_CHECK int manifest_seen_get(struct folder *seen, const uint8_t disk_id[16],
				     uint64_t *ret_epoch);

/** Refuses a manifest below the highest epoch (-ESTALE), remembers a higher one. A NULL folder: 0.
 */
VHD_MUST_CHECK int manifest_seen_check(struct folder *seen, const struct manifest *manifest,
				       struct why *why);

#endif
