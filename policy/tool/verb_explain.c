/* SPDX-License-Identifier: Apache-2.0 */
/* explain: which rule decides, in one sentence, and what to ask IT for. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "fmt.h"
#include "guess.h"
#include "say.h"
#include "tool.h"
#include "trace.h"

/* Each denied part is tried with a rule that opens it, which proves the policy anew. */
#define PARTS_MAX 16u

/* What is asked: types 0 and port -1 are all of them. */
struct asked {
	enum text_kind kind;
	uint32_t from, to, types;
	int port;
};

static int find_node(struct tool *tool, const struct model *model, const char *name,
		     uint32_t *ret_node)
{
	int node = model_find(model, name);
	struct guess guess;

	if (node < 0) {
		guess_init(&guess, name, strlen(name));
		for (uint32_t i = 0; i < model->node_count; i++) {
			guess_offer(&guess, model->node[i].name);
		}
		tool_complain(tool,
			      "%s is neither partition nor role nor zone of this policy; %s%s",
			      name, guess_best(&guess) ? "is it " : "see bulkhead policy show",
			      guess_best(&guess) ? guess_best(&guess) : "");
		return TOOL_USAGE;
	}
	*ret_node = (uint32_t)node;
	return TOOL_OK;
}

static int find_kind(struct tool *tool, const char *word, enum text_kind *ret_kind)
{
	struct guess guess;

	guess_init(&guess, word, strlen(word));
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		if (!strcmp(word, text_kind_word((enum text_kind)kind))) {
			*ret_kind = (enum text_kind)kind;
			return TOOL_OK;
		}
		guess_offer(&guess, text_kind_word((enum text_kind)kind));
	}
	tool_complain(tool, "%s is no flow; %s%s", word,
		      guess_best(&guess) ? "is it " : "see bulkhead policy explain --help",
		      guess_best(&guess) ? guess_best(&guess) : "");
	return TOOL_USAGE;
}

/* A type or a port. */
static int read_word(struct tool *tool, const char *word, struct asked *asked)
{
	char *end;
	unsigned long port = strtoul(word, &end, 10);

	if (*end == '\0' && word[0] >= '0' && word[0] <= '9' && port <= UINT16_MAX &&
	    text_kind_has_ports(asked->kind)) {
		asked->port = (int)port;
		return TOOL_OK;
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *type = text_type_word(asked->kind, bit);

		if (type && !strcmp(type, word)) {
			asked->types |= 1u << bit;
			return TOOL_OK;
		}
	}
	tool_complain(tool, "%s is no type%s of %s", word,
		      text_kind_has_ports(asked->kind) ? " or port" : "",
		      text_kind_word(asked->kind));
	return TOOL_USAGE;
}

static int read_question(struct tool *tool, const struct model *model, struct asked *ret_asked)
{
	struct asked asked = {.port = -1};
	model_set from, to;
	int ret;

	ret = find_kind(tool, tool->arguments.path[2], &asked.kind);
	ret = ret ? ret : find_node(tool, model, tool->arguments.path[0], &asked.from);
	ret = ret ? ret : find_node(tool, model, tool->arguments.path[1], &asked.to);
	for (uint32_t i = 3; ret == TOOL_OK && i < tool->arguments.count; i++) {
		ret = read_word(tool, tool->arguments.path[i], &asked);
	}
	if (ret) {
		return ret;
	}
	model_kind_ends(model, asked.kind, &from, &to);
	if (!(from & (1ull << asked.from)) || !(to & (1ull << asked.to)) ||
	    asked.from == asked.to) {
		tool_complain(tool, "there is no %s from %s to %s", text_kind_word(asked.kind),
			      model->node[asked.from].name, model->node[asked.to].name);
		return TOOL_USAGE;
	}
	*ret_asked = asked;
	return TOOL_OK;
}

/* The rule that would open a part: text of a line, and whether it would still prove. */
struct proposal {
	struct text_rule rule;
	struct text_name from, to;
	enum text_layer layer;
	uint32_t blocker; /* rule of that layer that has to go or change, or TRACE_NO_RULE */
	int tried;	  /* of trace_try() */
	char why[256];
};

