/* SPDX-License-Identifier: Apache-2.0 */
/** What bulkhead-unlock does with a header: our policy first, then libcryptsetup. */
#ifndef VHD_UNLOCK_VERBS_H
#define VHD_UNLOCK_VERBS_H

#include "unlock_proto.h"

struct unlock_job {
	struct unlock_request request;
	char secret[UNLOCK_SECRET_MAX];
	char other[UNLOCK_SECRET_MAX];
	char token[UNLOCK_TOKEN_MAX];
	struct unlock_reply reply;
};

/** Fills job->reply; returns 0 or -errno with reply.why. */
int unlock_run(struct unlock_job *job);

#endif
