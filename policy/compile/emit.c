/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the joining of sections and the seal over them. What comes out has been opened once by its
 * reader: a table that a daemon would refuse leaves no compiler. */
#include "emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "emit_private.h"
#include "table_check.h"

_Static_assert(TEXT_KINDS == TABLE_KINDS && TEXT_PERSONS == TABLE_PERSONS &&
		       TEXT_LAYERS == TABLE_LAYERS && MODEL_NODES_MAX == TABLE_NODES_MAX &&
		       MODEL_PARTS_MAX == BH_PART_MAX && MODEL_DISKS_MAX == TABLE_DISKS_MAX,
	       "what there can be");
_Static_assert((int)MODEL_PART == TABLE_PART && (int)MODEL_ROLE == TABLE_ROLE &&
		       (int)MODEL_ZONE == TABLE_ZONE,
	       "types of nodes");

static uint32_t count_of(const struct emit *emit, enum emit_section section, size_t size)
{
	return (uint32_t)(emit->section[section].size / size);
}

static struct table_head make_head(const struct emit *emit, size_t size)
{
	struct table_head head = {
		.magic = TABLE_MAGIC,
		.size = (uint32_t)size,
		.node_count = emit->model->node_count,
		.part_count = emit->model->part_count,
		.kind_count = TABLE_KINDS,
		.disk_count = count_of(emit, EMIT_DISK, sizeof(struct table_disk)),
		.match_count = count_of(emit, EMIT_MATCH, sizeof(struct table_match)),
		.prefix_count = count_of(emit, EMIT_PREFIX, sizeof(struct table_prefix)),
		.limit_count = count_of(emit, EMIT_LIMIT, sizeof(struct table_limit)),
		.row_count = count_of(emit, EMIT_ROW, sizeof(struct table_row)),
		.rule_count = count_of(emit, EMIT_RULE, sizeof(struct table_rule)),
		.run_count = count_of(emit, EMIT_RUN, sizeof(struct table_run)),
		.string_size = count_of(emit, EMIT_STRING, 1),
		.confirm_seconds = (uint32_t)emit->model->confirm_seconds,
	};

	for (uint32_t layer = 0; layer < TEXT_LAYERS; layer++) {
		if (emit->model->has_layer[layer]) {
			head.layers |= 1u << layer;
			head.version[layer] = emit->model->version[layer];
		}
	}
	return head;
}

static int seal(uint8_t *bytes, size_t size)
{
	struct bh_policy *root = (void *)bytes;

	root->file_size = (uint32_t)size;
	root->rest_crc32c = checksum_crc32c(0, bytes + root->size, size - root->size);
	if (table_check_hash(bytes, size, root->hash) != 0) {
		return -1;
	}
	root->crc32c = checksum_crc32c(0, bytes, root->size);
	return 0;
}

static int fail(const struct emit *emit, const char *hint, const char *what, const char *why)
{
	diag_add(emit->diags, DIAG_ERROR, (struct diag_pos){0}, hint, "%s%s", what, why);
	return -1;
}

static int join(const struct emit *emit, void **ret_bytes, size_t *ret_size)
{
	size_t size = sizeof(struct table_head);
	struct table_head head;
	struct table table;
	const char *why = "its hash cannot be made";
	uint8_t *bytes;

	for (uint32_t i = 0; i < EMIT_SECTIONS; i++) {
		size += emit->section[i].size;
	}
	if (emit->root.size + size > TABLE_SIZE_MAX) {
		return fail(emit, "let fewer rules name ports, or name ranges of them",
			    "the table would be larger than 64 MiB", "");
	}
	bytes = malloc(emit->root.size + size);
	if (bytes == NULL) {
		return -ENOMEM;
	}
	head = make_head(emit, size);
	memcpy(bytes, emit->root.bytes, emit->root.size);
	size = emit->root.size;
	memcpy(bytes + size, &head, sizeof(head));
	size += sizeof(head);
	for (uint32_t i = 0; i < EMIT_SECTIONS; i++) {
		if (emit->section[i].size > 0) {
			memcpy(bytes + size, emit->section[i].bytes, emit->section[i].size);
			size += emit->section[i].size;
		}
	}
	if (seal(bytes, size) != 0 || table_open(bytes, size, &table, &why) != 0) {
		free(bytes);
		return fail(emit, "change what it speaks of", "the table would be refused: ", why);
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int make_sections(struct emit *emit)
{
	static int (*const makers[])(struct emit * emit) = {emit_root, emit_nodes, emit_parts,
							    emit_rules, emit_cells};
	const size_t errors = emit->diags->error_count;
	bool failed;

	/* The first string is the empty one. */
	(void)emit_buffer_add_string(&emit->section[EMIT_STRING], "");
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (makers[i](emit) == -ENOMEM) {
			return -ENOMEM;
		}
	}
	failed = emit->root.failed;
	for (uint32_t i = 0; i < EMIT_SECTIONS; i++) {
		failed = failed || emit->section[i].failed;
	}
	if (emit->diags->error_count != errors) {
		return -1;
	}
	return failed ? -ENOMEM : 0;
}

int emit_table(const struct model *model, const struct cells *cells,
	       const struct source_set *sources, uint64_t serial, const struct emit_module *modules,
	       uint32_t module_count, struct diag_list *diags, void **ret_bytes, size_t *ret_size)
{
	struct emit emit = {
		.model = model,
		.cells = cells,
		.sources = sources,
		.module = modules,
		.module_count = module_count,
		.serial = serial,
		.diags = diags,
	};
	int err = make_sections(&emit);

	if (err == 0) {
		err = join(&emit, ret_bytes, ret_size);
	}
	emit_buffer_fini(&emit.root);
	for (uint32_t i = 0; i < EMIT_SECTIONS; i++) {
		emit_buffer_fini(&emit.section[i]);
	}
	return err;
}
