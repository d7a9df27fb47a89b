/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the comparison of what is declared: partitions and their properties, devices, networks,
 * rights, assertions. */
#define _GNU_SOURCE
#include "difference.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effective.h"

int difference_add(struct difference *difference, enum difference_section section,
		   const char *format, ...)
{
	va_list list;
	char *text;
	int size;

	va_start(list, format);
	size = vasprintf(&text, format, list);
	va_end(list);
	if (size < 0) {
		return -ENOMEM;
	}
	if (difference->count == difference->room) {
		uint32_t room = difference->room ? 2 * difference->room : 32;
		struct difference_line *more = realloc(difference->line, room * sizeof(*more));

		if (!more) {
			free(text);
			return -ENOMEM;
		}
		difference->line = more;
		difference->room = room;
	}
	difference->line[difference->count++] = (struct difference_line){section, text};
	return 0;
}

void difference_fini(struct difference *difference)
{
	for (uint32_t i = 0; i < difference->count; i++) {
		free(difference->line[i].text);
	}
	free(difference->line);
	*difference = (struct difference){0};
}

static int compare_lines(const void *a, const void *b)
{
	const struct effective_line *left = a, *right = b;

	return strcmp(left->subject, right->subject);
}

static const struct effective_line *find(const struct effective *sorted,
					 const struct effective_line *line)
{
	return bsearch(line, sorted->line, sorted->count, sizeof(*line), compare_lines);
}

/* What nobody wrote is not worth a line of its own. */
static bool is_built_in(const struct effective_line *line)
{
	return line->inside && line->known && !line->origin.pos.line;
}

/* The partition that a property belongs to, as the beginning of a line. */
static int owner_size(const struct effective_line *line)
{
	return line->inside ? (int)strcspn(line->subject, " ") : 0;
}

static int add_line(struct difference *difference, bool gone, const struct effective_line *line)
{
	int owner = owner_size(line);

	if (is_built_in(line)) {
		return 0;
	}
	if (line->claim) {
		return difference_add(difference, gone ? DIFFERENCE_UNPROVED : DIFFERENCE_PROVED,
				      "%s", line->text);
	}
	return difference_add(difference, DIFFERENCE_FACT, "%s%.*s%s%s",
			      gone ? "gone: " : "new: ", owner, line->subject, owner ? ": " : "",
			      line->text);
}

static int add_facts(const struct effective *old, const struct effective *new,
		     struct difference *difference)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < old->count; i++) {
		const struct effective_line *line = &old->line[i], *now = find(new, line);
		int owner = owner_size(line);

		if (!now) {
			ret = add_line(difference, true, line);
		} else if (strcmp(now->text, line->text)) {
			ret = difference_add(difference, DIFFERENCE_FACT, "%.*s%s%s, was %s", owner,
					     line->subject, owner ? ": " : "", now->text,
					     line->text);
		}
	}
	for (uint32_t i = 0; ret == 0 && i < new->count; i++) {
		if (!find(old, &new->line[i])) {
			ret = add_line(difference, false, &new->line[i]);
		}
	}
	return ret;
}

static int compare_facts(const struct compile *old, const struct compile *new,
			 struct difference *difference)
{
	struct effective old_facts = {0}, new_facts = {0};
	int ret = effective_facts(old, &old_facts);

	ret = ret ? ret : effective_facts(new, &new_facts);
	if (ret == 0) {
		qsort(old_facts.line, old_facts.count, sizeof(*old_facts.line), compare_lines);
		qsort(new_facts.line, new_facts.count, sizeof(*new_facts.line), compare_lines);
		ret = add_facts(&old_facts, &new_facts, difference);
	}
	effective_fini(&old_facts);
	effective_fini(&new_facts);
	return ret;
}

static char *action_words(uint32_t actions)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *between = "";

	if (!out) {
		return NULL;
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		if (actions & (1u << bit)) {
			fprintf(out, "%s%s", between, text_action_word(bit));
			between = ", ";
		}
	}
	fclose(out);
	return text;
}

static char *key_words(uint32_t keys)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *between = "change ";

	if (!out) {
		return NULL;
	}
	for (unsigned int key = 0; key < TEXT_KEYS; key++) {
		if (keys & (1u << key)) {
			fprintf(out, "%s%s", between, text_key_word((enum text_key)key));
			between = ", ";
		}
	}
	fputs(" of", out);
	fclose(out);
	return text;
}

static int add_right(struct difference *difference, enum difference_section section,
		     unsigned int person, const char *part, char *words)
{
	int ret = words ? difference_add(difference, section, "%s: %s %s",
					 text_person_word((enum text_person)person), words, part)
			: -ENOMEM;

	free(words);
	return ret;
}

static int compare_right(unsigned int person, const char *part, const struct model_right *old,
			 const struct model_right *new, struct difference *difference)
{
	int ret = 0;

	if (new->actions & ~old->actions) {
		ret = add_right(difference, DIFFERENCE_RIGHT_GIVEN, person, part,
				action_words(new->actions & ~old->actions));
	}
	if (ret == 0 && new->keys & ~old->keys) {
		ret = add_right(difference, DIFFERENCE_RIGHT_GIVEN, person, part,
				key_words(new->keys & ~old->keys));
	}
	if (ret == 0 && old->actions & ~new->actions) {
		ret = add_right(difference, DIFFERENCE_RIGHT_TAKEN, person, part,
				action_words(old->actions & ~new->actions));
	}
	if (ret == 0 && old->keys & ~new->keys) {
		ret = add_right(difference, DIFFERENCE_RIGHT_TAKEN, person, part,
				key_words(old->keys & ~new->keys));
	}
	return ret;
}

/* Of partitions that both have; a new one is in the list of partitions. */
static int compare_rights(const struct model *old, const struct model *new,
			  struct difference *difference)
{
	int ret = 0;

	for (uint32_t part = 0; part < new->part_count; part++) {
		int before = model_find(old, new->node[part].name);

		if (before < 0 || (uint32_t)before >= old->part_count) {
			continue;
		}
		for (unsigned int person = 0; ret == 0 && person < TEXT_PERSONS; person++) {
			ret = compare_right(person, new->node[part].name,
					    &old->right[person][before], &new->right[person][part],
					    difference);
		}
	}
	return ret;
}

int difference_build(const struct compile *old, const struct compile *new,
		     struct difference *ret_difference)
{
	struct difference difference = {0};
	int ret = difference_add_flows(old, new, &difference);

	ret = ret ? ret : difference_add_reach(old, new, &difference);
	ret = ret ? ret : compare_rights(&old->model, &new->model, &difference);
	ret = ret ? ret : compare_facts(old, new, &difference);
	if (ret) {
		difference_fini(&difference);
		return ret;
	}
	*ret_difference = difference;
	return 0;
}
