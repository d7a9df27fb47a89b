/* SPDX-License-Identifier: Apache-2.0 */
/** Runs bulkhead-unlock on a copy of a payload's header: the engine's side of unlock_proto.h. */
#ifndef VHD_LUKS_PROCESS_H
#define VHD_LUKS_PROCESS_H

#include "layer.h"
#include "unlock_proto.h"

struct luks_job {
	struct unlock_request request; /* verb, slots, costs; sizes and magic are filled in */
	const void *secret, *other;
	const char *token;
	/* Results: */
	struct unlock_reply *reply; /* in locked memory */
	uint8_t *before, *after;    /* the header; `after` for verbs that change it */
	size_t size;		    /* of both */
};

/** Returns 0; -EBADMSG, -EOPNOTSUPP, -EPERM ... with `why` from the process; -ETIMEDOUT; -EIO it
 * ended without an answer; -ENOENT it is not installed. Then, too, luks_process_clean(). */
VHD_MUST_CHECK int luks_process_run(struct layer *payload, struct luks_job *job, struct why *why);

/** Wipes and frees the results. */
void luks_process_clean(struct luks_job *job);

#endif
