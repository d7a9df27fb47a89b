/* SPDX-License-Identifier: Apache-2.0 */
/* Owns opening a disk: the top image, then its parents by the names that each image has for the
 * next one, as long as their UUIDs fit. */
#define _GNU_SOURCE

#include "vhd_chain.h"
#include "vhd_parent.h"
#include "vhd_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Entries of all block tables of a chain: 16 disks of 2040 GiB. Four bytes each in memory. */
#define ENTRIES_MAX (17u << 20)

static bool is_in_chain(const struct vhd_chain *chain, const uint8_t uuid[16])
{
	for (unsigned i = 0; i < chain->depth; i++) {
		if (memcmp(chain->images[i]->footer.uuid, uuid, 16) == 0) {
			return true;
		}
	}
	return false;
}

static int refuse(const struct vhd_image *image, struct why *why, int error, const char *what)
{
	char quoted[64];

	why_set(why, error, "%s", what);
	return why_prefix(why, error, why_quote(quoted, sizeof(quoted), image->name));
}

/* The parent's timestamp is not compared: copying a file changes it. */
static int open_candidate(struct vhd_chain *chain, struct folder *folder, const char *name,
			  unsigned flags, struct why *why)
{
	struct vhd_image *child = chain->images[chain->depth - 1];
	struct vhd_image *parent;
	int rc = vhd_image_open(folder, name, flags, &parent, why);

	if (rc < 0) {
		return rc;
	}
	if (memcmp(parent->footer.uuid, child->header.parent_uuid, 16) != 0) {
		vhd_image_free(parent);
		return refuse(child, why, -ESTALE,
			      "its parent was replaced or changed: put the one back that it was "
			      "made from");
	}
	chain->images[chain->depth++] = parent;
	return 0;
}

/* Under a name that only Windows would take for the same. The reason stays when there is none. */
static int open_other_spelling(struct vhd_chain *chain, struct folder *folder, unsigned flags,
			       const struct vhd_parent_names *names, struct why *why)
{
	char name[VHD_NAME_SIZE];

	if (vhd_parent_find_spelling(folder, names, name) < 0) {
		return -ENOENT;
	}
	return open_candidate(chain, folder, name, flags, why);
}

/* Which error tells most: a file that is there and wrong, before one that is not there. */
static int open_parent(struct vhd_chain *chain, struct folder *folder, unsigned flags,
		       struct why *why)
{
	struct vhd_image *child = chain->images[chain->depth - 1];
	struct vhd_parent_names names;
	int rc = -ENOENT;

	if (chain->depth == VHD_DEPTH_MAX) {
		return refuse(child, why, -ELOOP,
			      "the chain of its parents is too long: merge some of them");
	}
	if (is_in_chain(chain, child->header.parent_uuid)) {
		return refuse(child, why, -ELOOP, "its parents lead back to it: rebase it");
	}
	vhd_parent_list_names(child->file, &child->header, &names);
	why_set(why, rc, "its parent is missing: put it into the same folder");
	for (unsigned i = 0; i < names.count; i++) {
		struct why reason = {{0}};
		int error = open_candidate(chain, folder, names.names[i], flags, &reason);

		if (!error) {
			return 0;
		}
		if (rc == -ENOENT) {
			rc = error;
			if (why) {
				*why = reason;
			}
		}
	}
	return rc == -ENOENT ? open_other_spelling(chain, folder, flags, &names, why) : rc;
}

/* Only when all images are there and fit together: that was cheap to find out. */
static int load_tables(struct vhd_chain *chain, struct why *why)
{
	uint64_t entries = 0;
	int rc = 0;

	for (unsigned i = 0; i < chain->depth; i++) {
		entries += chain->images[i]->block_count;
	}
	if (entries > ENTRIES_MAX) {
		return refuse(chain->images[0], why, -ELOOP,
			      "its parents are too many for their size: merge some of them");
	}
	for (unsigned i = 0; !rc && i < chain->depth; i++) {
		rc = vhd_image_load(chain->images[i], why);
	}
	return rc;
}

