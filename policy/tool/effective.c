/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the lines that are no rules: what is declared, what partitions get, what is asserted, who
 * may do what. */
#define _GNU_SOURCE
#include "effective.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"

/* A text of the policy, which the printer of statements wants to know. */
static const struct text *any_text(const struct compile *compile)
{
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (compile->has_text[layer]) {
			return &compile->text[layer];
		}
	}
	return NULL;
}

static char *print_statement(const struct compile *compile, const struct text_statement *statement)
{
	char *text = NULL, *start;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	fmt_statement(any_text(compile), statement, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	start = text + strspn(text, " \t");
	memmove(text, start, strlen(start) + 1);
	return text;
}

int effective_add(struct effective *effective, const struct compile *compile,
		  const struct text_statement *statement, char *subject,
		  const struct model_origin *origin)
{
	struct effective_line *line;
	char *text = print_statement(compile, statement);

	if (effective->count == effective->room && text) {
		uint32_t room = effective->room ? 2 * effective->room : 64;

		line = realloc(effective->line, room * sizeof(*line));
		if (!line) {
			free(text);
			text = NULL;
		} else {
			effective->line = line;
			effective->room = room;
		}
	}
	if (!text) {
		free(subject);
		return -ENOMEM;
	}
	line = &effective->line[effective->count++];
	*line = (struct effective_line){.subject = subject, .text = text};
	if (origin) {
		line->known = true;
		line->origin = *origin;
	}
	return 0;
}

void effective_fini(struct effective *effective)
{
	for (uint32_t i = 0; i < effective->count; i++) {
		free(effective->line[i].subject);
		free(effective->line[i].text);
	}
	free(effective->line);
	*effective = (struct effective){0};
}

static char *name_subject(const char *a, const char *b, const char *c)
{
	char *subject = NULL;

	return asprintf(&subject, "%s %s%s%s", a, b, c ? " " : "", c ? c : "") < 0 ? NULL : subject;
}

struct text_names effective_names(const struct model *model, model_set nodes,
				  struct text_name names[MODEL_NODES_MAX])
{
	uint32_t count = 0;

	for (uint32_t node = 0; node < model->node_count; node++) {
		if (nodes & (1ull << node)) {
			strcpy(names[count].name, model->node[node].name);
			names[count++].pos = (struct diag_pos){0};
		}
	}
	return (struct text_names){names, count};
}

static int add_places(const struct compile *compile, struct effective *facts)
{
	const struct model *model = &compile->model;
	int ret = 0;

	for (uint32_t node = model->part_count; ret == 0 && node < model->node_count; node++) {
		const struct model_node *found = &model->node[node];
		struct text_statement statement = {0};

		strcpy(statement.name.name, found->name);
		if (found->type == MODEL_ROLE) {
			statement.type = TEXT_ROLE;
			statement.role = *found->role;
		} else {
			statement.type = TEXT_ZONE;
			statement.zone = *found->zone;
		}
		ret = effective_add(facts, compile, &statement,
				    name_subject(found->type == MODEL_ROLE ? "role" : "zone",
						 found->name, NULL),
				    &found->origin);
	}
	return ret;
}

static int add_carries(const struct compile *compile, struct effective *facts)
{
	const struct model *model = &compile->model;
	int ret = 0;

	for (uint32_t from = model->part_count; from < model->node_count; from++) {
		for (uint32_t to = model->part_count; ret == 0 && to < model->node_count; to++) {
			struct text_statement statement = {.type = TEXT_CARRIES};
			struct text_name name = {0};

			if (!(model->node[from].carries & (1ull << to))) {
				continue;
			}
			strcpy(statement.name.name, model->node[from].name);
			strcpy(name.name, model->node[to].name);
			statement.names = (struct text_names){&name, 1};
			ret = effective_add(facts, compile, &statement,
					    name_subject("carries", model->node[from].name,
							 model->node[to].name),
					    NULL);
		}
	}
	return ret;
}

static int add_property(const struct compile *compile, uint32_t part,
			const struct text_value *value, char *subject,
			const struct model_origin *origin, struct effective *facts)
{
	struct text_statement statement = {.type = TEXT_VALUE, .value = *value};
	int ret = subject ? effective_add(facts, compile, &statement, subject, origin) : -ENOMEM;

	if (ret == 0) {
		facts->line[facts->count - 1].inside = true;
	}
	return ret;
}

/* Values that are written only when they say something: no cap, no rate, no devices. */
static bool is_silent(enum text_key key, const struct model_value *value)
{
	switch (key) {
	case TEXT_CPU_CAP:
	case TEXT_CPU_GUARANTEE:
	case TEXT_CACHE:
	case TEXT_DISK_RATE:
	case TEXT_NETWORK_RATE:
	case TEXT_DEVICE:
	case TEXT_RUN:
		return !value->number;
	case TEXT_OWNS:
	case TEXT_AFTER:
		return !value->nodes;
	default:
		return !value->given;
	}
}

static int add_values(const struct compile *compile, uint32_t part, struct effective *facts)
{
	const struct model *model = &compile->model;
	struct text_name names[MODEL_NODES_MAX];
	int ret = 0;

	for (unsigned int key = 0; ret == 0 && key < TEXT_KEYS; key++) {
		const struct model_value *found = &model->part[part].key[key];
		struct text_value value = {.key = (enum text_key)key,
					   .number = found->number,
					   .number2 = found->number2,
					   .string = (char *)(uintptr_t)found->string};

		if (key == TEXT_DISK || is_silent((enum text_key)key, found)) {
			continue;
		}
		if (key == TEXT_OWNS || key == TEXT_AFTER) {
			value.names = effective_names(model, found->nodes, names);
		}
		ret = add_property(compile, part, &value,
				   name_subject(model->node[part].name,
						text_key_word((enum text_key)key), NULL),
				   &found->origin, facts);
	}
	for (uint32_t i = 0; ret == 0 && i < model->part[part].disk_count; i++) {
		const struct model_disk *disk = &model->part[part].disk[i];
		struct text_value value = {.key = TEXT_DISK,
					   .flags = disk->flags,
					   .string = (char *)(uintptr_t)disk->file};

		ret = add_property(compile, part, &value,
				   name_subject(model->node[part].name, "disk", disk->file),
				   &disk->origin, facts);
	}
	return ret;
}

/* Assertions may name them; rules name what they hold. */
static int add_groups(const struct compile *compile, struct effective *facts)
{
	int ret = 0;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		const struct text *text = &compile->text[layer];

		for (size_t i = 0; ret == 0 && compile->has_text[layer] && i < text->count; i++) {
			const struct text_statement *statement = &text->statement[i];
			struct model_origin origin = {.layer = (enum text_layer)layer,
						      .pos = statement->pos};

			if (statement->type == TEXT_GROUP) {
				ret = effective_add(
					facts, compile, statement,
					name_subject("group", statement->name.name, NULL), &origin);
			}
		}
	}
	return ret;
}

