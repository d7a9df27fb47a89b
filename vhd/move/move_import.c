/* SPDX-License-Identifier: Apache-2.0 */
/* An import from the front of a bundle to its tail. */
#define _GNU_SOURCE

#include "bundle_io.h"
#include "json_fields.h"
#include "locked.h"
#include "move_arrival.h"
#include "signature.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_STEP 64u /* sectors */

static int tell_damaged(struct move_arrival *arrival, const char *what)
{
	return why_set(arrival->why, -EBADMSG,
		       "%s of the bundle is damaged: nothing of it was applied; try the stick on "
		       "another port, or export again",
		       what);
}

static int tell_cut(struct move_arrival *arrival)
{
	return why_set(arrival->why, -EBADMSG,
		       "the bundle is cut off after frame %llu: export to the stick again, it goes "
		       "on where it was; so does the import",
		       (unsigned long long)arrival->number);
}

static int refuse(struct move_arrival *arrival)
{
	for (unsigned i = 0; i < arrival->check->missing_count; i++) {
		const struct move_missing *missing = &arrival->check->missing[i];
		int rc = missing->kind == MOVE_OLD_EPOCH || missing->kind == MOVE_WRONG_BASE
				 ? -ESTALE
			 : missing->kind == MOVE_MISSING_SPACE ? -ENOSPC
			 : missing->kind == MOVE_UNTRUSTED     ? -EKEYREJECTED
							       : -EHOSTDOWN;

		if (missing->fatal || !arrival->options->despite_warnings) {
			return why_set(arrival->why, rc, "%s", missing->text);
		}
	}
	return 0;
}

/* The header area of the disk: from the bundle, or from the base that has the same. */
static int unlock(struct move_arrival *arrival)
{
	const struct bundle_front *front = &arrival->front;
	uint8_t *luks = front->luks, *read = NULL;
	struct layer *base;
	int rc = 0;

	if (front->luks_in_base) {
		read = luks = malloc(front->luks_size);
		rc = read ? vhd_disk_open(arrival->folder, arrival->check->base, 0, &base,
					  arrival->why)
			  : -ENOMEM;
		if (!rc) {
			rc = layer_read(base, read, front->luks_size, 0);
			(void)!layer_close(base);
		}
	}
	rc = rc ? rc
		: move_volume_unlock(luks, front->luks_size, front->summary.disk_size,
				     arrival->options->secret, arrival->key, arrival->why);
	free(read);
	return rc ? rc
		  : bundle_seal_derive(arrival->key->bytes, sizeof(arrival->key->bytes),
				       front->salt, front->hash, &arrival->keys);
}

static int stretch(struct move_arrival *arrival)
{
	const struct bundle_front *front = &arrival->front;
	const struct luks_secret *secret = arrival->options->secret;
	uint8_t stretched[32];
	int rc = bundle_seal_stretch(secret->bytes, secret->size, front->salt, &front->cost,
				     stretched);

	if (rc == -EINVAL) {
		rc = tell_damaged(arrival, "the front");
	}
	rc = rc ? rc
		: bundle_seal_derive(stretched, sizeof(stretched), front->salt, front->hash,
				     &arrival->keys);
	bundle_seal_wipe(stretched, sizeof(stretched));
	return rc;
}

static int get_keys(struct move_arrival *arrival)
{
	bool by_disk = arrival->front.summary.seal == BUNDLE_SEAL_DISK;

	if (!arrival->options->secret) {
		return why_set(arrival->why, -ENOKEY,
			       by_disk ? "give what opens the encrypted disk"
				       : "give the passphrase of the bundle");
	}
	return by_disk ? unlock(arrival) : stretch(arrival);
}

static int decode_manifest(struct move_arrival *arrival, const char *text, size_t size)
{
	struct json_object *object = json_fields_parse(text, size), *config;
	uint64_t version, sectors;
	int rc = object ? json_fields_u64(object, "version", 1, &version) : -EBADMSG;

	rc = rc ? rc : json_fields_u64(object, "sectors", BUNDLE_SECTOR_COUNT_MAX, &sectors);
	if (!rc && json_object_object_get_ex(object, "config", &config)) {
		arrival->report->config = strdup(json_object_get_string(config));
		rc = arrival->report->config ? 0 : -ENOMEM;
	}
	json_object_put(object);
	return rc && rc != -ENOMEM ? -EBADMSG : rc;
}

