/* SPDX-License-Identifier: Apache-2.0 */
/** Models of policies made by hand, for tests of what reads them. */
#ifndef MADE_MODEL_H
#define MADE_MODEL_H

#include "model.h"

/** The set of one node. */
#define BIT(node) (1ull << (node))

#define MADE_MODEL_RULES_MAX  64u
#define MADE_MODEL_CLAIMS_MAX 16u

struct made_model {
	struct model model;
	struct model_rule rule[MADE_MODEL_RULES_MAX];
	struct text_rule text[MADE_MODEL_RULES_MAX];
	struct model_assert claim[MADE_MODEL_CLAIMS_MAX];
	struct text_assert claim_text[MADE_MODEL_CLAIMS_MAX];
	struct text_role role[MODEL_NODES_MAX];
	struct text_match match[MODEL_NODES_MAX];
	struct text_zone zone[MODEL_NODES_MAX];
};

/** A model with control alone, 256 MiB, and no layer. */
void made_model_init(struct made_model *made);
/** The same with partitions called a, b and c, whose nodes these are. */
enum { MADE_MODEL_A = 1, MADE_MODEL_B, MADE_MODEL_C };
void made_model_init_abc(struct made_model *made);
/** Partitions first, then roles and zones. Each returns the number of its node. A partition has
 *  64 MiB, 1 vcpu, weight 100. */
uint32_t made_model_part(struct made_model *made, const char *name);
uint32_t made_model_role(struct made_model *made, const char *name, enum text_bus bus,
			 uint32_t what);
uint32_t made_model_zone(struct made_model *made, const char *name, bool trusted);
/** Layers in order. The rule holds for all types and ports and has no limits; it may be changed
 *  until the model is read. The model knows its layer from then on. */
struct text_rule *made_model_rule(struct made_model *made, enum text_layer layer, bool open,
				  enum text_verdict verdict, enum text_kind kind, model_set from,
				  model_set to);
/** An assertion about every kind, in which a question counts as open. */
struct text_assert *made_model_claim(struct made_model *made, enum text_claim claim, model_set from,
				     model_set to);

#endif
