/* SPDX-License-Identifier: Apache-2.0 */
/** One export under way. */
#ifndef VHD_MOVE_RUN_H
#define VHD_MOVE_RUN_H

#include "bundle_frame.h"
#include "bundle_front.h"
#include "bundle_tail.h"
#include "move_delta.h"
#include "move_export.h"
#include "move_sink.h"
#include "move_source.h"

struct signer;

struct move_run {
	const struct move_export_options *options;
	struct why *why;
	struct move_export_report *report;
	struct move_source source; /* open */
	struct move_sink sink;	   /* open */
	uint64_t time;		   /* of the export, the first attempt's when it goes on */
	struct bundle_front front; /* salt is set by the caller, the rest while writing */
	struct bundle_keys keys;
	struct bundle_codec *codec;
	struct bundle_index index;
	struct bundle_frame *frame;
	struct move_delta delta;
	uint64_t done; /* sectors of it in frames */
	struct signer *signer;
};

/** Writes the whole bundle, the tombstone just before its tail. Frees what it made; source and sink
 * stay open. */
VHD_MUST_CHECK int move_run_write(struct move_run *run);

#endif
