/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of emit share while a table is made. */
#ifndef POLICY_EMIT_PRIVATE_H
#define POLICY_EMIT_PRIVATE_H

#include "emit.h"
#include "emit_buffer.h"
#include "table.h"

/** Sections of the daemons' part, in their order. */
enum emit_section {
	EMIT_NODE,
	EMIT_PART,
	EMIT_RIGHT,
	EMIT_DISK,
	EMIT_MATCH,
	EMIT_PREFIX,
	EMIT_LIMIT,
	EMIT_ROW,
	EMIT_RUN,
	EMIT_RULE,
	EMIT_CELL,
	EMIT_STRING,
};
#define EMIT_SECTIONS 12u

struct emit {
	const struct model *model;
	const struct cells *cells;
	const struct source_set *sources;
	const struct emit_module *module;
	uint32_t module_count;
	uint64_t serial;
	struct diag_list *diags;
	struct emit_buffer root;
	struct emit_buffer section[EMIT_SECTIONS];
};

/** Each adds to its buffers. Returns 0, or -1 after an error in emit->diags; -ENOMEM. */
int emit_root(struct emit *emit);
int emit_nodes(struct emit *emit);
int emit_parts(struct emit *emit);
int emit_rules(struct emit *emit);
int emit_cells(struct emit *emit);

/** The number of a key, 0 where nothing gives one. */
uint64_t emit_number(const struct model *model, uint32_t part, enum text_key key);

#endif
