/* SPDX-License-Identifier: Apache-2.0 */
/** Decisions about flows for other daemons: the table's, or that of the person at the keyboard
 * where the table says to ask. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/text.h"
#include "policy_private.h"
#include "record.h"
#include "reply.h"
#include "say.h"

#define ASK_SECONDS 30u

struct pending {
	struct switch_question question;
	struct request_flow flow;
	struct table_answer answer; /* of the policy that asks, then of the one that answers */
	char who[64], rule[32];
	policy_reply *reply;
	void *data;
	struct pending *next;
};

static struct pending *pendings;

static bool find_kind(const char *word, uint32_t *ret_kind)
{
	for (uint32_t kind = 0; kind < TEXT_KINDS; kind++) {
		if (!strcmp(word, text_kind_word(kind))) {
			*ret_kind = kind;
			return true;
		}
	}
	return false;
}

static bool find_type(uint32_t kind, const char *word, uint32_t *ret_type)
{
	if (text_types_all(kind) == 1) {
		*ret_type = 1;
		return !word[0];
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *type = text_type_word(kind, bit);

		if (type && !strcmp(word, type)) {
			*ret_type = 1u << bit;
			return true;
		}
	}
	return false;
}

/* Returns NULL, or what is wrong with the question. */
static const char *make_query(const struct table *table, const struct request_flow *flow,
			      struct table_query *query)
{
	*query = (struct table_query){.port = (uint16_t)flow->port};
	if (!find_kind(flow->kind, &query->kind)) {
		return "no such kind of flow";
	}
	if (!find_type(query->kind, flow->type, &query->type)) {
		return "this kind of flow needs one of its types, or has none";
	}
	query->from = table_find(table, flow->from);
	query->to = table_find(table, flow->to);
	if (query->from == TABLE_NONE || query->to == TABLE_NONE) {
		return "the policy knows no partition, role or zone of that name";
	}
	return NULL;
}

static struct json_object *make_reply(const struct table_answer *answer, const char *rule,
				      bool allow, bool asked)
{
	const struct table_limit *limit = answer->limit;
	struct json_object *reply = reply_ok(), *limits = json_object_new_object();

	json_object_object_add(reply, "allow", json_object_new_boolean(allow));
	json_object_object_add(reply, "asked", json_object_new_boolean(asked));
	json_object_object_add(reply, "rule", json_object_new_string(rule));
	if (limit) {
		json_object_object_add(limits, "size", json_object_new_uint64(limit->size_max));
		json_object_object_add(limits, "rate", json_object_new_uint64(limit->rate_max));
		json_object_object_add(limits, "count", json_object_new_uint64(limit->count_max));
		json_object_object_add(limits, "seconds",
				       json_object_new_uint64(limit->seconds_max));
		json_object_object_add(
			limits, "quarantine",
			json_object_new_boolean(limit->flags & TABLE_LIMIT_QUARANTINE));
		json_object_object_add(
			limits, "read_only",
			json_object_new_boolean(limit->flags & TABLE_LIMIT_READONLY));
	}
	json_object_object_add(reply, "limits", limits);
	return reply;
}

static void flow_object(const struct request_flow *flow, char object[128])
{
	snprintf(object, 128, "%s %s%s%s", flow->to, flow->kind, flow->type[0] ? " " : "",
		 flow->type);
	if (flow->port) {
		snprintf(object + strlen(object), 128 - strlen(object), " %u", flow->port);
	}
}

/* What is not on record does not happen. */
static bool record_flow(enum audit_what what, const char *who, const struct request_flow *flow,
			const char *rule, const char *text)
{
	char object[128];

	flow_object(flow, object);
	return record_write(what, who, flow->from, object, rule, text) == 0;
}

/* A policy may have come while the question stood: what it denies no answer opens, and its limits
 * count. */
static bool decide_again(struct pending *pending)
{
	const struct table *table = policy_table();
	struct table_query query;

	if (!table || make_query(table, &pending->flow, &query)) {
		return false;
	}
	table_decide(table, &query, &pending->answer);
	snprintf(pending->rule, sizeof(pending->rule), "%s",
		 table_rule_id(table, pending->answer.rule));
	return pending->answer.verdict != TEXT_DENY;
}

