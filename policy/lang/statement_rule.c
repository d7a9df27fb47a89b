/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: who sends what to whom, and how much of it. */
#include <string.h>

#include "line_value.h"
#include "statement.h"

#define COUNT_MAX   1000000u
#define SECONDS_MAX (720u * 3600u)
#define BYTES_MAX   (1ull << 40)

#define NETWORK_ICMP 4u

/** What stands behind the ends of a rule, each once. */
enum rule_part {
	RULE_TYPES = TEXT_LIMIT_READONLY << 1,
	RULE_PORTS = RULE_TYPES << 1,
};

static bool read_types(struct line *line, struct text_rule *rule)
{
	static const struct words *const words[TEXT_KINDS] = {
		[TEXT_CLIPBOARD] = &words_clipboard,
		[TEXT_FILE] = &words_file,
		[TEXT_LINK] = &words_link,
		[TEXT_NETWORK] = &words_network,
	};

	if (words[rule->kind] == NULL) {
		return line_error(line, &line->token[line->next - 1],
				  "leave it out: the rule is about all of it",
				  "rules of kind '%s' have no types", text_kind_word(rule->kind));
	}
	return line_bits(line, words[rule->kind], &rule->types);
}

static bool read_range(const struct line_token *token, uint64_t *ret_lo, uint64_t *ret_hi)
{
	const char *dash = memchr(token->text, '-', token->size);
	size_t size = dash != NULL ? (size_t)(dash - token->text) : token->size;

	if (token->type != LINE_WORD || !line_decimal(token->text, size, ret_lo)) {
		return false;
	}
	*ret_hi = *ret_lo;
	return (dash == NULL || line_decimal(dash + 1, token->size - size - 1, ret_hi)) &&
	       *ret_lo <= UINT16_MAX && *ret_hi <= UINT16_MAX;
}

static bool read_ports(struct line *line, struct text_rule *rule)
{
	const struct line_token *token = line_peek(line);
	uint64_t lo, hi;

	if (!text_kind_has_ports(rule->kind)) {
		return line_error(line, &line->token[line->next - 1],
				  "leave it out: only channel and network have ports",
				  "rules of kind '%s' have no ports", text_kind_word(rule->kind));
	}
	if (!read_range(token, &lo, &hi)) {
		return line_expected(line, "a port or a range of ports",
				     "write: port 443, or: ports 8000-8999; the greatest is 65535");
	}
	if (lo > hi) {
		return line_error(line, token, "write the smaller one first",
				  "the range of ports ends before it begins");
	}
	if (token->type == LINE_WORD) {
		line_take(line);
	}
	if (line_peek(line)->type == LINE_COMMA) {
		return line_error(line, line_peek(line), "write one rule for each of them",
				  "a rule has one port or one range of ports");
	}
	rule->port_lo = (uint16_t)lo;
	rule->port_hi = (uint16_t)hi;
	return true;
}

static bool read_limit(struct line *line, enum text_limit limit, struct text_limits *limits)
{
	uint64_t number;

	switch (limit) {
	case TEXT_LIMIT_SIZE:
		return line_expect(line, "to") &&
		       line_size(line, "the size", 1, BYTES_MAX, &limits->size_max);
	case TEXT_LIMIT_RATE:
		return line_rate(line, "the rate", &limits->rate_max);
	case TEXT_LIMIT_COUNT:
		if (!line_number(line, "the count", 1, COUNT_MAX, &number)) {
			return false;
		}
		limits->count_max = (uint32_t)number;
		return true;
	case TEXT_LIMIT_SECONDS:
		if (!line_time(line, "the time", SECONDS_MAX, &number)) {
			return false;
		}
		limits->seconds_max = (uint32_t)number;
		return true;
	case TEXT_LIMIT_QUARANTINE:
		limits->quarantine = true;
		return true;
	case TEXT_LIMIT_READONLY:
		limits->readonly = true;
		return true;
	}
	return false;
}

