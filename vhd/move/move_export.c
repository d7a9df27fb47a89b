/* SPDX-License-Identifier: Apache-2.0 */
/* An export from the open disk to the last byte of the bundle; move_place.c has where it goes. */
#include "move_run.h"
#include "bundle_io.h"
#include "bundle_tail.h"
#include "json_fields.h"
#include "move_pack.h"
#include "signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENGINE	   "bulkhead 0.1.0"
#define BLOCK_ROOM ((2u << 20) + BUNDLE_SECTOR) /* of a block in an image, with its bitmap */

static const struct bundle_cost cost_of_passphrase = {256u << 10, 4, 1};
static const struct bundle_cost cost_of_tests = {64, 1, 1};

/* Names that follow from the salt, so that an export that goes on uses the same. */
static int name_from_salt(const struct move_run *run, const char *purpose, uint8_t ret_id[16])
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	int rc = bundle_hash(run->front.salt, sizeof(run->front.salt), purpose, strlen(purpose),
			     NULL, 0, hash);

	if (!rc) {
		memcpy(ret_id, hash, 16);
	}
	return rc;
}

static int put_text(char *ret_text, size_t size, const char *text)
{
	int n = snprintf(ret_text, size, "%s", text ? text : "");

	for (int i = 0; i < n && i < (int)size; i++) {
		if ((unsigned char)ret_text[i] < 0x20 || ret_text[i] == 0x7f) {
			return -EINVAL;
		}
	}
	return n < 0 || n >= (int)size ? -ENAMETOOLONG : 0;
}

static int describe_needs(struct move_run *run)
{
	static const char *const desktop[] = {"desktop", NULL};
	const char *const *roles = run->options->roles ? run->options->roles : desktop;
	struct bundle_summary *summary = &run->front.summary;
	struct cpu_baseline cpu;
	int rc = 0;

	for (; !rc && roles[summary->role_count]; summary->role_count++) {
		if (summary->role_count == BUNDLE_ROLE_MAX) {
			return -E2BIG;
		}
		rc = put_text(summary->roles[summary->role_count], sizeof(summary->roles[0]),
			      roles[summary->role_count]);
	}
	cpu_baseline_get(&cpu);
	cpu.feature = 0;
	cpu = run->options->cpu ? *run->options->cpu : cpu;
	summary->cpu_level = cpu.level;
	for (unsigned i = 0; !rc && cpu_baseline_name(i); i++) {
		if (cpu.feature & 1ull << i) {
			rc = put_text(summary->cpu_features[summary->cpu_feature_count++],
				      sizeof(summary->cpu_features[0]), cpu_baseline_name(i));
		}
	}
	summary->ram = run->options->ram;
	return rc ? rc
		  : put_text(summary->firmware, sizeof(summary->firmware),
			     run->options->firmware ? run->options->firmware : "bios");
}

static int describe_disk(struct move_run *run)
{
	struct bundle_summary *summary = &run->front.summary;
	const struct move_source *source = &run->source;
	int rc;

	summary->disk_size = source->volume.payload->size;
	summary->data_size = run->delta.sectors * BUNDLE_SECTOR;
	if (summary->data_size > summary->disk_size) {
		summary->data_size = summary->disk_size; /* the last sector is a short one */
	}
	/* Two images: what came, and an empty child over it. */
	summary->free_needed = (uint64_t)run->delta.blocks * BLOCK_ROOM + source->volume.luks_size +
			       2 * (summary->disk_size / (2u << 20) * 4 + (64u << 10));
	summary->seal = source->key->is_there ? BUNDLE_SEAL_DISK : BUNDLE_SEAL_PASSPHRASE;
	rc = name_from_salt(run, "state", summary->image_uuid);
	summary->full = !source->base.payload;
	if (!rc && !summary->full) {
		memcpy(summary->base_uuid, source->base_uuid, sizeof(summary->base_uuid));
		rc = move_volume_probe(source->base.payload, source->base_uuid,
				       summary->base_probe);
		rc = rc ? rc
			: put_text(summary->base_name, sizeof(summary->base_name),
				   source->base_name);
	}
	return rc;
}

static int describe(struct move_run *run)
{
	struct bundle_summary *summary = &run->front.summary;
	const struct owner *owner = &run->source.owner;
	int rc = put_text(summary->name, sizeof(summary->name), run->source.name);

	rc = rc ? rc : put_text(summary->from, sizeof(summary->from), run->options->from);
	rc = rc ? rc : put_text(summary->engine, sizeof(summary->engine), ENGINE);
	summary->engine_format = BUNDLE_VERSION;
	summary->copy = run->options->copy;
	summary->time = run->time;
	memcpy(summary->disk_id, owner->disk_id, sizeof(summary->disk_id));
	summary->epoch = owner->state == OWNER_MOVED ? owner->epoch : owner->epoch + 1;
	if (!rc && summary->copy) {
		summary->epoch = 1;
		rc = name_from_salt(run, "copy", summary->disk_id);
	}
	rc = rc ? rc : describe_disk(run);
	rc = rc ? rc : describe_needs(run);
	if (rc == -EINVAL || rc == -ENAMETOOLONG || rc == -E2BIG) {
		rc = why_set(run->why, rc, "a name or role is too long or not printable");
	}
	return rc;
}

