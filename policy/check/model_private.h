/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the model share while it is being built. */
#ifndef POLICY_MODEL_PRIVATE_H
#define POLICY_MODEL_PRIVATE_H

#include "model.h"

#define MODEL_GROUPS_MAX 256u /* each name is looked up among them */

/** A group: a name for nodes. */
struct model_group {
	const struct text_name *name;
	model_set nodes;
	enum text_layer layer;
};

struct model_build {
	struct model *model;
	struct diag_list *diags;
	struct model_group *group;
	uint32_t group_count;
	enum text_layer layer; /* the one being read */
	int before;	       /* the layer just before that is there, -1: this is the first one */
	bool parts_open[TEXT_LAYERS]; /* said `default partitions` */
	/* Bits that this layer and the one before named with `default`. */
	uint32_t right_open[TEXT_LAYERS][TEXT_PERSONS][MODEL_PARTS_MAX];
	uint32_t change_open[TEXT_LAYERS][TEXT_PERSONS][MODEL_PARTS_MAX];
	uint32_t part_layer[MODEL_PARTS_MAX];	       /* that declared it */
	bool disks_open[TEXT_LAYERS][MODEL_PARTS_MAX]; /* this layer may add some */
	struct model_origin confirm, iommu;
};

#define MODEL_NONE UINT32_MAX

/* model_node.c */
/** Declares partitions, roles, zones and groups of one layer's text. 0 or -1. */
int model_read_partitions(struct model_build *build, const struct text *text);
int model_read_places(struct model_build *build, const struct text *text);
int model_read_groups(struct model_build *build, const struct text *text);
int model_read_carries(struct model_build *build, const struct text *text);
/** Nodes of one name: a node, or a group. 0 or -1 after an error. */
int model_resolve(struct model_build *build, const struct text_name *name, model_set *ret_nodes);
/** Finds for each layer which zones lie inside which, once all zones are known. */
void model_find_inner_zones(struct model *model);
/** Zones of later layers that take addresses out of these ones, added. `layer`: of the rule that
 * names them. */
model_set model_with_inner_zones(const struct model *model, model_set nodes, enum text_layer layer);
/** Error "no such NAME" with the nearest known name as a hint. */
void model_unknown(struct model_build *build, const struct text_name *name, const char *what);

/* model_key.c */
/** Whether this layer may put anything in the place of what `origin` gave. */
bool model_replaces(const struct model_build *build, const struct model_origin *origin);
/** Origin of a statement; free: it stands where the layer may say anything. Else its `default`
 * would open what an earlier layer fixed: it opens nothing, with a warning. */
struct model_origin model_origin_here(struct model_build *build,
				      const struct text_statement *statement, bool free);
int model_read_value(struct model_build *build, uint32_t part,
		     const struct text_statement *statement);
/** After a layer: what it left unsaid about partitions that it declares stands at its default. */
void model_fill_defaults(struct model_build *build);
/** After the last layer: what must be said is said. */
int model_check_keys(struct model_build *build);

/* model_right.c */
/** Rights of a partition that the layer declares or whose class it changes; was: class before, -1:
 * none. */
void model_class_rights(struct model_build *build, uint32_t part, int was, bool replaced);
int model_read_may(struct model_build *build, const struct text_statement *statement);

/* model_rule.c */
int model_read_rule(struct model_build *build, const struct text_statement *statement);
int model_read_claim(struct model_build *build, const struct text_statement *statement);
/** Rule ids are used once over all layers. */
int model_check_ids(struct model_build *build);

#endif
