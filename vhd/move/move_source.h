/* SPDX-License-Identifier: Apache-2.0 */
/** The disk that an export reads, with the state that the target is expected to have. */
#ifndef VHD_MOVE_SOURCE_H
#define VHD_MOVE_SOURCE_H

#include "move_export.h"
#include "move_volume.h"
#include "owner.h"

struct move_source {
	struct folder *folder;
	const char *name;
	struct owner owner; /* all zero but disk_id, epoch 0: it never travelled */
	struct move_key *key;
	struct move_volume volume, base; /* base.payload NULL: none, everything is sent */
	unsigned depth;			 /* of the base in the chain, 0: none */
	uint8_t base_uuid[16];
	char base_name[BUNDLE_NAME_MAX];
	bool luks_in_base; /* both have the same header area */
	uint8_t *luks;	   /* volume.luks_size bytes */
};

/** Opens it; the disk is locked against writers until move_source_close(). */
VHD_MUST_CHECK int move_source_open(struct folder *folder, const char *name,
				    const struct move_export_options *options,
				    struct move_source *ret_source, struct why *why);
void move_source_close(struct move_source *source);

#endif
