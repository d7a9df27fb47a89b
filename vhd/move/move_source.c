/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the disk, its key and the state that the target has. */
#include "move_source.h"
#include "bundle_io.h"
#include "bundle_seal.h"
#include "locked.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_owner(struct move_source *source, struct why *why)
{
	int rc = owner_read(source->folder, source->name, &source->owner, why);

	if (rc != -ENOENT) {
		return rc;
	}
	return bundle_seal_random(source->owner.disk_id, sizeof(source->owner.disk_id));
}

static int unlock(struct move_source *source, struct layer *payload,
		  const struct luks_secret *secret, struct why *why)
{
	struct luks_segment *segment = &source->key->segment;
	bool there;
	int rc = luks_is_there(payload, &there);

	if (rc < 0) {
		return rc;
	}
	if (!secret) {
		return why_set(why, -ENOKEY,
			       there ? "%s is encrypted: give its passphrase"
				     : "%s is not encrypted: give a passphrase for the bundle",
			       source->name);
	}
	if (!there) {
		return 0;
	}
	rc = luks_unlock(payload, secret, source->key->bytes, segment, why);
	if (!rc && (segment->offset % BUNDLE_SECTOR || segment->offset > (16u << 20))) {
		rc = why_set(why, -EOPNOTSUPP, "the encrypted area of %s begins at %llu: not moved",
			     source->name, (unsigned long long)segment->offset);
	}
	source->key->is_there = !rc;
	return rc;
}

/* The depth of the image of that name in the chain, or 0. */
static unsigned depth_of(struct layer *top, const char *name)
{
	struct vhd_disk_info info;

	for (unsigned i = 1; i < vhd_disk_get_info(top, i, &info); i++) {
		if (strcmp(info.name, name) == 0) {
			return i;
		}
	}
	return 0;
}

/* After an export that was cut off behind its tombstone, the common state is the one before. */
static const char *common_name(const struct owner *owner)
{
	return owner->state == OWNER_MOVED ? owner->before_name : owner->common_name;
}

static int choose_base(struct move_source *source, struct layer *top,
		       const struct move_export_options *options, struct why *why)
{
	struct vhd_disk_info info;
	unsigned count = vhd_disk_get_info(top, 0, &info);

	if (options->full) {
		return 0;
	}
	if (options->base) {
		source->depth = depth_of(top, options->base);
		return source->depth
			       ? 0
			       : why_set(why, -ENOENT,
					 "%s is not among the parents of %s: name one that is, "
					 "or export all of it",
					 options->base, source->name);
	}
	source->depth =
		*common_name(&source->owner) ? depth_of(top, common_name(&source->owner)) : 0;
	if (!source->depth) {
		source->depth = count - 1; /* 0: no parents */
	}
	return 0;
}

static int open_base(struct move_source *source, struct layer *top, struct why *why)
{
	struct vhd_disk_info info;
	struct layer *base;
	int rc, n;

	if (!source->depth) {
		return 0;
	}
	(void)vhd_disk_get_info(top, source->depth, &info);
	n = snprintf(source->base_name, sizeof(source->base_name), "%s", info.name);
	if (n < 0 || n >= (int)sizeof(source->base_name)) {
		return why_set(why, -ENAMETOOLONG, "the name of the base is too long");
	}
	memcpy(source->base_uuid, info.footer.uuid, sizeof(source->base_uuid));
	rc = vhd_disk_open(source->folder, source->base_name, VHD_DISK_NO_LOCK, &base, why);
	if (rc < 0) {
		return rc;
	}
	rc = move_volume_open(base, source->key, &source->base);
	if (rc < 0) {
		(void)!layer_close(base);
	}
	return rc;
}

static int read_luks(struct move_source *source)
{
	uint32_t size = source->volume.luks_size;
	uint8_t *other;
	int rc;

	if (!size) {
		return 0;
	}
	source->luks = malloc(size);
	other = malloc(size);
	rc = source->luks && other ? move_volume_read_payload(&source->volume, 0,
							      size / BUNDLE_SECTOR, source->luks)
				   : -ENOMEM;
	if (!rc && source->base.payload) {
		rc = move_volume_read_payload(&source->base, 0, size / BUNDLE_SECTOR, other);
		source->luks_in_base = !rc && memcmp(source->luks, other, size) == 0;
	}
	free(other);
	return rc;
}

static int open_volume(struct move_source *source, const struct move_export_options *options,
		       struct why *why)
{
	struct layer *top;
	int rc = vhd_journal_recover(source->folder, why);

	rc = rc ? rc : vhd_disk_open(source->folder, source->name, 0, &top, why);
	if (rc < 0) {
		return rc;
	}
	rc = unlock(source, top, options->secret, why);
	rc = rc ? rc : choose_base(source, top, options, why);
	rc = rc ? rc : move_volume_open(top, source->key, &source->volume);
	if (rc < 0) {
		(void)!layer_close(top);
		return rc;
	}
	rc = open_base(source, top, why);
	return rc ? rc : read_luks(source);
}

int move_source_open(struct folder *folder, const char *name,
		     const struct move_export_options *options, struct move_source *ret_source,
		     struct why *why)
{
	int rc;

	memset(ret_source, 0, sizeof(*ret_source));
	ret_source->folder = folder;
	ret_source->name = name;
	ret_source->key = locked_alloc(sizeof(*ret_source->key));
	rc = ret_source->key ? read_owner(ret_source, why) : -ENOMEM;
	rc = rc ? rc : open_volume(ret_source, options, why);
	if (rc < 0) {
		move_source_close(ret_source);
	}
	return rc;
}

void move_source_close(struct move_source *source)
{
	(void)!move_volume_close(&source->base);
	(void)!move_volume_close(&source->volume);
	locked_free(source->key, sizeof(*source->key));
	free(source->luks);
	memset(source, 0, sizeof(*source));
}