static int read_manifest(struct move_arrival *arrival)
{
	bool by_disk = arrival->front.summary.seal == BUNDLE_SEAL_DISK;
	struct bundle_record record = {.size = 0};
	char *text = NULL;
	size_t size;
	int rc = bundle_record_read(arrival->in, &record, arrival->sealed, arrival->manifest_hash);

	rc = rc ? rc : bundle_codec_open(&arrival->keys, 0, &arrival->codec);
	rc = rc ? rc
		: bundle_codec_open_manifest(arrival->codec, &record, arrival->sealed, &text,
					     &size);
	if (rc == -EBADMSG && !by_disk) {
		return why_set(arrival->why, -EPERM,
			       "the passphrase is wrong, or somebody has changed the bundle");
	}
	rc = rc ? rc : decode_manifest(arrival, text, size);
	arrival->report->read += BUNDLE_RECORD_SIZE + record.size;
	free(text);
	return rc == -EBADMSG ? tell_damaged(arrival, "the manifest") : rc;
}

static int copy_run(struct move_arrival *arrival, const struct bundle_run *run)
{
	uint8_t *bytes = malloc((size_t)COPY_STEP * BUNDLE_SECTOR);
	int rc = bytes ? 0 : -ENOMEM;

	for (uint32_t done = 0; !rc && done < run->count;) {
		uint32_t left = run->count - done, n = left < COPY_STEP ? left : COPY_STEP;

		rc = move_volume_read(&arrival->incoming, run->source + done, n, bytes);
		rc = rc ? rc : move_volume_write(&arrival->incoming, run->sector + done, n, bytes);
		done += n;
	}
	free(bytes);
	return rc;
}

static int read_before(struct move_arrival *arrival)
{
	struct bundle_frame *frame = arrival->frame;
	uint8_t *at = frame->before;
	int rc = frame->has_before && !arrival->base.payload ? -EBADMSG : 0;

	for (unsigned i = 0; !rc && frame->has_before && i < frame->run_count; i++) {
		if (frame->runs[i].source == BUNDLE_RUN_DATA) {
			rc = move_volume_read(&arrival->base, frame->runs[i].sector,
					      frame->runs[i].count, at);
			at += (size_t)frame->runs[i].count * BUNDLE_SECTOR;
		}
	}
	return rc;
}

static int write_runs(struct move_arrival *arrival)
{
	const struct bundle_frame *frame = arrival->frame;
	const uint8_t *at = frame->data;
	int rc = 0;

	for (unsigned i = 0; !rc && i < frame->run_count; i++) {
		const struct bundle_run *run = &frame->runs[i];

		if (run->source == BUNDLE_RUN_ZERO) {
			rc = move_volume_zero(&arrival->incoming, run->sector, run->count);
		} else if (run->source != BUNDLE_RUN_DATA) {
			rc = copy_run(arrival, run);
		} else {
			rc = move_volume_write(&arrival->incoming, run->sector, run->count, at);
			at += (size_t)run->count * BUNDLE_SECTOR;
		}
	}
	return rc;
}

static int apply(struct move_arrival *arrival, const struct bundle_record *record)
{
	struct move_arriving *done = &arrival->done;
	uint32_t sector = done->sector;
	int rc = bundle_codec_open_frame(arrival->codec, record, arrival->sealed,
					 arrival->incoming.sector_count, &sector, arrival->frame);

	if (!rc && arrival->frame->runs[0].sector < arrival->front.luks_size / BUNDLE_SECTOR) {
		rc = -EBADMSG;
	}
	rc = rc ? rc : read_before(arrival);
	rc = rc ? rc : bundle_codec_get_data(arrival->codec, arrival->frame);
	if (rc == -ESTALE) {
		return why_set(arrival->why, rc,
			       "the base image %s is not what the sender has: put the right one "
			       "there, or export with all of the disk",
			       arrival->check->base);
	}
	if (rc == -EBADMSG) {
		return tell_damaged(arrival, "a frame");
	}
	rc = rc ? rc : write_runs(arrival);
	rc = rc ? rc : layer_flush(arrival->incoming.top);
	if (rc < 0) {
		return rc;
	}
	done->sector = sector;
	done->frames++;
	memcpy(done->chain, arrival->chain, sizeof(done->chain));
	return move_arriving_write(arrival->folder, arrival->names.progress, done);
}

