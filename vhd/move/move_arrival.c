/* SPDX-License-Identifier: Apache-2.0 */
/* The images of an import: the one that what comes is applied to, and the switch at the end. */
#define _GNU_SOURCE

#include "move_arrival.h"
#include "json_fields.h"
#include "move_delta.h"
#include "signature.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANIFEST_SUFFIX ".manifest"
#define DEPTH_MAX	8u  /* images above the lowest: more make all reads slower */
#define COPY_STEP	64u /* sectors */

static int open_incoming(struct move_arrival *arrival)
{
	struct layer *payload;
	int rc = vhd_disk_open(arrival->folder, arrival->names.incoming,
			       VHD_DISK_WRITE | VHD_DISK_TOP_ONLY, &payload, arrival->why);

	if (rc < 0) {
		return rc;
	}
	if (payload->size != arrival->front.summary.disk_size) {
		rc = vhd_disk_resize(payload, arrival->front.summary.disk_size, arrival->why);
	}
	if (!rc && payload->size != arrival->front.summary.disk_size) {
		rc = why_set(arrival->why, -EBADMSG, "the disk cannot get the size it had");
	}
	rc = rc ? rc : move_volume_open(payload, arrival->key, &arrival->incoming);
	if (rc < 0) {
		(void)!layer_close(payload);
	}
	return rc;
}

/* The names that images will have at the end. An image of an earlier stay steps aside. */
static int choose_names(struct move_arrival *arrival)
{
	struct move_arriving *done = &arrival->done;
	const char *name = arrival->check->name;
	struct owner owner;
	int rc = move_name_exists(arrival->folder, name);

	memset(done, 0, sizeof(*done));
	memcpy(done->bundle_id, arrival->front.id, sizeof(done->bundle_id));
	if (rc > 0) {
		rc = owner_read(arrival->folder, name, &owner, arrival->why);
		rc = rc ? rc
			: move_name_of_state(arrival->folder, name, owner.epoch, done->old_name);
	}
	return rc < 0 ? rc
		      : move_name_of_state(arrival->folder, name, arrival->front.summary.epoch,
					   done->state_name);
}

/* The image that the new one becomes a child of. Each trip adds one to the chain; when it gets long
 * that is the lowest, and ret_depth says how many images above it hold what must be copied. */
static int choose_parent(const struct move_arrival *arrival, char ret_name[MOVE_NAME_SIZE],
			 unsigned *ret_depth)
{
	struct vhd_disk_info info;
	unsigned count = vhd_disk_get_info(arrival->base.payload, 0, &info);

	*ret_depth = count > DEPTH_MAX ? count - 1 : 0;
	(void)vhd_disk_get_info(arrival->base.payload, *ret_depth, &info);
	return snprintf(ret_name, MOVE_NAME_SIZE, "%s", info.name) < (int)MOVE_NAME_SIZE
		       ? 0
		       : -ENAMETOOLONG;
}

static int create_incoming(struct move_arrival *arrival, unsigned *ret_depth)
{
	const struct bundle_summary *summary = &arrival->front.summary;
	char parent[MOVE_NAME_SIZE];
	struct vhd_disk_create create = {
		.type = summary->full ? VHD_DYNAMIC : VHD_DIFFERENCING,
		.size = summary->disk_size,
		.timestamp = summary->image_timestamp,
		.reserve = summary->disk_size,
	};
	int rc = choose_names(arrival);

	*ret_depth = 0;
	if (!rc && !summary->full) {
		rc = choose_parent(arrival, parent, ret_depth);
		create.parent = parent;
		if (!rc && strcmp(parent, arrival->check->name) == 0) {
			create.parent_name = arrival->done.old_name;
		}
	}
	memcpy(create.uuid, summary->image_uuid, sizeof(create.uuid));
	rc = rc ? rc : move_import_forget(arrival->folder, arrival->check->name, arrival->why);
	return rc ? rc
		  : vhd_disk_create(arrival->folder, arrival->names.incoming, &create,
				    arrival->why);
}