static bool check_limit(struct line *line, const struct line_token *token,
			const struct text_rule *rule, uint32_t limit)
{
	static const char *const shown[] = {"up to SIZE", "rate RATE",	"count NUMBER",
					    "for TIME",	  "quarantine", "read-only"};
	uint32_t can = text_kind_limits(rule->kind);
	char hint[160] = "leave it out: such a rule has no limits";

	if (rule->verdict == TEXT_DENY) {
		return line_error(line, token, "leave it out: nothing passes",
				  "a rule that denies has no limits");
	}
	if ((can & limit) != 0) {
		return true;
	}
	if (can != 0) {
		strcpy(hint, "it can have:");
	}
	for (uint32_t bit = 0; bit < sizeof(shown) / sizeof(shown[0]); bit++) {
		if ((can & 1u << bit) != 0) {
			strcat(hint, (can & ((1u << bit) - 1)) != 0 ? ", " : " ");
			strcat(hint, shown[bit]);
		}
	}
	return line_error(line, token, hint, "rules of kind '%s' cannot have '%.*s'",
			  text_kind_word(rule->kind), (int)token->size, token->text);
}

/** One part behind the ends. */
static bool read_part(struct line *line, struct text_rule *rule, uint32_t *done)
{
	static const char *const list[] = {"up",	"rate",	 "count", "for",  "quarantine",
					   "read-only", "types", "port",  "ports"};
	static const struct words parts = {"limit of the rule", 9, list};
	const struct line_token *token = line_peek(line);
	uint64_t number;
	uint32_t part;

	if (token->type == LINE_COMMA) {
		return line_error(line, token, "write limits one after the other, without commas",
				  "',' cannot stand here");
	}
	if (!line_choice(line, &parts, &number)) {
		return false;
	}
	part = 1u << (number < 8 ? number : 7);
	if ((*done & part) != 0) {
		return line_error(line, token, "remove one of the two", "'%s' is said twice",
				  list[number]);
	}
	*done |= part;
	if (part == RULE_TYPES) {
		return read_types(line, rule);
	}
	if (part == RULE_PORTS) {
		return read_ports(line, rule);
	}
	return check_limit(line, token, rule, part) &&
	       read_limit(line, (enum text_limit)part, &rule->limits);
}

static bool read_parts(struct line *line, struct text_rule *rule)
{
	const struct line_token *first = line_peek(line);
	uint32_t done = 0;

	rule->types = text_types_all(rule->kind);
	rule->port_hi = UINT16_MAX;
	while (line_peek(line)->type != LINE_END) {
		if (!read_part(line, rule, &done)) {
			return false;
		}
	}
	if (rule->kind == TEXT_NETWORK && (done & RULE_PORTS) != 0) {
		if ((done & RULE_TYPES) != 0 && (rule->types & NETWORK_ICMP) != 0) {
			return line_error(line, first,
					  "write a rule of its own for icmp, without ports",
					  "icmp has no ports");
		}
		rule->types &= ~NETWORK_ICMP;
	}
	return true;
}

bool statement_read_rule(struct line *line, struct text_rule *rule)
{
	static const char ends[] = "a partition, role, zone or group";
	uint64_t number;

	if (line_is(line_peek(line), "default")) {
		return line_error(line, line_peek(line), "take another id",
				  "'default' is a word and no id");
	}
	if (!line_name(line, "the id of the rule", rule->id, sizeof(rule->id)) ||
	    !line_expect_mark(line, LINE_COLON)) {
		return false;
	}
	if (line_is(line_peek(line), "default")) {
		return line_expected(line, "a verdict",
				     "write 'default' before the id of the rule");
	}
	if (!line_choice(line, &words_verdict, &number)) {
		return false;
	}
	rule->verdict = (enum text_verdict)number;
	if (!line_choice(line, &words_kind, &number)) {
		return false;
	}
	rule->kind = (enum text_kind)number;
	return line_names(line, ends, LINE_ANY, &rule->from) &&
	       line_expect_mark(line, LINE_ARROW) && line_names(line, ends, LINE_ANY, &rule->to) &&
	       read_parts(line, rule);
}
