/* SPDX-License-Identifier: Apache-2.0 */
/* Order: new image whole and empty, its header whole, data, flush, new name. The header is made
 * before the first data, so a copy whose header is not whole has none and is formatted again. */
#include "rekey.h"

#include "locked.h"
#include "owner.h"
#include "rekey_copy.h"
#include "vhd_children.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_HERE 256u

/* One side: the image, its area, its key in locked memory. */
struct side {
	struct rekey_area area;
	struct luks_segment segment;
	uint8_t *key;
};

static void side_close(struct side *side)
{
	xts_close(side->area.xts);
	locked_free(side->key, XTS_KEY_SIZE);
	(void)layer_close(side->area.layer);
	memset(side, 0, sizeof(*side));
}

static int side_unlock(struct side *side, const struct luks_secret *secret, const char *library,
		       struct why *why)
{
	int rc;

	side->key = locked_alloc(XTS_KEY_SIZE);
	if (!side->key) {
		return -ENOMEM;
	}
	rc = luks_unlock(side->area.layer, secret, side->key, &side->segment, why);
	rc = rc ? rc : xts_open(library, side->key, &side->area.xts);
	side->area.offset = side->segment.offset;
	side->area.sector_size = side->segment.sector_size;
	return rc;
}

/* A shared lock: others may read the image, nobody may write it. */
static int open_old(struct folder *folder, const char *name, const struct rekey *rekey,
		    struct side *old, struct why *why)
{
	bool there = false;
	int rc = vhd_disk_open(folder, name, 0, &old->area.layer, why);

	rc = rc ? rc : luks_is_there(old->area.layer, &there);
	if (rc) {
		return rc;
	}
	if (rekey->old) {
		return there ? side_unlock(old, rekey->old, rekey->library, why)
			     : why_set(why, -EINVAL, "%s is not encrypted; encrypt it first", name);
	}
	if (there) {
		return why_set(why, -EALREADY, "%s is encrypted already; change its key instead",
			       name);
	}
	old->segment.size = old->area.layer->size;
	return 0;
}

/* They would have no parent any more. */
static int refuse_children(struct folder *folder, const char *name, const struct side *old,
			   struct why *why)
{
	struct vhd_disk_info info;

	if (!vhd_disk_get_info(old->area.layer, 0, &info)) {
		return 0;
	}
	return vhd_children_refuse(folder, name, info.footer.uuid, name, why);
}

static uint64_t new_size(const struct side *old)
{
	uint64_t size = old->segment.size + LUKS_HEADER_SIZE;

	return (size + VHD_SIZE_STEP - 1) / VHD_SIZE_STEP * VHD_SIZE_STEP;
}

static int create_new(struct folder *folder, const char *name, const struct side *old,
		      struct why *why)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = new_size(old)};
	struct vhd_disk_info info;

	if (vhd_disk_get_info(old->area.layer, 0, &info) && info.footer.type == VHD_FIXED) {
		create.type = VHD_FIXED;
	}
	return vhd_disk_create(folder, name, &create, why);
}

/* Opens what an earlier run left, or a new one. What is damaged, or of another size, was left by
 * something else than a power cut and is of no use. */
static int open_new_image(struct folder *folder, const char *name, const struct rekey *rekey,
			  struct side *old, struct side *new, struct why *why)
{
	int rc = rekey->start_over ? folder_remove(folder, name) : 0;

	if (rc && rc != -ENOENT) {
		return rc;
	}
	rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &new->area.layer, why);
	if (rc == 0 && new->area.layer->size == new_size(old)) {
		return 0;
	}
	if (rc == 0) {
		(void)layer_close(new->area.layer);
		new->area.layer = NULL;
	}
	if (rc == 0 || rc == -EBADMSG || rc == -EINVAL) {
		rc = folder_remove(folder, name);
		rc = rc ? rc : folder_flush(folder);
	}
	if (rc == 0 || rc == -ENOENT) {
		rc = create_new(folder, name, old, why);
		rc = rc ? rc : vhd_disk_open(folder, name, VHD_DISK_WRITE, &new->area.layer, why);
	}
	return rc;
}

static int open_new(struct folder *folder, const char *name, const struct rekey *rekey,
		    struct side *old, struct side *new, struct why *why)
{
	struct luks_format format = {.secret = rekey->fresh,
				     .memory_kib = rekey->memory_kib,
				     .iterations = rekey->iterations,
				     .fast_for_tests = rekey->fast_for_tests};
	bool there = false;
	int rc = open_new_image(folder, name, rekey, old, new, why);

	rc = rc ? rc : luks_is_there(new->area.layer, &there);
	if (!rc && !there) {
		rc = luks_format(new->area.layer, &format, why);
	}
	rc = rc ? rc : side_unlock(new, &rekey->fresh, rekey->library, why);
	if (rc == -EPERM && there) {
		return why_set(why, rc,
			       "%s was begun with another new secret: give that one, or start "
			       "over",
			       name);
	}
	return rc;
}

static int copy(const struct rekey *rekey, struct side *old, struct side *new, struct why *why)
{
	uint64_t size = old->segment.size - old->segment.size % XTS_SECTOR;
	int rc;

	if (size != old->segment.size) {
		return why_set(why, -EOPNOTSUPP, "the encrypted area is no multiple of 4 KiB");
	}
	rc = rekey_copy(&old->area, &new->area, size, rekey->progress);
	if (rc == -ENOSPC) {
		return why_set(why, rc,
			       "no room for a second copy of the disk; make room and run this "
			       "again, it goes on where it was");
	}
	return rc;
}

int rekey_image(struct folder *folder, const char *name, const struct rekey *rekey, struct why *why)
{
	struct side old = {0}, new = {0};
	char temporary[NAME_MAX_HERE];
	int rc, n = snprintf(temporary, sizeof(temporary), "%s" REKEY_SUFFIX, name);

	if (n < 0 || (size_t)n >= sizeof(temporary)) {
		return why_set(why, -ENAMETOOLONG, "the name of the image is too long");
	}
	rc = vhd_journal_recover(folder, why);
	rc = rc ? rc : owner_check_write(folder, name, why);
	rc = rc ? rc : open_old(folder, name, rekey, &old, why);
	rc = rc ? rc : refuse_children(folder, name, &old, why);
	rc = rc ? rc : open_new(folder, temporary, rekey, &old, &new, why);
	rc = rc ? rc : copy(rekey, &old, &new, why);
	if (new.area.layer) {
		struct layer *layer = new.area.layer;
		int closed;

		new.area.layer = NULL;
		closed = layer_close(layer);
		rc = rc ? rc : closed;
	}
	rc = rc ? rc : folder_rename(folder, temporary, name);
	rc = rc ? rc : folder_flush(folder);
	side_close(&new);
	side_close(&old);
	return rc;
}