static int derive_keys(struct move_run *run)
{
	const struct move_source *source = &run->source;
	const struct luks_secret *secret = run->options->secret;
	uint8_t stretched[32];
	int rc;

	if (source->key->is_there) {
		return bundle_seal_derive(source->key->bytes, sizeof(source->key->bytes),
					  run->front.salt, run->front.hash, &run->keys);
	}
	rc = bundle_seal_stretch(secret->bytes, secret->size, run->front.salt, &run->front.cost,
				 stretched);
	rc = rc ? rc
		: bundle_seal_derive(stretched, sizeof(stretched), run->front.salt, run->front.hash,
				     &run->keys);
	bundle_seal_wipe(stretched, sizeof(stretched));
	return rc;
}

static int write_front(struct move_run *run)
{
	struct bundle_front *front = &run->front;
	uint8_t signature[8 + BUNDLE_SIGNATURE_MAX];
	uint8_t *bytes;
	size_t size, signature_size = 0;
	int rc;

	front->luks_size = run->source.volume.luks_size;
	front->luks_in_base = run->source.luks_in_base;
	front->luks = front->luks_in_base ? NULL : run->source.luks;
	if (!front->luks_size) {
		front->cost = run->options->fast_for_tests ? cost_of_tests : cost_of_passphrase;
	}
	rc = bundle_front_encode(front, &bytes, &size);
	if (rc < 0) {
		return rc;
	}
	if (run->signer) {
		rc = signer_sign(run->signer, front->hash, sizeof(front->hash), front->signature,
				 &signature_size);
		front->signature_size = (uint32_t)signature_size;
	}
	rc = rc ? rc : run->sink.out.write(&run->sink.out, bytes, size);
	free(bytes);
	bundle_front_encode_signature(front, signature, &size);
	return rc ? rc : run->sink.out.write(&run->sink.out, signature, size);
}

static int write_manifest(struct move_run *run)
{
	struct json_object *object = json_object_new_object();
	uint8_t hash[BUNDLE_HASH_SIZE];
	const uint8_t *record;
	const char *text;
	size_t size;
	int rc = object ? 0 : -ENOMEM;

	if (!rc) {
		json_fields_put_u64(object, "version", 1);
		json_fields_put_hex(object, "state", run->front.summary.image_uuid, 16);
		json_fields_put_u64(object, "sectors", run->delta.sectors);
		if (run->options->config) {
			json_fields_put_text(object, "config", run->options->config);
		}
		text = json_object_to_json_string(object);
		rc = text ? bundle_codec_pack_manifest(run->codec, text, strlen(text), &record,
						       &size)
			  : -ENOMEM;
		if (rc == -EFBIG) {
			rc = why_set(run->why, rc, "the configuration is too large for a bundle");
		}
	}
	rc = rc ? rc : run->sink.out.write(&run->sink.out, record, size);
	rc = rc ? rc : bundle_hash(record, size, NULL, 0, NULL, 0, hash);
	rc = rc ? rc : bundle_index_init(&run->index, run->front.hash, hash);
	json_object_put(object);
	return rc;
}

/* Where the receiver of a pipe went on: it must have got the same frames. */
static int check_have(struct move_run *run)
{
	const struct move_export_options *options = run->options;

	if (!run->sink.muted || run->index.count < options->have_frames) {
		return 0;
	}
	run->sink.muted = false;
	if (memcmp(run->index.chain, options->have_chain, BUNDLE_HASH_SIZE) != 0) {
		return why_set(run->why, -ESTALE,
			       "the disk has changed since the export was cut off: forget what was "
			       "imported and start again");
	}
	return 0;
}

static int write_frame(struct move_run *run)
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	const uint8_t *record;
	size_t size;
	int rc = bundle_codec_pack(run->codec, run->index.count, run->frame, &record, &size);

	rc = rc ? rc : bundle_hash(record, size, NULL, 0, NULL, 0, hash);
	rc = rc ? rc : run->sink.out.write(&run->sink.out, record, size);
	rc = rc ? rc : bundle_index_add(&run->index, hash);
	if (!rc && (run->sink.muted || move_sink_is_kept(&run->sink))) {
		run->report->frames_kept++;
	}
	return rc ? rc : check_have(run);
}

static int write_frames(struct move_run *run)
{
	uint64_t total = run->delta.sectors * BUNDLE_SECTOR;
	const struct move_volume *base = run->source.base.payload ? &run->source.base : NULL;
	struct move_pack *pack = NULL;
	int rc = progress_step(run->options->progress, 0, total);

	run->sink.muted = run->sink.pipe && run->options->have_frames;
	rc = rc ? rc : move_pack_open(&run->source.volume, base, &run->delta, &pack);
	while (!rc) {
		rc = move_pack_next(pack, run->frame, &run->done);
		if (rc || !run->frame->run_count) {
			break;
		}
		rc = write_frame(run);
		rc = rc ? rc
			: progress_step(run->options->progress, run->done * BUNDLE_SECTOR, total);
	}
	move_pack_close(pack);
	if (!rc && run->sink.muted) {
		rc = why_set(run->why, -ESTALE, "the receiver has more frames than there are");
	}
	return rc;
}

