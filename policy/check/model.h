/* SPDX-License-Identifier: Apache-2.0 */
/** The meaning of up to three layers: names resolved, keys layered, each value with its origin.
 *
 *  Nodes are what data can be in: control, the partitions, device roles, network zones. Node 0 is
 * the control partition; partitions follow in order of first mention and keep their number as
 * partition id.
 *
 *  A key's value: the first layer that gives it sets it. A later layer replaces it at will when the
 * layer that gave it (the last one that did) said `default` and is the layer just before; else it
 * may only tighten it (model_key_tightens), and anything else is an error that names both places.
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include "text.h"

#define MODEL_PARTS_MAX 16u /* BH_PART_MAX, control included */
#define MODEL_NODES_MAX 64u
#define MODEL_DISKS_MAX 4u /* per partition */
#define MODEL_CONTROL	0u

typedef uint64_t model_set; /* bit n: node n */

enum model_node_type { MODEL_PART, MODEL_ROLE, MODEL_ZONE };

struct model_origin {
	enum text_layer layer;
	struct diag_pos pos; /* line 0: built in */
	bool open;	     /* given with `default` */
};

struct model_node {
	char name[TEXT_NAME_SIZE];
	enum model_node_type type;
	struct model_origin origin;
	const struct text_role *role;
	const struct text_zone *zone;
	model_set
		carries; /* zones only: zones that data reaches from here outside of the machine */
};

struct model_disk {
	const char *file;
	uint32_t flags; /* enum text_disk */
	struct model_origin origin;
};

/** One property; which fields count depends on the key (text.h). */
struct model_value {
	bool given;
	uint64_t number, number2; /* number: for owns and after the same bits as nodes */
	const char *string;
	model_set nodes;
	struct model_origin origin;
};

struct model_part {
	struct model_value key[TEXT_KEYS]; /* TEXT_DISK apart */
	struct model_disk disk[MODEL_DISKS_MAX];
	uint32_t disk_count;
};

struct model_rule {
	const struct text_rule *text;
	model_set from, to;
	enum text_layer layer;
	bool open;
	struct diag_pos pos;
};

/** Rights of a person over a partition, with the statement that gave or took each. */
struct model_right {
	uint32_t actions, keys;
};

struct model_assert {
	const struct text_assert *text;
	model_set from, to;
	enum text_layer layer;
	struct diag_pos pos;
};

struct model {
	bool has_layer[TEXT_LAYERS];
	uint64_t version[TEXT_LAYERS];
	struct model_node node[MODEL_NODES_MAX];
	uint32_t node_count, part_count; /* nodes 0..part_count - 1 are partitions */
	/* [layer][zone]: zones of later layers that take addresses out of it, as this layer sees it
	 */
	model_set inner[TEXT_LAYERS][MODEL_NODES_MAX];
	struct model_part part[MODEL_PARTS_MAX];
	struct model_right right[TEXT_PERSONS][MODEL_PARTS_MAX];
	struct model_rule *rule; /* by layer, then in order of the text */
	uint32_t rule_count;
	uint32_t rule_first[TEXT_LAYERS + 1]; /* layer l: rule_first[l] .. rule_first[l + 1] - 1 */
	struct model_assert *claim;
	uint32_t claim_count;
	uint64_t confirm_seconds;
	bool iommu_required;
};

/** texts[layer] NULL: there is no such layer. The texts must outlive the model. Returns 0, or -1
 * with at least one error in `diags`; then nothing is left in *ret_model. `any` in a rule is every
 * node that can stand there for that kind, control only for input and display. */
int model_build(const struct text *const texts[TEXT_LAYERS], struct diag_list *diags,
		struct model *ret_model);
void model_fini(struct model *model);
/** Index of a node, or -1. */
int model_find(const struct model *model, const char *name);
/** Whether a later layer may set `to` where a fixed `from` stands. Pure. */
bool model_key_tightens(enum text_key key, uint64_t from, uint64_t to);
/** Nodes that may stand as `from` and `to` of a rule of this kind. */
void model_kind_ends(const struct model *model, enum text_kind kind, model_set *ret_from,
		     model_set *ret_to);

#endif