static int try_proposal(const struct compile *compile, struct proposal *proposal)
{
	proposal->why[0] = '\0';
	proposal->tried = trace_try(compile, proposal->layer, &proposal->rule, proposal->why,
				    sizeof(proposal->why));
	return proposal->tried;
}

static void propose(const struct compile *compile, const struct asked *asked,
		    const struct flow_part *part, const struct trace *trace,
		    struct proposal *proposal)
{
	const struct model *model = &compile->model;

	memset(proposal, 0, sizeof(*proposal));
	strcpy(proposal->from.name, model->node[asked->from].name);
	strcpy(proposal->to.name, model->node[asked->to].name);
	strcpy(proposal->rule.id, "new-rule");
	proposal->rule.verdict = say_can_ask(asked->kind) ? TEXT_ASK : TEXT_ALLOW;
	proposal->rule.kind = asked->kind;
	proposal->rule.from = (struct text_names){&proposal->from, 1};
	proposal->rule.to = (struct text_names){&proposal->to, 1};
	proposal->rule.types = part->types;
	proposal->rule.port_lo = part->lo;
	proposal->rule.port_hi = part->hi;
	/* What IT left open is the user's own to say, as far as that layer may speak of it at all.
	 */
	proposal->layer = TEXT_USER;
	if (!trace->step[TEXT_IT].there || !trace->step[TEXT_USER].free ||
	    try_proposal(compile, proposal)) {
		proposal->layer = trace_opener(trace);
		try_proposal(compile, proposal);
	}
	proposal->blocker = trace->step[proposal->layer].hit;
}

static char *print_rule(const struct compile *compile, const struct text_rule *rule)
{
	struct text_statement statement = {.type = TEXT_RULE, .rule = *rule};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (compile->has_text[layer]) {
			fmt_statement(&compile->text[layer], &statement, out);
			break;
		}
	}
	fclose(out);
	return text;
}

static const char *who_writes(enum text_layer layer)
{
	return layer == TEXT_VENDOR ? "the vendor" : layer == TEXT_IT ? "IT" : "yourself";
}

static void print_proposal(struct tool *tool, const struct compile *compile,
			   const struct proposal *proposal, struct json_object *json)
{
	char *line = print_rule(compile, &proposal->rule);
	const struct model_rule *blocker =
		proposal->blocker == TRACE_NO_RULE ? NULL : &compile->model.rule[proposal->blocker];

	json_object_object_add(json, "ask", json_object_new_string(who_writes(proposal->layer)));
	json_object_object_add(json, "line", json_object_new_string(line ? line : ""));
	json_object_object_add(json, "provable", json_object_new_boolean(!proposal->tried));
	if (proposal->tried) {
		json_object_object_add(json, "breaks", json_object_new_string(proposal->why));
	}
	if (!tool->json) {
		if (proposal->layer == TEXT_VENDOR) {
			printf("  No later layer can open it, only the vendor's own, with this "
			       "line");
		} else if (proposal->layer == TEXT_IT) {
			printf("  To have it, ask IT for this line in its layer");
		} else {
			printf("  Your own layer may open it, with this line");
		}
		printf(", above its %s%s:\n      %s\n", blocker ? "rule " : "other rules",
		       blocker ? blocker->text->id : "", line ? line : "");
		if (proposal->tried) {
			printf("  With it the policy is refused: %s.\n", proposal->why);
		}
	}
	free(line);
}

/* Rules of later layers that deny it too, and would go on doing so. */
static void print_later(struct tool *tool, const struct compile *compile, const struct trace *trace,
			enum text_layer layer, struct json_object *json)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int later = layer + 1u; later < TEXT_LAYERS; later++) {
		uint32_t hit = trace->step[later].hit;
		const struct model_rule *rule =
			hit == TRACE_NO_RULE ? NULL : &compile->model.rule[hit];

		if (!rule || rule->text->verdict != TEXT_DENY) {
			continue;
		}
		json_object_array_add(list, json_object_new_string(rule->text->id));
		if (!tool->json) {
			printf("  Rule %s in the %s layer denies it too, and has to go: %s.\n",
			       rule->text->id, text_layer_word((enum text_layer)later),
			       tool_place(&compile->sources, rule->pos));
		}
	}
	json_object_object_add(json, "also", list);
}

