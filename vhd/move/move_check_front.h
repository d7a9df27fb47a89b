/* SPDX-License-Identifier: Apache-2.0 */
/** The judgement on a bundle whose front was read: what is missing on this PC. */
#ifndef VHD_MOVE_CHECK_FRONT_H
#define VHD_MOVE_CHECK_FRONT_H

#include "bundle_front.h"
#include "move_import.h"

/** name: of the disk here, NULL: as it is known here, or as the sender calls it. host NULL: this
 * PC. */
VHD_MUST_CHECK int move_check_front(const struct bundle_front *front, struct folder *folder,
				    const char *name, const struct move_host *host,
				    const char *trusted_key, struct move_check *ret_check,
				    struct why *why);

/** How far an import of `name` came: what its file of progress says. */
struct move_arriving {
	uint8_t bundle_id[BUNDLE_ID_SIZE];
	uint64_t frames;
	uint32_t sector; /* the first that no frame had yet */
	uint8_t chain[BUNDLE_HASH_SIZE];
	char state_name[256]; /* what the image will be called */
	char old_name[256];   /* what an image of an earlier stay will be called, "" none */
};

/** -ENOENT: no import is under way (a damaged record counts as none). */
VHD_MUST_CHECK int move_arriving_read(struct folder *folder, const char *file,
				      struct move_arriving *ret_arriving);
VHD_MUST_CHECK int move_arriving_write(struct folder *folder, const char *file,
				       const struct move_arriving *arriving);

#endif
