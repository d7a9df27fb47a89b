/* SPDX-License-Identifier: Apache-2.0 */
/* Models of policies made by hand. */
#include "made_model.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static uint32_t add_node(struct made_model *made, const char *name, enum model_node_type type)
{
	uint32_t node = made->model.node_count++;

	assert(node < MODEL_NODES_MAX);
	(void)snprintf(made->model.node[node].name, TEXT_NAME_SIZE, "%s", name);
	made->model.node[node].type = type;
	return node;
}

static void give(struct made_model *made, uint32_t part, enum text_key key, uint64_t number)
{
	made->model.part[part].key[key].given = true;
	made->model.part[part].key[key].number = number;
}

void made_model_init(struct made_model *made)
{
	memset(made, 0, sizeof(*made));
	made->model.rule = made->rule;
	made->model.claim = made->claim;
	(void)made_model_part(made, "control");
	give(made, MODEL_CONTROL, TEXT_MEMORY, 256u << 20);
}

uint32_t made_model_part(struct made_model *made, const char *name)
{
	uint32_t node = add_node(made, name, MODEL_PART);

	made->model.part_count++;
	assert(made->model.part_count == made->model.node_count);
	give(made, node, TEXT_MEMORY, 64u << 20);
	give(made, node, TEXT_VCPUS, 1);
	give(made, node, TEXT_CPU_WEIGHT, 100);
	return node;
}

void made_model_init_abc(struct made_model *made)
{
	made_model_init(made);
	(void)made_model_part(made, "a");
	(void)made_model_part(made, "b");
	(void)made_model_part(made, "c");
}

uint32_t made_model_role(struct made_model *made, const char *name, enum text_bus bus,
			 uint32_t what)
{
	uint32_t node = add_node(made, name, MODEL_ROLE);

	made->match[node] = (struct text_match){
		.bus = bus, .vendor = UINT32_MAX, .product = UINT32_MAX, .what = what};
	made->role[node].match = &made->match[node];
	made->role[node].match_count = 1;
	made->model.node[node].role = &made->role[node];
	return node;
}

uint32_t made_model_zone(struct made_model *made, const char *name, bool trusted)
{
	uint32_t node = add_node(made, name, MODEL_ZONE);

	made->zone[node].trusted = trusted;
	made->model.node[node].zone = &made->zone[node];
	return node;
}

struct text_rule *made_model_rule(struct made_model *made, enum text_layer layer, bool open,
				  enum text_verdict verdict, enum text_kind kind, model_set from,
				  model_set to)
{
	uint32_t at = made->model.rule_count++;

	assert(at < MADE_MODEL_RULES_MAX);
	assert(at == 0 || made->rule[at - 1].layer <= layer);
	made->text[at] = (struct text_rule){.verdict = verdict,
					    .kind = kind,
					    .types = text_types_all(kind),
					    .port_hi = UINT16_MAX};
	(void)snprintf(made->text[at].id, TEXT_ID_SIZE, "rule-%u", at);
	made->rule[at] = (struct model_rule){.text = &made->text[at],
					     .from = from,
					     .to = to,
					     .layer = layer,
					     .open = open,
					     .pos = {.line = at + 1}};
	made->model.has_layer[layer] = true;
	for (uint32_t next = (uint32_t)layer + 1; next <= TEXT_LAYERS; next++) {
		made->model.rule_first[next] = at + 1;
	}
	return &made->text[at];
}

struct text_assert *made_model_claim(struct made_model *made, enum text_claim claim, model_set from,
				     model_set to)
{
	uint32_t at = made->model.claim_count++;

	assert(at < MADE_MODEL_CLAIMS_MAX);
	made->claim_text[at] = (struct text_assert){.claim = claim};
	made->claim[at] = (struct model_assert){
		.text = &made->claim_text[at], .from = from, .to = to, .pos = {.line = 100 + at}};
	return &made->claim_text[at];
}
