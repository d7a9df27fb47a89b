/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's calls on a header, each one request to the process in the jail. */
#include "luks.h"

#include "luks_binary.h"
#include "luks_write.h"

#include <errno.h>
#include <string.h>

int luks_is_there(struct layer *payload, bool *ret_there)
{
	uint8_t bytes[LAYER_SECTOR];
	int rc;

	if (payload->size < LUKS_HEADER_SIZE) {
		*ret_there = false;
		return 0;
	}
	rc = layer_read(payload, bytes, sizeof(bytes), 0);
	if (!rc) {
		*ret_there = luks_binary_magic(bytes, sizeof(bytes));
	}
	return rc;
}

static void take_segment(const struct layer *payload, const struct luks_policy *policy,
			 struct luks_segment *ret_segment)
{
	uint64_t rest = payload->size - policy->offset;

	memset(ret_segment, 0, sizeof(*ret_segment));
	ret_segment->offset = policy->offset;
	ret_segment->sector_size = policy->sector_size;
	ret_segment->size = policy->size ? policy->size : rest - rest % policy->sector_size;
	memcpy(ret_segment->uuid, policy->uuid, sizeof(ret_segment->uuid) - 1);
}

int luks_unlock(struct layer *payload, const struct luks_secret *secret,
		uint8_t ret_key[XTS_KEY_SIZE], struct luks_segment *ret_segment, struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_KEY,
					   .slot = secret->slot,
					   .other_slot = -1,
					   .secret_size = (uint32_t)secret->size},
			       .secret = secret->bytes};
	int rc = secret->size > UNLOCK_SECRET_MAX ? -E2BIG : luks_process_run(payload, &job, why);

	if (!rc) {
		memcpy(ret_key, job.reply->key, XTS_KEY_SIZE);
		take_segment(payload, &job.reply->policy, ret_segment);
	}
	luks_process_clean(&job);
	return rc;
}

int luks_format(struct layer *payload, const struct luks_format *format, struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_FORMAT,
					   .slot = -1,
					   .other_slot = -1,
					   .secret_size = (uint32_t)format->secret.size,
					   .memory_kib = format->memory_kib,
					   .iterations = format->iterations,
					   .cheap = format->fast_for_tests},
			       .secret = format->secret.bytes};
	int rc;

	if (format->secret.size > UNLOCK_SECRET_MAX ||
	    payload->size < LUKS_HEADER_SIZE + XTS_SECTOR) {
		return why_set(why, -EINVAL, "the disk or the secret has an impossible size");
	}
	if (format->uuid) {
		strncpy(job.request.uuid, format->uuid, sizeof(job.request.uuid) - 1);
	}
	rc = luks_process_run(payload, &job, why);
	rc = rc ? rc : luks_write(payload, &job, LUKS_WRITE_FRESH);
	luks_process_clean(&job);
	return rc;
}
