/* SPDX-License-Identifier: Apache-2.0 */
/* Where an export goes: a folder on a stick, or a pipe. And what comes after: undo, receipt. */
#include "bundle_io.h"
#include "json_fields.h"
#include "move_name.h"
#include "move_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The front of a bundle file, if it has a good one. The LUKS2 area is not kept. */
static int read_front(struct folder *folder, const char *file_name, struct bundle_front *ret_front)
{
	struct bundle_file stream;
	struct file *file;
	uint64_t size;
	int rc = folder_open_file(folder, file_name, FOLDER_READ, &file);

	if (rc < 0) {
		return rc;
	}
	bundle_file_init(&stream, file, 0);
	rc = bundle_front_read(&stream.in, ret_front, &size, NULL);
	if (!rc) {
		bundle_front_free(ret_front);
	}
	file_close(file);
	return rc;
}

static bool is_ours(const struct move_run *run, const struct bundle_front *front)
{
	const struct owner *owner = &run->source.owner;

	if (owner->state == OWNER_MOVED && !run->options->copy) {
		return memcmp(front->id, owner->bundle_id, sizeof(front->id)) == 0;
	}
	if (run->options->copy || front->summary.copy) {
		return run->options->copy && front->summary.copy &&
		       strcmp(front->summary.name, run->source.name) == 0;
	}
	return memcmp(front->summary.disk_id, owner->disk_id, sizeof(owner->disk_id)) == 0;
}

/* Whether the folder takes the bundle. ret_done: it is there, whole. ret_going_on: a part of it. */
static int look_around(struct move_run *run, struct folder *to, const struct move_name *name,
		       bool *ret_done, bool *ret_going_on)
{
	const struct owner *owner = &run->source.owner;
	bool moved = owner->state == OWNER_MOVED && !run->options->copy;
	struct bundle_front front;
	int rc = read_front(to, name->bundle, &front);

	*ret_done = false;
	*ret_going_on = false;
	if (!rc && moved && is_ours(run, &front)) {
		*ret_done = true;
		memcpy(run->front.id, front.id, sizeof(front.id));
		run->front.summary.epoch = front.summary.epoch;
		return 0;
	}
	if (rc != -ENOENT && (rc < 0 || run->options->copy || !is_ours(run, &front)) && !moved) {
		return why_set(
			run->why, -EEXIST,
			"there is a file %s that is not an older bundle of this disk: remove "
			"it, or export to another folder",
			name->bundle);
	}
	rc = read_front(to, name->part, &front);
	if (!rc && is_ours(run, &front)) {
		*ret_going_on = true;
		memcpy(run->front.salt, front.salt, sizeof(front.salt));
		run->time = front.summary.time;
	} else if (moved) {
		return owner_check_write(run->source.folder, run->source.name, run->why);
	}
	return 0;
}

static int open_part(struct folder *to, const char *part, struct file **ret_file, struct why *why)
{
	int rc = folder_open_file(to, part, FOLDER_WRITE, ret_file);

	if (rc == -ENOENT) {
		rc = folder_open_file(to, part, FOLDER_CREATE, ret_file);
		if (!rc) {
			/* Its name must be lasting before the tombstone is. */
			rc = folder_flush(to);
			if (rc < 0) {
				file_close(*ret_file);
			}
		}
	}
	if (rc < 0) {
		return why_set(why, rc, "cannot write %s: %s", part, strerror(-rc));
	}
	rc = file_lock(*ret_file, true);
	if (rc < 0) {
		file_close(*ret_file);
		return why_set(why, rc, "another export writes %s: wait until it ends", part);
	}
	return 0;
}

static int tell_full(const struct move_run *run, int rc)
{
	uint64_t done = run->done * BUNDLE_SECTOR, total = run->delta.sectors * BUNDLE_SECTOR;
	uint64_t more =
		done ? (uint64_t)((double)run->sink.offset * (double)(total - done) / (double)done)
		     : total;

	if (rc != -ENOSPC && rc != -EDQUOT && rc != -EFBIG) {
		return rc;
	}
	return why_set(run->why, -ENOSPC,
		       "there is no room left: %llu bytes are written and about %llu more are "
		       "needed; make room and export again, it goes on from here",
		       (unsigned long long)run->sink.offset, (unsigned long long)more);
}

static int write_part(struct move_run *run, struct folder *to, const struct move_name *name)
{
	struct file *file;
	int rc = open_part(to, name->part, &file, run->why);

	if (rc < 0) {
		return rc;
	}
	rc = move_sink_open(&run->sink, NULL, file);
	rc = rc ? rc : move_run_write(run);
	move_sink_close(&run->sink);
	file_close(file);
	rc = rc ? tell_full(run, rc) : folder_rename(to, name->part, name->bundle);
	return rc ? rc : folder_flush(to);
}

static int export_to_folder(struct move_run *run, struct folder *to)
{
	struct move_name name;
	bool done, going_on;
	int rc = move_name_make(run->source.name, &name);

	rc = rc ? rc : look_around(run, to, &name, &done, &going_on);
	if (rc < 0) {
		return rc;
	}
	(void)snprintf(run->report->file, sizeof(run->report->file), "%s", name.bundle);
	if (done) {
		memcpy(run->report->bundle_id, run->front.id, sizeof(run->front.id));
		run->report->epoch = run->front.summary.epoch;
		return folder_flush(to);
	}
	rc = going_on ? 0 : bundle_seal_random(run->front.salt, sizeof(run->front.salt));
	return rc ? rc : write_part(run, to, &name);
}

