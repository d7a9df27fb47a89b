/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the order in which layers are read: names of all layers first, then each layer's statements.
 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"

#define CONFIRM_SECONDS 120u

typedef int (*names_reader)(struct model_build *build, const struct text *text);

static int read_all(struct model_build *build, const struct text *const texts[TEXT_LAYERS],
		    names_reader reader)
{
	int ret = 0;

	build->before = -1;
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (texts[layer] == NULL) {
			continue;
		}
		build->layer = (enum text_layer)layer;
		if (reader(build, texts[layer]) != 0) {
			ret = -1;
		}
		build->before = (int)layer;
	}
	return ret;
}

/* Names first, because a rule may stand before the zone that it names. */
static int read_names(struct model_build *build, const struct text *const texts[TEXT_LAYERS])
{
	int ret = read_all(build, texts, model_read_partitions);

	ret |= read_all(build, texts, model_read_places);
	ret |= read_all(build, texts, model_read_groups);
	model_find_inner_zones(build->model);
	return ret | read_all(build, texts, model_read_carries);
}

static int read_confirm(struct model_build *build, const struct text_statement *statement)
{
	struct model_origin *origin = &build->confirm;
	bool replace = build->before < 0 || model_replaces(build, origin);

	if (!replace && statement->number > build->model->confirm_seconds) {
		diag_add(build->diags, DIAG_ERROR, statement->pos,
			 "a later layer may only give less time",
			 "the time to confirm was fixed at %llu s",
			 (unsigned long long)build->model->confirm_seconds);
		return -1;
	}
	build->model->confirm_seconds = statement->number;
	*origin = model_origin_here(build, statement, replace);
	return 0;
}

static int read_iommu(struct model_build *build, const struct text_statement *statement)
{
	struct model_origin *origin = &build->iommu;
	bool replace = build->before < 0 || model_replaces(build, origin);

	if (!replace && build->model->iommu_required && statement->number == 0) {
		diag_add(build->diags, DIAG_ERROR, statement->pos, "leave this line out",
			 "an earlier layer requires an IOMMU");
		return -1;
	}
	build->model->iommu_required = statement->number != 0;
	*origin = model_origin_here(build, statement, replace);
	return 0;
}

/* Properties and rights: what rules of the same layer lean on. */
static int read_partitions_of(struct model_build *build, const struct text *text)
{
	int part = -1;
	int ret = 0;

	for (size_t i = 0; i < text->count; i++) {
		const struct text_statement *statement = &text->statement[i];

		if (statement->type == TEXT_PARTITION) {
			part = model_find(build->model, statement->name.name);
			if (part >= (int)build->model->part_count) {
				part = -1;
			}
		} else if (statement->type == TEXT_VALUE && part >= 0 &&
			   model_read_value(build, (uint32_t)part, statement) != 0) {
			ret = -1;
		}
	}
	model_fill_defaults(build);
	for (uint32_t i = 0; i < build->model->part_count; i++) {
		if (build->part_layer[i] == (uint32_t)build->layer) {
			model_class_rights(build, i, -1, true);
		}
	}
	return ret;
}

static int read_statement(struct model_build *build, const struct text_statement *statement)
{
	switch (statement->type) {
	case TEXT_RULE:
		return model_read_rule(build, statement);
	case TEXT_MAY:
		return model_read_may(build, statement);
	case TEXT_ASSERT:
		return model_read_claim(build, statement);
	case TEXT_CONFIRM:
		return read_confirm(build, statement);
	case TEXT_IOMMU:
		return read_iommu(build, statement);
	default:
		return 0;
	}
}

static int read_layer(struct model_build *build, const struct text *text)
{
	struct model *model = build->model;
	int ret = read_partitions_of(build, text);

	model->has_layer[build->layer] = true;
	model->version[build->layer] = text->version;
	for (size_t i = 0; i < text->count; i++) {
		if (read_statement(build, &text->statement[i]) != 0) {
			ret = -1;
		}
	}
	return ret;
}

static int read_layers(struct model_build *build, const struct text *const texts[TEXT_LAYERS])
{
	int ret = 0;

	build->before = -1;
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		build->model->rule_first[layer] = build->model->rule_count;
		if (texts[layer] == NULL) {
			continue;
		}
		build->layer = (enum text_layer)layer;
		if (read_layer(build, texts[layer]) != 0) {
			ret = -1;
		}
		build->before = (int)layer;
	}
	build->model->rule_first[TEXT_LAYERS] = build->model->rule_count;
	return ret;
}

/* The control partition is there before anybody speaks of it; the first layer declares it. */
static void init(struct model_build *build, const struct text *const texts[TEXT_LAYERS])
{
	struct model *model = build->model;

	model->node_count = model->part_count = 1;
	strcpy(model->node[MODEL_CONTROL].name, "control");
	model->node[MODEL_CONTROL].type = MODEL_PART;
	model->confirm_seconds = CONFIRM_SECONDS;
	for (unsigned int layer = TEXT_LAYERS; layer-- > 0;) {
		if (texts[layer] != NULL) {
			build->part_layer[MODEL_CONTROL] = layer;
			model->node[MODEL_CONTROL].origin.layer = (enum text_layer)layer;
			if (texts[layer]->count > 0) {
				model->node[MODEL_CONTROL].origin.pos =
					texts[layer]->statement[0].pos;
			}
		}
	}
}

static void note_openings(struct model_build *build, const struct text *const texts[TEXT_LAYERS])
{
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		for (size_t i = 0; texts[layer] != NULL && i < texts[layer]->count; i++) {
			if (texts[layer]->statement[i].type == TEXT_OPEN) {
				build->parts_open[layer] = true;
			}
		}
	}
}

int model_build(const struct text *const texts[TEXT_LAYERS], struct diag_list *diags,
		struct model *ret_model)
{
	struct model *model = calloc(1, sizeof(*model));
	struct model_build *build = calloc(1, sizeof(*build));
	int ret = -1;

	if (model != NULL && build != NULL) {
		build->model = model;
		build->diags = diags;
		init(build, texts);
		note_openings(build, texts);
		ret = read_names(build, texts);
		/* With a name missing each use of it would be an error more. */
		if (ret == 0) {
			ret = read_layers(build, texts) | model_check_ids(build);
			ret |= ret == 0 ? model_check_keys(build) : 0;
		}
	} else {
		diag_add(diags, DIAG_ERROR, (struct diag_pos){0}, NULL, "out of memory");
	}
	if (build != NULL) {
		free(build->group);
	}
	free(build);
	if (ret == 0) {
		*ret_model = *model;
	} else if (model != NULL) {
		model_fini(model);
	}
	free(model);
	return ret == 0 ? 0 : -1;
}

void model_fini(struct model *model)
{
	free(model->rule);
	free(model->claim);
	model->rule = NULL;
	model->claim = NULL;
	model->rule_count = model->claim_count = 0;
}
