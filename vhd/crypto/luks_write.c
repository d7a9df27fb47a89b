/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that differ, in the order of luks_write.h. */
#include "luks_write.h"

#include <string.h>

#define PAGE 4096u

static int write_copy(struct layer *payload, const struct luks_job *job, unsigned copy)
{
	uint32_t size = job->reply->policy.metadata_size;
	int rc = layer_write(payload, job->after + copy * size, size, copy * size);

	return rc ? rc : layer_flush(payload);
}

static int write_metadata(struct layer *payload, const struct luks_job *job)
{
	unsigned first = job->reply->policy.primary_good ? 1 : 0;
	int rc = write_copy(payload, job, first);

	return rc ? rc : write_copy(payload, job, !first);
}

static bool page_changed(const struct luks_job *job, size_t at, bool all)
{
	return at < job->size && (all || memcmp(job->before + at, job->after + at, PAGE) != 0);
}

/* Runs of pages that changed. */
static int write_areas(struct layer *payload, const struct luks_job *job, bool all)
{
	size_t at = 2 * (size_t)job->reply->policy.metadata_size;

	while (at < job->size) {
		size_t end = at;
		int rc;

		while (page_changed(job, end, all)) {
			end += PAGE;
		}
		end = end < job->size ? end : job->size;
		rc = end > at ? layer_write(payload, job->after + at, end - at, at) : 0;
		if (rc) {
			return rc;
		}
		at = end + PAGE;
	}
	return layer_flush(payload);
}

/* What lies on the disk may be any header, with copies of any size: the areas and copies that are
 * written next cover all places of second copies up to 1 MiB. */
static int erase_magics(struct layer *payload)
{
	static const uint8_t zeros[PAGE];
	int rc = layer_write(payload, zeros, PAGE, 0);

	for (uint32_t at = 16384; !rc && at <= (1u << 20); at *= 2) {
		rc = layer_write(payload, zeros, PAGE, at);
	}
	return rc ? rc : layer_flush(payload);
}

int luks_write(struct layer *payload, const struct luks_job *job, enum luks_write_order order)
{
	int rc = order == LUKS_WRITE_FRESH ? erase_magics(payload) : 0;

	if (!rc && order != LUKS_WRITE_REMOVED) {
		rc = write_areas(payload, job, order == LUKS_WRITE_FRESH);
	}
	rc = rc ? rc : write_metadata(payload, job);
	if (!rc && order == LUKS_WRITE_REMOVED) {
		rc = write_areas(payload, job, false);
	}
	return rc;
}