static int export_to_pipe(struct move_run *run, struct bundle_out *out)
{
	const struct owner *owner = &run->source.owner;
	bool goes_on = run->options->have_frames && !run->options->copy &&
		       owner->state != OWNER_HERE &&
		       memcmp(run->options->have_id, owner->bundle_id, BUNDLE_ID_SIZE) == 0;
	int rc;

	if (!goes_on && run->options->have_frames) {
		return why_set(run->why, -ESTALE,
			       "the receiver has a part of another bundle: forget it there and "
			       "start again");
	}
	if (goes_on) {
		memcpy(run->front.salt, owner->salt, sizeof(owner->salt));
		run->time = (uint64_t)owner->time;
	} else {
		rc = run->options->copy
			     ? 0
			     : owner_check_write(run->source.folder, run->source.name, run->why);
		rc = rc ? rc : bundle_seal_random(run->front.salt, sizeof(run->front.salt));
		if (rc < 0) {
			return rc;
		}
	}
	rc = move_sink_open(&run->sink, out, NULL);
	rc = rc ? rc : move_run_write(run);
	move_sink_close(&run->sink);
	return rc;
}

static int export_to(struct folder *folder, const char *name,
		     const struct move_export_options *options, struct folder *to,
		     struct bundle_out *out, struct move_export_report *ret_report, struct why *why)
{
	struct move_run *run = calloc(1, sizeof(*run));
	struct move_export_report report = {.written = 0};
	int rc = run ? 0 : -ENOMEM;

	if (!rc) {
		run->options = options;
		run->why = why;
		run->report = &report;
		run->time = (uint64_t)time(NULL);
		rc = move_source_open(folder, name, options, &run->source, why);
	}
	if (!rc) {
		if (why) {
			why->text[0] = '\0'; /* what a lower layer said and got over */
		}
		rc = to ? export_to_folder(run, to) : export_to_pipe(run, out);
		move_source_close(&run->source);
	}
	free(run);
	if (!rc) {
		*ret_report = report;
	}
	return rc && why && !*why->text
		       ? why_set(why, rc, "the export of %s failed: %s", name, strerror(-rc))
		       : rc;
}

int move_export(struct folder *folder, const char *name, const struct move_export_options *options,
		struct folder *to, struct move_export_report *ret_report, struct why *why)
{
	return export_to(folder, name, options, to, NULL, ret_report, why);
}

int move_export_stream(struct folder *folder, const char *name,
		       const struct move_export_options *options, struct bundle_out *out,
		       struct move_export_report *ret_report, struct why *why)
{
	return export_to(folder, name, options, NULL, out, ret_report, why);
}

static int remove_bundle(struct folder *at, const char *file_name, const uint8_t *bundle_id)
{
	struct bundle_front front;
	int rc = read_front(at, file_name, &front);

	if (rc || memcmp(front.id, bundle_id, sizeof(front.id)) != 0) {
		return 0;
	}
	rc = folder_remove(at, file_name);
	return rc ? rc : folder_flush(at);
}

int move_undo(struct folder *folder, const char *name, struct folder *at, struct why *why)
{
	struct move_name names;
	struct owner owner;
	int rc = owner_read(folder, name, &owner, why);

	if (rc == -ENOENT || (!rc && owner.state == OWNER_HERE)) {
		return why_set(why, -ENOENT, "%s has not moved", name);
	}
	if (!rc && owner.received) {
		rc = why_set(why, -EALREADY,
			     "the move of %s was received: bring it back by export and import",
			     name);
	}
	rc = rc ? rc : move_name_make(name, &names);
	if (!rc && at) {
		rc = remove_bundle(at, names.bundle, owner.bundle_id);
		rc = rc ? rc : remove_bundle(at, names.part, owner.bundle_id);
		if (rc < 0) {
			return why_set(why, rc, "cannot remove the bundle: %s", strerror(-rc));
		}
	}
	if (rc < 0) {
		return rc;
	}
	if (owner.state == OWNER_MOVED) {
		owner.epoch++; /* what was exported is older from now on */
		memcpy(owner.common_uuid, owner.before_uuid, sizeof(owner.common_uuid));
		memcpy(owner.common_name, owner.before_name, sizeof(owner.common_name));
	}
	owner.state = OWNER_HERE;
	owner.time = (int64_t)time(NULL);
	return owner_write(folder, name, &owner, why);
}

static bool is_receipt_of(const struct owner *owner, struct json_object *object)
{
	uint8_t bundle_id[BUNDLE_ID_SIZE], secret[32], hash[BUNDLE_HASH_SIZE];

	return json_fields_hex(object, "bundle", bundle_id, sizeof(bundle_id)) == 0 &&
	       json_fields_hex(object, "secret", secret, sizeof(secret)) == 0 &&
	       bundle_hash(secret, sizeof(secret), NULL, 0, NULL, 0, hash) == 0 &&
	       memcmp(bundle_id, owner->bundle_id, sizeof(bundle_id)) == 0 &&
	       memcmp(hash, owner->receipt_hash, sizeof(hash)) == 0;
}

int move_take_receipt(struct folder *folder, const char *name, const char *receipt, struct why *why)
{
	struct json_object *object;
	struct owner owner;
	int rc = owner_read(folder, name, &owner, why);

	if (rc == -ENOENT || (!rc && owner.state != OWNER_MOVED)) {
		return why_set(why, -ENOENT, "%s has not moved", name);
	}
	if (rc < 0) {
		return rc;
	}
	object = json_fields_parse(receipt, strlen(receipt));
	if (!object || !is_receipt_of(&owner, object)) {
		rc = why_set(why, -EBADMSG, "this is not the receipt of the last move of %s", name);
	}
	json_object_put(object);
	owner.received = true;
	return rc ? rc : owner_write(folder, name, &owner, why);
}
