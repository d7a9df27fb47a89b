/* SPDX-License-Identifier: Apache-2.0 */
/** How one question was decided, layer by layer, and which layer could decide it otherwise. */
#ifndef POLICY_TRACE_H
#define POLICY_TRACE_H

#include "compile.h"

#define TRACE_NO_RULE UINT32_MAX

struct trace_question {
	enum text_kind kind;
	uint32_t from, to;
	uint32_t type; /* one bit */
	uint16_t port;
};

struct trace_step {
	bool there;   /* the layer is part of the policy */
	bool free;    /* it may say anything: the first one, or the one before said `default` */
	uint32_t hit; /* index in model.rule, TRACE_NO_RULE: silent */
};

struct trace {
	struct trace_step step[TEXT_LAYERS];
	enum text_verdict verdict;
	uint32_t rule; /* that decided */
	/* After each layer, for whoever is asked to open something. */
	enum text_verdict after[TEXT_LAYERS];
};

/** The few lines of docs/SPEC-policy.md for one question. */
void trace_run(const struct model *model, const struct trace_question *question,
	       struct trace *ret_trace);
/** The layer that has to change so that a denied question is allowed: the one of least authority
 * that may say so. A layer that is not there yet counts. */
enum text_layer trace_opener(const struct trace *trace);
/** Whether the policy still proves when `rule` stands first in a layer. 0; -1 and the first error
 * in `why`; -ENOMEM. The rule's text must live until then. */
int trace_try(const struct compile *compile, enum text_layer layer, const struct text_rule *rule,
	      char *why, size_t why_size);

#endif
