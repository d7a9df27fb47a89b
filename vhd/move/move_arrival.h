/* SPDX-License-Identifier: Apache-2.0 */
/** One import under way. */
#ifndef VHD_MOVE_ARRIVAL_H
#define VHD_MOVE_ARRIVAL_H

#include "bundle_frame.h"
#include "bundle_front.h"
#include "bundle_tail.h"
#include "move_check_front.h"
#include "move_name.h"
#include "move_volume.h"
#include "owner.h"

struct move_arrival {
	struct bundle_in *in;
	struct folder *folder;
	const struct move_import_options *options;
	struct why *why;
	struct move_import_report *report;
	struct bundle_front front; /* read */
	const struct move_check *check;
	struct move_name names;
	struct move_key *key;
	struct bundle_keys keys;
	struct bundle_codec *codec;
	struct bundle_frame *frame;
	uint8_t *sealed;
	uint8_t manifest_hash[BUNDLE_HASH_SIZE];
	struct move_volume base; /* payload NULL: none */
	struct move_volume incoming;
	struct move_arriving done;	 /* what is applied and flushed */
	uint64_t number;		 /* of the frame that comes next in the stream */
	uint8_t chain[BUNDLE_HASH_SIZE]; /* of all before it */
};

/** Opens, or makes, the image that what comes is applied to. */
VHD_MUST_CHECK int move_arrival_prepare(struct move_arrival *arrival);

/** All is applied and flushed, the image is closed: gives everything its names, at once. */
VHD_MUST_CHECK int move_arrival_switch(struct move_arrival *arrival);

/** The text that the sender gets. The caller frees; NULL: no memory. */
char *move_arrival_receipt(const struct move_arrival *arrival);

#endif