static int copy_runs(struct move_arrival *arrival, const struct move_delta *delta)
{
	uint8_t *bytes = malloc((size_t)COPY_STEP * BUNDLE_SECTOR);
	struct layer *to = arrival->incoming.payload;
	int rc = bytes ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < delta->count; i++) {
		uint32_t left = delta->runs[i].count, at = delta->runs[i].sector;

		for (uint32_t n; !rc && left; left -= n, at += n) {
			uint64_t offset = (uint64_t)at * BUNDLE_SECTOR, size;

			n = left < COPY_STEP ? left : COPY_STEP;
			size = (uint64_t)n * BUNDLE_SECTOR;
			size = offset < to->size && size > to->size - offset ? to->size - offset
									     : size;
			rc = move_volume_read_payload(&arrival->base, at, n, bytes);
			if (!rc && offset < to->size) {
				rc = layer_write(to, bytes, (size_t)size, offset);
			}
		}
	}
	free(bytes);
	return rc;
}

/* Copies what the images above the lowest hold, as it lies in them. */
static int merge_chain(struct move_arrival *arrival, unsigned depth)
{
	struct move_delta delta = {.count = 0};
	struct vhd_disk_info info;
	struct layer *lowest;
	int rc;

	if (!depth) {
		return 0;
	}
	(void)vhd_disk_get_info(arrival->base.payload, depth, &info);
	rc = vhd_disk_open(arrival->folder, info.name, VHD_DISK_NO_LOCK, &lowest, arrival->why);
	if (rc < 0) {
		return rc;
	}
	rc = move_delta_find(arrival->folder, arrival->base.payload, lowest, depth, 0,
			     arrival->options->progress, &delta, arrival->why);
	rc = rc ? rc : copy_runs(arrival, &delta);
	move_delta_free(&delta);
	(void)!layer_close(lowest);
	return rc;
}

static int open_base(struct move_arrival *arrival)
{
	struct layer *payload;
	int rc;

	if (arrival->front.summary.full) {
		return 0;
	}
	rc = vhd_disk_open(arrival->folder, arrival->check->base, 0, &payload, arrival->why);
	if (rc < 0) {
		return rc;
	}
	rc = move_volume_open(payload, arrival->key, &arrival->base);
	if (rc < 0) {
		(void)!layer_close(payload);
	}
	return rc;
}

int move_arrival_prepare(struct move_arrival *arrival)
{
	const struct bundle_front *front = &arrival->front;
	unsigned depth = 0;
	int rc = open_base(arrival);

	if (rc < 0) {
		return rc;
	}
	if (arrival->check->frames_here) {
		rc = move_arriving_read(arrival->folder, arrival->names.progress, &arrival->done);
		return rc ? rc : open_incoming(arrival);
	}
	rc = create_incoming(arrival, &depth);
	rc = rc ? rc : open_incoming(arrival);
	rc = rc ? rc : merge_chain(arrival, depth);
	if (!rc && front->luks) {
		rc = layer_write(arrival->incoming.payload, front->luks, front->luks_size, 0);
	}
	return rc;
}

static int create_child(struct move_arrival *arrival)
{
	struct vhd_disk_create create = {
		.type = VHD_DIFFERENCING,
		.parent = arrival->names.incoming,
		.parent_name = arrival->done.state_name,
		.reserve = arrival->front.summary.disk_size,
	};
	int rc = folder_remove(arrival->folder, arrival->names.child);

	rc = rc == -ENOENT ? 0 : rc;
	return rc ? rc
		  : vhd_disk_create(arrival->folder, arrival->names.child, &create, arrival->why);
}