static int add_partitions(const struct compile *compile, struct effective *facts)
{
	const struct model *model = &compile->model;
	int ret = 0;

	for (uint32_t part = 0; ret == 0 && part < model->part_count; part++) {
		struct text_statement statement = {.type = TEXT_PARTITION};

		strcpy(statement.name.name, model->node[part].name);
		ret = effective_add(facts, compile, &statement,
				    name_subject("partition", model->node[part].name, NULL),
				    &model->node[part].origin);
		ret = ret ? ret : add_values(compile, part, facts);
	}
	return ret;
}

static int add_claims(const struct compile *compile, struct effective *facts)
{
	const struct model *model = &compile->model;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < model->claim_count; i++) {
		struct text_statement statement = {.type = TEXT_ASSERT,
						   .claim = *model->claim[i].text};
		struct model_origin origin = {.layer = model->claim[i].layer,
					      .pos = model->claim[i].pos};

		ret = effective_add(facts, compile, &statement, NULL, &origin);
		if (ret == 0) {
			struct effective_line *line = &facts->line[facts->count - 1];

			line->claim = true;
			line->subject = strdup(line->text);
			ret = line->subject ? 0 : -ENOMEM;
		}
	}
	return ret;
}

static int add_machine(const struct compile *compile, struct effective *facts)
{
	struct text_statement confirm = {.type = TEXT_CONFIRM,
					 .number = compile->model.confirm_seconds};
	struct text_statement iommu = {.type = TEXT_IOMMU, .number = compile->model.iommu_required};
	int ret = effective_add(facts, compile, &confirm, name_subject("confirm", "", NULL), NULL);

	return ret ? ret
		   : effective_add(facts, compile, &iommu, name_subject("iommu", "", NULL), NULL);
}