static void answered(void *data, uint32_t choice, bool by_key)
{
	struct pending *pending = data, **place = &pendings;
	bool yes = by_key && choice == 1, allow = yes && decide_again(pending);

	while (*place != pending) {
		place = &(*place)->next;
	}
	*place = pending->next;
	allow &= record_flow(AUDIT_ASKED, pending->who, &pending->flow, pending->rule,
			     allow    ? "allowed by the person at the keyboard"
			     : yes    ? "the policy changed before the answer: denied"
			     : by_key ? "denied by the person at the keyboard"
				      : "nobody answered: denied");
	if (pending->reply) {
		pending->reply(pending->data,
			       make_reply(&pending->answer, pending->rule, allow, true));
	}
	free(pending);
}

static const char *title_of(const struct table *table, const char *name, uint32_t *ret_part)
{
	uint32_t node = table_find(table, name);
	const char *title = "";

	if (node < table->head->part_count) {
		title = table->string + table->part[node].title;
		*ret_part = *ret_part == SWITCHER_NOBODY ? node : *ret_part;
	}
	return title[0] ? title : name;
}

static void put_question(struct pending *pending, const struct table *table,
			 const struct request_flow *flow)
{
	struct switch_question *question = &pending->question;
	uint32_t part = SWITCHER_NOBODY;
	const char *from = title_of(table, flow->from, &part);
	const char *to = title_of(table, flow->to, &part);

	*question = (struct switch_question){.answered = answered,
					     .data = pending,
					     .text = {.choice_count = 2,
						      .fallback = 0,
						      .seconds = ASK_SECONDS,
						      .part = part,
						      .line_count = 1,
						      .choice = {"Deny", "Allow once"}}};
	snprintf(question->text.title, SWITCHER_TEXT_SIZE, "%.10s%s%.8s from %.15s to %.15s?",
		 flow->kind, flow->type[0] ? ": " : "", flow->type, from, to);
	question->text.title[0] = (char)toupper((unsigned char)question->text.title[0]);
	snprintf(question->text.line[0], SWITCHER_LINE_SIZE, "Rule %.31s of the policy asks.",
		 pending->rule);
	switch_ask(question);
}

static void ask_person(const struct table *table, const struct request_flow *flow,
		       const struct table_answer *answer, const char *who, policy_reply *reply,
		       void *data)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		reply(data, reply_error("out of memory"));
		return;
	}
	pending->flow = *flow;
	pending->answer = (struct table_answer){.verdict = answer->verdict, .rule = answer->rule};
	pending->reply = reply;
	pending->data = data;
	snprintf(pending->who, sizeof(pending->who), "%s", who);
	snprintf(pending->rule, sizeof(pending->rule), "%s", table_rule_id(table, answer->rule));
	pending->next = pendings;
	pendings = pending;
	put_question(pending, table, flow);
}

void policy_forget_ask(void *data)
{
	for (struct pending *pending = pendings; pending; pending = pending->next) {
		if (pending->data == data) {
			pending->reply = NULL;
		}
	}
}

void policy_ask(const struct request_flow *flow, const char *who, policy_reply *reply, void *data)
{
	const struct table *table = policy_table();
	struct table_answer answer;
	struct table_query query;
	const char *wrong = table ? make_query(table, flow, &query) : "no policy is in force";
	const char *rule;
	bool allow;

	if (wrong) {
		reply(data, reply_error(wrong));
		return;
	}
	table_decide(table, &query, &answer);
	rule = table_rule_id(table, answer.rule);
	if (answer.verdict == TEXT_ASK) {
		ask_person(table, flow, &answer, who, reply, data);
		return;
	}
	allow = answer.verdict == TEXT_ALLOW;
	allow &= record_flow(allow ? AUDIT_ALLOWED : AUDIT_DENIED, who, flow, rule, NULL);
	reply(data, make_reply(&answer, rule, allow, false));
}