/* A stream begins with frame 0, or with the first that is not here. */
static int meet_first(struct move_arrival *arrival, uint64_t number)
{
	if (number == 0) {
		return bundle_hash(arrival->front.hash, BUNDLE_HASH_SIZE, arrival->manifest_hash,
				   BUNDLE_HASH_SIZE, NULL, 0, arrival->chain);
	}
	if (number != arrival->done.frames) {
		return why_set(arrival->why, -EBADMSG,
			       "the bundle goes on with frame %llu, but %llu are here: export all "
			       "of it",
			       (unsigned long long)number,
			       (unsigned long long)arrival->done.frames);
	}
	memcpy(arrival->chain, arrival->done.chain, sizeof(arrival->chain));
	arrival->number = number;
	return 0;
}

static int take_frame(struct move_arrival *arrival, const struct bundle_record *record,
		      const uint8_t hash[BUNDLE_HASH_SIZE])
{
	bool is_here = record->number < arrival->done.frames;
	int rc = record->kind == BUNDLE_KIND_FRAME && record->number == arrival->number ? 0
											: -EBADMSG;

	if (rc < 0) {
		return tell_damaged(arrival, "the order");
	}
	rc = bundle_hash(arrival->chain, BUNDLE_HASH_SIZE, hash, BUNDLE_HASH_SIZE, NULL, 0,
			 arrival->chain);
	arrival->number++;
	if (rc || !is_here) {
		return rc ? rc : apply(arrival, record);
	}
	arrival->report->frames_kept++;
	if (arrival->number == arrival->done.frames &&
	    memcmp(arrival->chain, arrival->done.chain, BUNDLE_HASH_SIZE) != 0) {
		rc = tell_damaged(arrival, "an early frame");
	}
	return rc;
}

static int read_frames(struct move_arrival *arrival, struct bundle_record *ret_index)
{
	const uint64_t total = arrival->front.summary.data_size;
	uint8_t hash[BUNDLE_HASH_SIZE];
	bool met = false;
	uint64_t data = 0;
	int rc = progress_step(arrival->options->progress, 0, total);

	while (!rc) {
		rc = bundle_record_read(arrival->in, ret_index, arrival->sealed, hash);
		if (!rc && !met) {
			/* An index at once: nothing changed, or all is here. */
			rc = meet_first(arrival, ret_index->kind == BUNDLE_KIND_INDEX
							 ? arrival->done.frames
							 : ret_index->number);
			met = !rc;
		}
		if (rc || ret_index->kind == BUNDLE_KIND_INDEX) {
			break;
		}
		arrival->report->read += BUNDLE_RECORD_SIZE + ret_index->size;
		rc = take_frame(arrival, ret_index, hash);
		data += arrival->frame->data_size;
		rc = rc ? rc
			: progress_step(arrival->options->progress, data < total ? data : total,
					total);
	}
	return rc == -ENODATA	? tell_cut(arrival)
	       : rc == -EBADMSG ? tell_damaged(arrival, "a frame's head")
				: rc;
}

static int check_tail(struct move_arrival *arrival, const struct bundle_index *index)
{
	const char *trusted = arrival->options->trusted_key;
	struct bundle_tail tail;
	uint8_t mac[32];
	int rc = bundle_tail_read(arrival->in, &tail);

	rc = rc ? rc : bundle_seal_mac(arrival->keys.tail, tail.chain, sizeof(tail.chain), mac);
	if (!rc && (tail.frame_count != arrival->number || index->count != arrival->number ||
		    memcmp(index->chain, arrival->chain, BUNDLE_HASH_SIZE) != 0 ||
		    memcmp(tail.chain, arrival->chain, BUNDLE_HASH_SIZE) != 0 ||
		    memcmp(tail.mac, mac, sizeof(mac)) != 0)) {
		rc = -EBADMSG;
	}
	if (!rc && trusted) {
		rc = signature_check(trusted, tail.chain, sizeof(tail.chain), tail.signature,
				     tail.signature_size, arrival->why);
	}
	return rc;
}