static int write_owner(struct move_arrival *arrival)
{
	const struct bundle_summary *summary = &arrival->front.summary;
	struct owner owner = {
		.state = OWNER_HERE,
		.epoch = summary->epoch,
		.time = (int64_t)time(NULL),
	};

	memcpy(owner.disk_id, summary->disk_id, sizeof(owner.disk_id));
	memcpy(owner.bundle_id, arrival->front.id, sizeof(owner.bundle_id));
	if (!summary->copy) {
		memcpy(owner.common_uuid, summary->image_uuid, sizeof(owner.common_uuid));
		memcpy(owner.common_name, arrival->done.state_name, sizeof(owner.common_name));
	}
	return owner_write_file(arrival->folder, arrival->names.owner, &owner, arrival->why);
}

/* The names of what goes along with an image. */
struct beside {
	char manifest[MOVE_NAME_SIZE + 16], old_manifest[MOVE_NAME_SIZE + 16];
	char owner[MOVE_NAME_SIZE + 16];
};

static struct vhd_journal_step replace(const char *from, const char *to)
{
	return (struct vhd_journal_step){.kind = VHD_JOURNAL_REPLACE, .name = from, .to = to};
}

int move_arrival_switch(struct move_arrival *arrival)
{
	const struct move_name *names = &arrival->names;
	const char *name = arrival->check->name;
	const char *old = arrival->done.old_name, *state = arrival->done.state_name;
	struct vhd_journal_step redo[6];
	struct vhd_journal *journal;
	struct beside beside;
	unsigned count = 0;
	int rc = create_child(arrival);

	rc = rc ? rc : write_owner(arrival);
	if (rc < 0) {
		return rc;
	}
	(void)snprintf(beside.manifest, sizeof(beside.manifest), "%s" MANIFEST_SUFFIX, name);
	(void)snprintf(beside.old_manifest, sizeof(beside.old_manifest), "%s" MANIFEST_SUFFIX, old);
	(void)snprintf(beside.owner, sizeof(beside.owner), "%s" OWNER_SUFFIX, name);
	if (*old) {
		redo[count++] = replace(beside.manifest, beside.old_manifest);
		redo[count++] = (struct vhd_journal_step){
			.kind = VHD_JOURNAL_SWAP, .name = name, .to = old, .from = names->child};
	} else {
		redo[count++] = replace(names->child, name);
	}
	redo[count++] = replace(names->incoming, state);
	redo[count++] = replace(names->owner, beside.owner);
	redo[count++] =
		(struct vhd_journal_step){.kind = VHD_JOURNAL_REMOVE, .name = names->progress};
	rc = vhd_journal_begin(arrival->folder, NULL, 0, redo, count, &journal, arrival->why);
	return rc ? rc : vhd_journal_decide(journal, arrival->why);
}

static void sign(struct json_object *object, const char *sign_key)
{
	const char *text = json_object_to_json_string(object);
	uint8_t signature[SIGNATURE_MAX];
	char hex[2 * SIGNATURE_MAX + 1];
	struct signer *signer;
	size_t size;

	if (!text || signer_create(sign_key, &signer, NULL) < 0) {
		return;
	}
	if (signer_sign(signer, text, strlen(text), signature, &size) == 0) {
		json_fields_put_text(object, "signature",
				     json_fields_hex_text(hex, signature, size));
	}
	signer_destroy(signer);
}

char *move_arrival_receipt(const struct move_arrival *arrival)
{
	const struct bundle_summary *summary = &arrival->front.summary;
	struct json_object *object = json_object_new_object();
	const char *text;
	char *copy;

	if (!object) {
		return NULL;
	}
	json_fields_put_text(object, "name", summary->name);
	json_fields_put_hex(object, "disk", summary->disk_id, sizeof(summary->disk_id));
	json_fields_put_u64(object, "epoch", summary->epoch);
	json_fields_put_hex(object, "bundle", arrival->front.id, sizeof(arrival->front.id));
	/* Only who opened the bundle knows it, and tells it only when all is applied. */
	json_fields_put_hex(object, "secret", arrival->keys.receipt, sizeof(arrival->keys.receipt));
	if (arrival->options->sign_key) {
		sign(object, arrival->options->sign_key);
	}
	text = json_object_to_json_string(object);
	copy = text ? strdup(text) : NULL;
	json_object_put(object);
	return copy;
}