/* From here on the disk belongs to who has the bundle. */
static int write_tombstone(struct move_run *run)
{
	const struct bundle_summary *summary = &run->front.summary;
	struct owner *owner = &run->source.owner;
	int rc;

	if (summary->copy || owner->state == OWNER_MOVED) {
		return 0;
	}
	owner->state = OWNER_MOVED;
	owner->epoch = summary->epoch;
	owner->time = (int64_t)time(NULL);
	memcpy(owner->before_uuid, owner->common_uuid, sizeof(owner->before_uuid));
	memcpy(owner->before_name, owner->common_name, sizeof(owner->before_name));
	memcpy(owner->common_uuid, summary->image_uuid, sizeof(owner->common_uuid));
	(void)snprintf(owner->common_name, sizeof(owner->common_name), "%s", run->source.name);
	owner->received = false;
	rc = put_text(owner->to, sizeof(owner->to),
		      run->options->to ? run->options->to : "another PC");
	rc = rc ? rc
		: bundle_hash(run->keys.receipt, sizeof(run->keys.receipt), NULL, 0, NULL, 0,
			      owner->receipt_hash);
	return rc ? rc : owner_write(run->source.folder, run->source.name, owner, run->why);
}

static int write_end(struct move_run *run)
{
	struct bundle_tail tail = {.frame_count = run->index.count};
	uint8_t bytes[BUNDLE_TAIL_SIZE];
	size_t size = 0;
	int rc = bundle_index_write(&run->index, &run->sink.out);

	rc = rc ? rc : move_sink_flush(&run->sink);
	memcpy(tail.chain, run->index.chain, sizeof(tail.chain));
	rc = rc ? rc : bundle_seal_mac(run->keys.tail, tail.chain, sizeof(tail.chain), tail.mac);
	if (!rc && run->signer) {
		rc = signer_sign(run->signer, tail.chain, sizeof(tail.chain), tail.signature,
				 &size);
		tail.signature_size = (uint32_t)size;
	}
	rc = rc ? rc : write_tombstone(run);
	bundle_tail_encode(&tail, bytes);
	rc = rc ? rc : run->sink.out.write(&run->sink.out, bytes, sizeof(bytes));
	return rc ? rc : move_sink_flush(&run->sink);
}

/* Leaves a note of the salt, so that an export to a pipe can go on. */
static int write_leaving(struct move_run *run)
{
	struct owner *owner = &run->source.owner;

	if (run->options->copy || owner->state == OWNER_MOVED) {
		return 0;
	}
	owner->state = OWNER_LEAVING;
	owner->time = (int64_t)run->time;
	memcpy(owner->bundle_id, run->front.id, sizeof(owner->bundle_id));
	memcpy(owner->salt, run->front.salt, sizeof(owner->salt));
	return owner_write(run->source.folder, run->source.name, owner, run->why);
}

static int write_all(struct move_run *run)
{
	uint32_t first = run->source.volume.luks_size / BUNDLE_SECTOR;
	int rc = name_from_salt(run, "bundle", run->front.id);

	rc = rc ? rc
		: move_delta_find(run->source.folder, run->source.volume.payload,
				  run->source.base.payload, run->source.depth, first,
				  run->options->progress, &run->delta, run->why);
	rc = rc ? rc : describe(run);
	rc = rc ? rc : write_leaving(run);
	rc = rc ? rc : write_front(run);
	rc = rc ? rc : derive_keys(run);
	rc = rc ? rc : bundle_codec_open(&run->keys, run->options->level, &run->codec);
	rc = rc ? rc : write_manifest(run);
	rc = rc ? rc : write_frames(run);
	return rc ? rc : write_end(run);
}

int move_run_write(struct move_run *run)
{
	int rc;

	run->frame = aligned_alloc(64, sizeof(*run->frame));
	rc = run->frame ? 0 : -ENOMEM;
	if (!rc && run->options->sign_key) {
		rc = signer_create(run->options->sign_key, &run->signer, run->why);
	}
	rc = rc ? rc : write_all(run);
	run->report->epoch = run->front.summary.epoch;
	run->report->changed = run->delta.sectors * BUNDLE_SECTOR;
	run->report->written = run->sink.written;
	run->report->size = run->sink.offset;
	run->report->frames = run->index.count;
	memcpy(run->report->bundle_id, run->front.id, sizeof(run->report->bundle_id));
	signer_destroy(run->signer);
	bundle_index_fini(&run->index);
	bundle_codec_close(run->codec);
	bundle_seal_wipe(&run->keys, sizeof(run->keys));
	move_delta_free(&run->delta);
	free(run->frame);
	return rc;
}