int effective_facts(const struct compile *compile, struct effective *ret_facts)
{
	struct effective facts = {0};
	int ret = add_machine(compile, &facts);

	ret = ret ? ret : add_places(compile, &facts);
	ret = ret ? ret : add_carries(compile, &facts);
	ret = ret ? ret : add_partitions(compile, &facts);
	ret = ret ? ret : add_groups(compile, &facts);
	ret = ret ? ret : add_claims(compile, &facts);
	if (ret) {
		effective_fini(&facts);
		return ret;
	}
	*ret_facts = facts;
	return 0;
}

#define ACTIONS_ALL ((1u << 6) - 1)
#define KEYS_ALL    ((1u << TEXT_KEYS) - 1)

static int add_may(const struct compile *compile, struct effective *rights,
		   const struct text_may *may)
{
	struct text_statement statement = {.type = TEXT_MAY, .may = *may};

	return may->actions || may->keys ? effective_add(rights, compile, &statement, NULL, NULL)
					 : 0;
}

/* What a person may do with partitions that are alike in it, and what not. */
static int add_rights(const struct compile *compile, enum text_person person, model_set parts,
		      const struct model_right *right, struct effective *rights)
{
	struct text_name names[MODEL_NODES_MAX];
	struct text_names partitions = effective_names(&compile->model, parts, names);
	struct text_may may = {.person = person, .partitions = partitions};
	int ret;

	may.actions = right->actions;
	ret = add_may(compile, rights, &may);
	may.actions = 0;
	may.keys = person == TEXT_PERSON_IT && right->keys == KEYS_ALL ? 0 : right->keys;
	ret = ret ? ret : add_may(compile, rights, &may);
	may.deny = true;
	may.keys = 0;
	may.actions = ACTIONS_ALL & ~right->actions;
	ret = ret ? ret : add_may(compile, rights, &may);
	may.actions = 0;
	may.keys = person == TEXT_PERSON_IT ? KEYS_ALL & ~right->keys : 0;
	return ret ? ret : add_may(compile, rights, &may);
}

int effective_rights(const struct compile *compile, struct effective *ret_rights)
{
	const struct model *model = &compile->model;
	struct effective rights = {0};
	int ret = 0;

	for (unsigned int person = 0; person < TEXT_PERSONS; person++) {
		const struct model_right *all = model->right[person];
		model_set done = 0;

		for (uint32_t part = 0; ret == 0 && part < model->part_count; part++) {
			model_set same = 0;

			for (uint32_t other = part; other < model->part_count; other++) {
				if (!(done & (1ull << other)) &&
				    all[other].actions == all[part].actions &&
				    all[other].keys == all[part].keys) {
					same |= 1ull << other;
				}
			}
			if (!(done & (1ull << part))) {
				ret = add_rights(compile, (enum text_person)person, same,
						 &all[part], &rights);
			}
			done |= same;
		}
	}
	if (ret) {
		effective_fini(&rights);
		return ret;
	}
	*ret_rights = rights;
	return 0;
}
