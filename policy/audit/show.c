/* SPDX-License-Identifier: Apache-2.0 */
/* Records for people and programs; see show.h. */
#define _GNU_SOURCE
#include "show.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* "user 1000" is also found as "user" and as "1000". */
static bool is_who(const char *who, const char *wanted)
{
	const char *blank = strchr(who, ' ');

	return strcmp(who, wanted) == 0 ||
	       (blank &&
		(strcmp(blank + 1, wanted) == 0 ||
		 (strncmp(who, wanted, (size_t)(blank - who)) == 0 && !wanted[blank - who])));
}

static bool fits(const struct show *show, const struct audit_record *record)
{
	return (show->what < 0 || record->what == (enum audit_what)show->what) &&
	       (!show->who || is_who(record->who, show->who)) &&
	       (!show->subject || strcmp(show->subject, record->subject) == 0) &&
	       (!show->rule || strcmp(show->rule, record->rule) == 0) &&
	       record->time_ms >= show->since_ms;
}

static void add_string(struct json_object *object, const char *name, const char *text)
{
	char escaped[4 * AUDIT_TEXT_MAX + 1];

	audit_escape(text, escaped);
	json_object_object_add(object, name, json_object_new_string(escaped));
}

static void print_record(const struct show *show, const struct audit_record *record)
{
	struct json_object *object;

	if (!show->json) {
		audit_print(record, stdout);
		return;
	}
	object = json_object_new_object();
	json_object_object_add(object, "number", json_object_new_uint64(record->number));
	json_object_object_add(object, "time_ms", json_object_new_int64(record->time_ms));
	json_object_object_add(object, "boot_ms", json_object_new_uint64(record->boot_ms));
	add_string(object, "what", audit_what_word(record->what));
	add_string(object, "who", record->who);
	add_string(object, "subject", record->subject);
	add_string(object, "object", record->object);
	add_string(object, "rule", record->rule);
	add_string(object, "text", record->text);
	json_object_object_add(object, "repeats", json_object_new_uint64(record->repeats));
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

int show_begin(struct show *show)
{
	show->ring = show->last ? calloc(show->last, sizeof(*show->ring)) : NULL;
	return show->last && !show->ring ? -ENOMEM : 0;
}

void show_visit(const struct audit_record *record, void *data)
{
	struct show *show = data;

	if (!fits(show, record)) {
		return;
	}
	if (show->ring) {
		show->ring[show->count % show->last] = *record;
	} else {
		print_record(show, record);
	}
	show->count++;
}

void show_end(struct show *show)
{
	uint64_t from = show->count > show->last ? show->count - show->last : 0;

	for (uint64_t i = from; show->ring && i < show->count; i++) {
		print_record(show, &show->ring[i % show->last]);
	}
	free(show->ring);
	show->ring = NULL;
}