static void add_origin(struct tool *tool, const struct compile *compile, uint32_t rule,
		       struct json_object *json)
{
	const struct model_rule *found = &compile->model.rule[rule];
	const char *place = tool_place(&compile->sources, found->pos);

	json_object_object_add(json, "rule", json_object_new_string(found->text->id));
	json_object_object_add(json, "layer",
			       json_object_new_string(text_layer_word(found->layer)));
	json_object_object_add(json, "place", json_object_new_string(place));
	if (!tool->json) {
		printf("  Rule %s decides: %s, in the %s layer%s.\n", found->text->id, place,
		       text_layer_word(found->layer), found->open ? ", as a default" : "");
	}
}

static char *covered(const struct asked *asked, const struct flow_part *part, bool limits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	say_what(out, asked->kind, part->types, part->lo, part->hi);
	if (limits && part->old && part->old->verdict != TEXT_DENY) {
		say_limits(out, &part->old->limits);
	}
	fclose(out);
	return text;
}

static void print_sentence(const struct asked *asked, const struct model *model,
			   const struct flow_part *part)
{
	char *what = covered(asked, part, true);

	say_sentence(stdout, asked->kind, flow_verdict(part->old), model->node[asked->from].name,
		     model->node[asked->to].name);
	printf("%s%s.\n", what && *what ? *what == ' ' ? "," : ": " : "", what ? what : "");
	free(what);
}

static void explain_part(struct tool *tool, const struct compile *compile,
			 const struct asked *asked, const struct flow_part *part)
{
	struct trace_question question = {asked->kind, asked->from, asked->to,
					  part->types & -part->types, part->lo};
	enum text_verdict verdict = flow_verdict(part->old);
	struct json_object *json = json_object_new_object(), *list;
	struct proposal proposal;
	struct trace trace;
	char *what = covered(asked, part, true);

	trace_run(&compile->model, &question, &trace);
	json_object_object_add(json, "verdict", json_object_new_string(text_verdict_word(verdict)));
	json_object_object_add(json, "what", json_object_new_string(what ? what : ""));
	if (!tool->json) {
		print_sentence(asked, &compile->model, part);
	}
	if (trace.rule != TRACE_NO_RULE) {
		add_origin(tool, compile, trace.rule, json);
	} else if (!tool->json) {
		printf("  No rule says anything about it, and silence is no.\n");
	}
	if (verdict == TEXT_DENY) {
		propose(compile, asked, part, &trace, &proposal);
		print_proposal(tool, compile, &proposal, json);
		print_later(tool, compile, &trace, proposal.layer, json);
	}
	json_object_object_get_ex(tool->result, "answers", &list);
	json_object_array_add(list, json);
	free(what);
}

static int explain(struct tool *tool, struct compile *compile)
{
	struct flow_cell none = {0}, cell;
	struct flow_part *parts;
	struct asked asked;
	uint32_t count, told = 0;
	int ret = read_question(tool, &compile->model, &asked);

	if (ret) {
		return ret;
	}
	cell = (struct flow_cell){&compile->cells, asked.from, asked.to};
	if (flow_parts(asked.kind, &cell, &none, &parts, &count)) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	json_object_object_add(tool->result, "answers", json_object_new_array());
	for (uint32_t i = 0; i < count; i++) {
		struct flow_part part = parts[i];

		part.types &= asked.types ? asked.types : part.types;
		if (!part.types ||
		    (asked.port >= 0 && (asked.port < part.lo || asked.port > part.hi))) {
			continue;
		}
		if (asked.port >= 0) {
			part.lo = part.hi = (uint16_t)asked.port;
		}
		if (told++ < PARTS_MAX) {
			explain_part(tool, compile, &asked, &part);
		}
	}
	free(parts);
	if (told > PARTS_MAX) {
		json_object_object_add(tool->result, "more",
				       json_object_new_int64(told - PARTS_MAX));
	}
	if (told > PARTS_MAX && !tool->json) {
		printf("%" PRIu32 " more parts are decided differently; name a type%s.\n",
		       told - PARTS_MAX, text_kind_has_ports(asked.kind) ? " and a port" : "");
	}
	return TOOL_OK;
}

int tool_explain(struct tool *tool)
{
	return tool_use_policy(tool, &tool->policy, explain);
}
