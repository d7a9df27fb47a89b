/* SPDX-License-Identifier: Apache-2.0 */
/* Up to three layers of any bytes, parted by lines "\x01", through the whole chain. What is proved
 * becomes a table that daemons and root mode take, and the answers of model, cells and table are
 * those of the few lines in docs/SPEC-policy.md. Layers may include "base.pol" below. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "emit.h"
#include "part/policy.h"
#include "prove.h"
#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base[] =
	"role keyboard = keyboard\nrole pointer = pointer\nrole screen = screen\n"
	"role nic = pci 0200\nrole stick = usb 08\nzone lan = 10.0.0.0/8, fe80::/10\n"
	"zone internet = 0.0.0.0/0, ::/0\npartition control\nmemory 256 MiB\n"
	"partition desktop\nmemory 512 MiB\ndevice console\npartition browser\n"
	"memory 512 MiB\ndevice console\npartition management\nclass limited\n"
	"memory 256 MiB\nowns nic\nprompt-keys: allow input keyboard, pointer -> control\n"
	"prompt-screen: allow display control -> screen\n";

static void must(bool good)
{
	if (!good) {
		abort();
	}
}

struct question {
	enum text_kind kind;
	uint32_t from, to, type;
	uint16_t port;
};

struct answer {
	enum text_verdict verdict;
	uint32_t rule;
	struct text_limits limits;
};

static bool matches(const struct model_rule *rule, const struct question *question)
{
	return rule->text->kind == question->kind && (rule->from >> question->from & 1) != 0 &&
	       (rule->to >> question->to & 1) != 0 && (rule->text->types & question->type) != 0 &&
	       question->port >= rule->text->port_lo && question->port <= rule->text->port_hi;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void tighten(struct answer *answer, const struct model_rule *rule, uint32_t number)
{
	struct text_limits *limits = &answer->limits;
	const struct text_limits *more = &rule->text->limits;

	if (rule->text->verdict < answer->verdict) {
		answer->verdict = rule->text->verdict;
		answer->rule = number;
	}
	limits->size_max = smaller(limits->size_max, more->size_max);
	limits->rate_max = smaller(limits->rate_max, more->rate_max);
	limits->count_max = (uint32_t)smaller(limits->count_max, more->count_max);
	limits->seconds_max = (uint32_t)smaller(limits->seconds_max, more->seconds_max);
	limits->quarantine |= more->quarantine;
	limits->readonly |= more->readonly;
}

/* The semantics of layers, as they are written down. */
static struct answer decide(const struct model *model, const struct question *question)
{
	struct answer answer = {TEXT_DENY, CELLS_NO_RULE, {0}};
	bool open = true;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		uint32_t i = model->rule_first[layer], end = model->rule_first[layer + 1];

		if (!model->has_layer[layer]) {
			continue;
		}
		while (i < end && !matches(&model->rule[i], question)) {
			i++;
		}
		if (i == end) {
			open = false;
		} else if (open) {
			answer = (struct answer){model->rule[i].text->verdict, i,
						 model->rule[i].text->limits};
			open = model->rule[i].open;
		} else {
			tighten(&answer, &model->rule[i], i);
		}
	}
	return answer;
}

static void check_limits(const struct text_limits *limits, const struct table_limit *found)
{
	static const struct table_limit none;

	found = found != NULL ? found : &none;
	must(found->size_max == limits->size_max && found->rate_max == limits->rate_max &&
	     found->count_max == limits->count_max && found->seconds_max == limits->seconds_max &&
	     found->flags == ((limits->quarantine ? 1u : 0u) | (limits->readonly ? 2u : 0u)));
}

static void ask(const struct compile *compile, const struct table *table,
		const struct question *question)
{
	const struct table_query query = {question->kind, question->from, question->to,
					  question->type, question->port};
	struct answer answer = decide(&compile->model, question);
	const struct cells_row *row = cells_find(&compile->cells, question->kind, question->from,
						 question->to, question->type, question->port);
	struct table_answer found;

	must((row != NULL) == (answer.rule != CELLS_NO_RULE));
	if (row != NULL) {
		must(row->verdict == answer.verdict && row->rule == answer.rule);
	}
	table_decide(table, &query, &found);
	must(found.verdict == answer.verdict);
	if (answer.rule != CELLS_NO_RULE) {
		must(strcmp(table_rule_id(table, found.rule),
			    compile->model.rule[answer.rule].text->id) == 0);
	}
	if (answer.verdict != TEXT_DENY) {
		check_limits(&answer.limits, found.limit);
	}
}

/* At the edges of one rule: its first and last nodes, each type, the ports around it. */
static void ask_rule(const struct compile *compile, const struct table *table,
		     const struct model_rule *rule)
{
	const uint16_t ports[] = {rule->text->port_lo, rule->text->port_hi,
				  (uint16_t)(rule->text->port_lo - 1),
				  (uint16_t)(rule->text->port_hi + 1)};
	const uint32_t types = text_types_all(rule->text->kind);

	if (rule->from == 0 || rule->to == 0) {
		return;
	}
	for (unsigned int i = 0; i < 4 * 4; i++) {
		struct question question = {.kind = rule->text->kind, .port = ports[i / 4]};

		question.from = (uint32_t)(i & 1 ? 63 - __builtin_clzll(rule->from)
						 : __builtin_ctzll(rule->from));
		question.to = (uint32_t)(i & 2 ? 63 - __builtin_clzll(rule->to)
					       : __builtin_ctzll(rule->to));
		if (!text_kind_has_ports(rule->text->kind)) {
			question.port = 0;
		}
		for (uint32_t type = 1; question.from != question.to && type <= types; type <<= 1) {
			question.type = type;
			ask(compile, table, &question);
		}
	}
}

static void check_table(struct compile *compile)
{
	struct table table;
	const char *why = "";
	void *bytes = NULL;
	size_t size = 0;
	int ret = emit_table(&compile->model, &compile->cells, &compile->sources, 1, NULL, 0,
			     &compile->diags, &bytes, &size);

	if (ret != 0) {
		must(ret == -ENOMEM || compile->diags.error_count > 0);
		return;
	}
	must(table_open(bytes, size, &table, &why) == 0);
	must(policy_check(bytes, size) == NULL);
	for (uint32_t i = 0; i < compile->model.rule_count && i < 200; i++) {
		ask_rule(compile, &table, &compile->model.rule[i]);
	}
	free(bytes);
}

/* Returns the number of layers, 0 when some file is no text. */
static uint32_t add_layers(struct compile *compile, const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a", "b", "c"};
	uint32_t count = 0;
	bool good = true;

	while (count < 3) {
		const uint8_t *mark = memmem(data, size, "\x01\n", 2);
		size_t part = mark != NULL ? (size_t)(mark - data) : size;

		good &= source_add(&compile->sources, names[count++], data, part,
				   &compile->diags) >= 0;
		if (mark == NULL) {
			break;
		}
		data += part + 2;
		size -= part + 2;
	}
	return good ? count : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compile compile;
	uint32_t count;
	int file;

	memset(&compile, 0, sizeof(compile));
	must(source_init(&compile.sources, NULL) == 0);
	count = add_layers(&compile, data, size);
	file = source_add(&compile.sources, "base.pol", base, sizeof(base) - 1, &compile.diags);
	must(file >= 0);
	compile.sources.file[file].included = true;
	if (count > 0) {
		if (compile_sources(&compile, 0, count, PROVE_ALL) == 0) {
			must(compile.diags.error_count == 0);
			check_table(&compile);
		} else {
			must(compile.diags.error_count > 0);
		}
	}
	compile_fini(&compile);
	return 0;
}
