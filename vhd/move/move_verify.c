/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a bundle is whole, as far as anybody can tell without its secret. */
#include "bundle_frame.h"
#include "bundle_tail.h"
#include "move_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct verify {
	struct bundle_in *in;
	struct bundle_front front;
	uint8_t *sealed;
	uint8_t manifest_hash[BUNDLE_HASH_SIZE];
	struct bundle_index index; /* of what came */
	uint64_t read;
};

static int read_frames(struct verify *verify, const struct progress *progress,
		       struct bundle_record *ret_index)
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	int rc = bundle_record_read(verify->in, ret_index, verify->sealed, verify->manifest_hash);

	if (!rc && ret_index->kind != BUNDLE_KIND_MANIFEST) {
		rc = -EBADMSG;
	}
	rc = rc ? rc : bundle_index_init(&verify->index, verify->front.hash, verify->manifest_hash);
	while (!rc) {
		rc = bundle_record_read(verify->in, ret_index, verify->sealed, hash);
		if (rc || ret_index->kind == BUNDLE_KIND_INDEX) {
			break;
		}
		verify->read += ret_index->size;
		if (ret_index->kind != BUNDLE_KIND_FRAME ||
		    ret_index->number != verify->index.count) {
			rc = -EBADMSG;
		}
		rc = rc ? rc : bundle_index_add(&verify->index, hash);
		rc = rc ? rc : progress_step(progress, verify->read, 0);
	}
	return rc;
}

static int check_end(struct verify *verify, const struct bundle_record *record)
{
	struct bundle_index said;
	struct bundle_tail tail;
	int rc = bundle_index_read(verify->in, record->size, record->number, &said,
				   verify->front.hash, verify->manifest_hash);

	if (rc < 0) {
		return rc;
	}
	rc = bundle_tail_read(verify->in, &tail);
	if (!rc && (said.count != verify->index.count || tail.frame_count != said.count ||
		    memcmp(said.chain, verify->index.chain, BUNDLE_HASH_SIZE) != 0 ||
		    memcmp(tail.chain, verify->index.chain, BUNDLE_HASH_SIZE) != 0)) {
		rc = -EBADMSG;
	}
	bundle_index_fini(&said);
	return rc;
}

int move_verify(struct bundle_in *in, const struct progress *progress,
		struct bundle_summary *ret_summary, struct why *why)
{
	struct verify verify = {.in = in};
	struct bundle_record record;
	uint64_t size;
	int rc = bundle_front_read(in, &verify.front, &size, why);

	if (rc < 0) {
		return rc;
	}
	verify.sealed = malloc(BUNDLE_SEALED_MAX);
	rc = verify.sealed ? read_frames(&verify, progress, &record) : -ENOMEM;
	rc = rc ? rc : check_end(&verify, &record);
	if (rc == -ENODATA || rc == -EBADMSG) {
		rc = why_set(why, -EBADMSG, "the bundle is %s after %llu good frames: export again",
			     rc == -ENODATA ? "cut off" : "damaged",
			     (unsigned long long)verify.index.count);
	}
	if (!rc) {
		*ret_summary = verify.front.summary;
	}
	bundle_index_fini(&verify.index);
	bundle_front_free(&verify.front);
	free(verify.sealed);
	return rc;
}