static int open_chain(struct vhd_chain *chain, struct folder *folder, const char *name,
		      unsigned flags, struct why *why)
{
	unsigned lock = flags & VHD_DISK_NO_LOCK ? VHD_IMAGE_NO_LOCK : 0;
	unsigned top = lock | (flags & VHD_DISK_WRITE ? VHD_IMAGE_WRITE : 0);
	char quoted[64];
	int rc = vhd_image_open(folder, name, top, &chain->images[0], why);

	if (rc < 0) {
		return rc;
	}
	chain->depth = 1;
	while (!rc && !(flags & VHD_DISK_TOP_ONLY) &&
	       chain->images[chain->depth - 1]->footer.type == VHD_DIFFERENCING) {
		rc = open_parent(chain, folder, lock, why);
	}
	rc = rc ? rc : load_tables(chain, why);
	if (!rc && flags & VHD_DISK_WRITE) {
		rc = vhd_image_check_names(chain->images[0], why);
		if (rc < 0) {
			return why_prefix(why, rc, why_quote(quoted, sizeof(quoted), name));
		}
		rc = vhd_room_settle(chain->images[0]);
		if (rc < 0) {
			return refuse(chain->images[0], why, rc,
				      "cannot put in order what a power cut left in it");
		}
	}
	return rc;
}

int vhd_disk_open(struct folder *folder, const char *name, unsigned flags, struct layer **ret_layer,
		  struct why *why)
{
	struct vhd_chain *chain = calloc(1, sizeof(*chain));
	int rc = chain ? open_chain(chain, folder, name, flags, why) : -ENOMEM;

	if (rc < 0) {
		for (unsigned i = 0; chain && i < chain->depth; i++) {
			vhd_image_free(chain->images[i]);
		}
		free(chain);
		return rc;
	}
	chain->layer.ops = &vhd_chain_ops;
	chain->layer.size = chain->images[0]->footer.size;
	chain->layer.block_size =
		vhd_image_is_fixed(chain->images[0]) ? LAYER_SECTOR : VHD_BITMAP_GRAIN;
	chain->layer.read_only = !(flags & VHD_DISK_WRITE);
	if (why) {
		why->text[0] = 0; /* names that were tried in vain */
	}
	*ret_layer = &chain->layer;
	return 0;
}

/* The name as the image spells it: of its header, else of a locator. */
static const char *parent_name_of(struct vhd_image *image)
{
	if (!image->header.parent_name[0]) {
		struct vhd_parent_names names;

		vhd_parent_list_names(image->file, &image->header, &names);
		if (names.count) {
			strcpy(image->header.parent_name, names.names[0]);
		}
	}
	return image->header.parent_name[0] ? image->header.parent_name : NULL;
}

unsigned vhd_disk_get_info(const struct layer *layer, unsigned depth,
			   struct vhd_disk_info *ret_info)
{
	const struct vhd_chain *chain = (const struct vhd_chain *)layer;
	struct vhd_image *image;

	if (depth >= chain->depth) {
		return chain->depth;
	}
	image = chain->images[depth];
	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->name = image->name;
	ret_info->footer = image->footer;
	if (file_get_size(image->file, &ret_info->file_size) < 0) {
		ret_info->file_size = image->file_size;
	}
	ret_info->block_size = image->header.block_size;
	ret_info->block_count = image->bat.count;
	ret_info->allocated_count = image->bat.used_count;
	ret_info->was_unclean = image->unclean;
	if (image->footer.type == VHD_DIFFERENCING) {
		memcpy(ret_info->parent_uuid, image->header.parent_uuid, 16);
		ret_info->parent_name = parent_name_of(image);
	}
	return chain->depth;
}

int vhd_disk_find(struct layer *layer, uint64_t offset, uint64_t *ret_size, bool *ret_present)
{
	struct vhd_extent extent;
	int rc;

	if (offset % LAYER_SECTOR || offset >= layer->size) {
		return -EINVAL;
	}
	rc = vhd_image_find(vhd_chain_of(layer)->images[0], offset, layer->size - offset, &extent);
	if (!rc) {
		*ret_size = extent.size;
		*ret_present = extent.present;
	}
	return rc;
}
