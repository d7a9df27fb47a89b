/* SPDX-License-Identifier: Apache-2.0 */
/* info: what an image is and what it stands on, as a picture. Needs no secret and no lock. */
#define _GNU_SOURCE

#include "luks.h"
#include "tool_disk.h"
#include "tool_draw.h"
#include "tool_facts.h"
#include "tool_size.h"
#include "tool_text.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *tool_type_word(int type)
{
	switch ((enum vhd_type)type) {
	case VHD_FIXED:
		return "fixed";
	case VHD_DYNAMIC:
		return "dynamic";
	case VHD_DIFFERENCING:
		return "differencing";
	}
	return "unknown";
}

struct info_chain {
	struct layer *layer;
	unsigned count;
	bool in_use;
	bool parents_missing; /* and the reason is in `why` */
	struct why why;
};

/* Opens as much of the chain as can be opened. */
static int open_chain(struct tool *tool, const struct tool_disk *disk, struct info_chain *chain)
{
	struct vhd_disk_info info;
	int rc = vhd_disk_open(disk->folder, disk->name, 0, &chain->layer, &chain->why);

	if (rc == -EAGAIN) {
		chain->in_use = true;
		chain->why.text[0] = '\0';
		rc = vhd_disk_open(disk->folder, disk->name, VHD_DISK_NO_LOCK, &chain->layer,
				   &chain->why);
	}
	if (rc == -ENOENT || rc == -ESTALE || rc == -ELOOP || rc == -EBADMSG) {
		int whole = rc;
		struct why why;

		rc = vhd_disk_open(disk->folder, disk->name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK,
				   &chain->layer, &why);
		chain->parents_missing = rc == 0;
		rc = rc ? whole : 0;
	}
	if (rc < 0) {
		tool->why = chain->why;
		return tool_fail(tool, rc, disk->name);
	}
	chain->count = vhd_disk_get_info(chain->layer, 0, &info);
	return TOOL_OK;
}

static struct json_object *image_json(const struct vhd_disk_info *info)
{
	struct json_object *object = json_object_new_object();
	char uuid[TOOL_UUID_TEXT], time_text[TOOL_TIME_TEXT], creator[16];

	tool_add_text(object, "file", info->name);
	tool_add_text(object, "type", tool_type_word(info->footer.type));
	tool_add_number(object, "size", info->footer.size);
	tool_add_number(object, "file_size", info->file_size);
	tool_add_number(object, "block_size", info->block_size);
	tool_add_number(object, "blocks", info->block_count);
	tool_add_number(object, "blocks_allocated", info->allocated_count);
	tool_add_text(object, "uuid", tool_uuid_text(uuid, info->footer.uuid));
	tool_add_text(object, "time", tool_time_text(time_text, info->footer.timestamp));
	tool_add_text(object, "creator", why_quote(creator, sizeof(creator), info->footer.creator));
	tool_add_flag(object, "clean", !info->was_unclean);
	if (info->footer.type == VHD_DIFFERENCING) {
		tool_add_text(object, "parent", info->parent_name);
		tool_add_text(object, "parent_uuid", tool_uuid_text(uuid, info->parent_uuid));
	}
	return object;
}

/* "dynamic, 12 of 10240 blocks (24.0 MiB), made 2026-11-21 20:43 UTC" */
static void image_words(const struct vhd_disk_info *info, char *ret_text, size_t size)
{
	char held[TOOL_SIZE_TEXT], time_text[TOOL_TIME_TEXT];
	int used = snprintf(ret_text, size, "%s", tool_type_word(info->footer.type));

	if (info->block_size) {
		uint64_t bytes = (uint64_t)info->allocated_count * info->block_size;

		used += snprintf(ret_text + used, size - (size_t)used, ", %u of %u blocks (%s)",
				 info->allocated_count, info->block_count,
				 tool_size_text(held, bytes));
	}
	snprintf(ret_text + used, size - (size_t)used, ", made %s%s",
		 tool_time_text(time_text, info->footer.timestamp),
		 info->was_unclean ? "; a power cut left something to put in order" : "");
}

static void show_image(const struct tool *tool, const struct vhd_disk_info *info, unsigned depth)
{
	char file_size[TOOL_SIZE_TEXT], words[200], name[256], branch[TOOL_DRAW_BRANCH];

	tool_text_clean(name, sizeof(name), info->name);
	image_words(info, words, sizeof(words));
	tool_print(tool, "%s%-*s %10s", tool_draw_branch(branch, depth, true),
		   depth * 3 < 40 ? (int)(44 - depth * 3) : 1, name,
		   tool_size_text(file_size, info->file_size));
	tool_print(tool, "%s%s", tool_draw_branch(branch, depth, false), words);
}

static void show_chain(struct tool *tool, const struct info_chain *chain)
{
	struct json_object *images = json_object_new_array();
	char branch[TOOL_DRAW_BRANCH];
	struct vhd_disk_info info;

	for (unsigned depth = 0; depth < chain->count; depth++) {
		vhd_disk_get_info(chain->layer, depth, &info);
		json_object_array_add(images, image_json(&info));
		show_image(tool, &info, depth);
	}
	json_object_object_add(tool->result, "chain", images);
	if (chain->parents_missing) {
		tool_print(tool, "%sMISSING: %s", tool_draw_branch(branch, chain->count, true),
			   chain->why.text);
		tool_add_text(tool->result, "chain_error", chain->why.text);
	}
}

/* Which parts of the disk hold data, as a strip of cells. */
static void show_map(const struct tool *tool, struct layer *layer)
{
	uint64_t held[TOOL_DRAW_CELLS] = {0}, offset = 0, size;
	char strip[TOOL_DRAW_STRIP];

	while (offset < layer->size) {
		unsigned extent;

		if (layer_extent(layer, offset, &size, &extent) < 0 || size == 0) {
			return;
		}
		if (!(extent & LAYER_ZERO)) {
			tool_draw_add(held, layer->size, offset, size);
		}
		offset += size;
	}
	tool_print(tool, "\n  %s", tool_draw_strip(strip, held, layer->size));
}

int tool_info(struct tool *tool, char **arguments, unsigned count)
{
	struct info_chain chain = {0};
	char size[TOOL_SIZE_TEXT];
	struct tool_disk disk;
	int code = tool_disk_find(tool, arguments[0], &disk);

	(void)count;
	if (code) {
		return code;
	}
	code = open_chain(tool, &disk, &chain);
	if (!code) {
		disk.top = chain.layer;
		tool_add_text(tool->result, "disk", disk.name);
		tool_add_flag(tool->result, "in_use", chain.in_use);
		tool_print(tool, "%s: a disk of %s%s\n", disk.name,
			   tool_size_text(size, chain.layer->size - tool_facts_header(chain.layer)),
			   chain.in_use ? ", in use" : "");
		show_chain(tool, &chain);
		if (!tool->json) {
			show_map(tool, chain.layer);
		}
		tool_print(tool, "%s", "");
		tool_facts_show(tool, disk.folder, disk.name, chain.layer);
		code = chain.parents_missing ? TOOL_DAMAGED : TOOL_OK;
	}
	return tool_disk_close(tool, &disk, code);
}