static int read_end(struct move_arrival *arrival, const struct bundle_record *record)
{
	struct bundle_index index;
	int rc = bundle_index_read(arrival->in, record->size, record->number, &index,
				   arrival->front.hash, arrival->manifest_hash);

	if (!rc) {
		rc = check_tail(arrival, &index);
		bundle_index_fini(&index);
	}
	if (rc == -ENODATA) {
		return tell_cut(arrival);
	}
	arrival->report->read += BUNDLE_RECORD_SIZE + record->size + BUNDLE_TAIL_SIZE;
	return rc == -EBADMSG ? tell_damaged(arrival, "the end") : rc;
}

static int close_images(struct move_arrival *arrival, int rc)
{
	int first = 0;

	if (arrival->incoming.payload) {
		first = rc ? 0 : layer_flush(arrival->incoming.top);
		rc = rc ? rc : first;
		first = move_volume_close(&arrival->incoming);
	}
	rc = rc ? rc : first;
	(void)!move_volume_close(&arrival->base);
	return rc;
}

static int receive(struct move_arrival *arrival)
{
	struct bundle_record record;
	int rc = get_keys(arrival);

	rc = rc ? rc : read_manifest(arrival);
	if (!rc && arrival->check->is_here) {
		arrival->report->was_done = true; /* only the receipt is asked for again */
		return 0;
	}
	rc = rc ? rc : move_arrival_prepare(arrival);
	rc = rc ? rc : read_frames(arrival, &record);
	rc = rc ? rc : read_end(arrival, &record);
	rc = close_images(arrival, rc);
	arrival->report->frames = arrival->number;
	return rc ? rc : move_arrival_switch(arrival);
}

static int run(struct move_arrival *arrival)
{
	int rc = move_name_make(arrival->check->name, &arrival->names);

	rc = rc ? rc : refuse(arrival);
	if (rc < 0) {
		return rc;
	}
	arrival->key = locked_alloc(sizeof(*arrival->key));
	arrival->frame = aligned_alloc(64, sizeof(*arrival->frame));
	arrival->sealed = malloc(BUNDLE_SEALED_MAX);
	rc = arrival->key && arrival->frame && arrival->sealed ? 0 : -ENOMEM;
	rc = rc ? rc : receive(arrival);
	if (!rc) {
		arrival->report->receipt = move_arrival_receipt(arrival);
		(void)snprintf(arrival->report->image, sizeof(arrival->report->image), "%s",
			       arrival->check->name);
		(void)snprintf(arrival->report->state, sizeof(arrival->report->state), "%s",
			       arrival->done.state_name);
		rc = arrival->report->receipt ? 0 : -ENOMEM;
	}
	bundle_codec_close(arrival->codec);
	bundle_seal_wipe(&arrival->keys, sizeof(arrival->keys));
	locked_free(arrival->key, sizeof(*arrival->key));
	free(arrival->sealed);
	free(arrival->frame);
	return rc;
}

int move_import(struct bundle_in *in, struct folder *folder,
		const struct move_import_options *options, struct move_import_report *ret_report,
		struct why *why)
{
	struct move_import_report *report = calloc(1, sizeof(*report));
	struct move_arrival *arrival = calloc(1, sizeof(*arrival));
	int rc = report && arrival ? vhd_journal_recover(folder, why) : -ENOMEM;

	if (!rc) {
		arrival->in = in;
		arrival->folder = folder;
		arrival->options = options;
		arrival->why = why;
		arrival->report = report;
		arrival->check = &report->check;
		rc = bundle_front_read(in, &arrival->front, &report->read, why);
	}
	rc = rc ? rc
		: move_check_front(&arrival->front, folder, options->name, options->host,
				   options->trusted_key, &report->check, why);
	rc = rc ? rc : run(arrival);
	if (arrival) {
		bundle_front_free(&arrival->front);
	}
	if (!rc) {
		*ret_report = *report;
	} else if (report) {
		free(report->receipt);
		free(report->config);
	}
	free(arrival);
	free(report);
	return rc && why && !*why->text ? why_set(why, rc, "the import failed: %s", strerror(-rc))
					: rc;
}
