/* SPDX-License-Identifier: Apache-2.0 */
/** Tables and text. A field that is missing shows as 0 or nothing. */
#define _GNU_SOURCE
#include "show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static struct json_object *field(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *text_field(struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(field(object, key));

	return text ? text : "";
}

static uint64_t number_field(struct json_object *object, const char *key)
{
	return json_object_get_uint64(field(object, key));
}

static void show_uptime(char *text, size_t size, uint64_t ms)
{
	uint64_t seconds = ms / 1000;

	if (ms == 0) {
		snprintf(text, size, "-");
	} else if (seconds < 3600) {
		snprintf(text, size, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
	} else {
		snprintf(text, size, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600,
			 seconds / 60 % 60, seconds % 60);
	}
}

/* A line for each real device that was looked for. */
static void show_assigned(FILE *out, struct json_object *assigned)
{
	size_t count = json_object_is_type(assigned, json_type_array)
			       ? json_object_array_length(assigned)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *device = json_object_array_get_idx(assigned, i);
		bool has = json_object_get_boolean(field(device, "has"));

		if (text_field(device, "text")[0]) {
			fprintf(out, "  %s %s: %s\n", has ? "has" : "without",
				text_field(device, "role"), text_field(device, "text"));
		}
	}
}

static void show_iommu(FILE *out, struct json_object *iommu)
{
	uint64_t faults = number_field(iommu, "faults");

	if (iommu && !json_object_get_boolean(field(iommu, "active"))) {
		fprintf(out, "warning: no IOMMU: devices reach all memory\n");
	}
	if (faults > 0) {
		fprintf(out, "devices were denied %" PRIu64 " accesses; the log names them\n",
			faults);
	}
}

void show_list(FILE *out, struct json_object *answer)
{
	struct json_object *parts = field(answer, "partitions");
	size_t count =
		json_object_is_type(parts, json_type_array) ? json_object_array_length(parts) : 0;

	fprintf(out, "%-15s %-9s %9s %9s  %s\n", "NAME", "STATE", "MEMORY", "UPTIME", "LAST END");
	for (size_t i = 0; i < count; i++) {
		struct json_object *part = json_object_array_get_idx(parts, i);
		const char *state = text_field(part, "state");
		bool ready = json_object_get_boolean(field(part, "ready"));
		char uptime[32];

		show_uptime(uptime, sizeof(uptime), number_field(part, "uptime_ms"));
		fprintf(out, "%-15s %-9s %5" PRIu64 " MiB %9s  %s\n", text_field(part, "name"),
			ready ? "ready" : state, number_field(part, "memory") >> 20, uptime,
			text_field(part, "reason"));
		show_assigned(out, field(part, "assigned"));
	}
	show_iommu(out, field(answer, "iommu"));
}

static void show_vcpu(FILE *out, size_t index, struct json_object *vcpu, uint64_t khz)
{
	uint64_t run = number_field(vcpu, "run_tsc"), root = number_field(vcpu, "root_tsc"),
		 sum = 0;
	struct json_object *exits = field(vcpu, "exits");

	fprintf(out, "vcpu %zu: ran %" PRIu64 " TSC ticks", index, run);
	if (khz > 0) {
		fprintf(out, " (%" PRIu64 " ms)", run / khz);
	}
	fprintf(out, ", of these %" PRIu64 " in root mode (%.2f %%)\n", root,
		run ? 100.0 * (double)root / (double)run : 0.0);
	fprintf(out, "        put on the CPU %" PRIu64 " times, %" PRIu64 " injections\n",
		number_field(vcpu, "switches"), number_field(vcpu, "injected"));
	if (!json_object_is_type(exits, json_type_object)) {
		return;
	}
	json_object_object_foreach(exits, kind, count)
	{
		uint64_t exits_of_kind = json_object_get_uint64(count);

		sum += exits_of_kind;
		if (exits_of_kind > 0) {
			fprintf(out, "        %-10s %12" PRIu64 "\n", kind, exits_of_kind);
		}
	}
	fprintf(out, "        %-10s %12" PRIu64 "\n", "all exits", sum);
}

void show_stats(FILE *out, struct json_object *answer)
{
	struct json_object *vcpus = field(answer, "vcpus");
	size_t count =
		json_object_is_type(vcpus, json_type_array) ? json_object_array_length(vcpus) : 0;

	for (size_t i = 0; i < count; i++) {
		show_vcpu(out, i, json_object_array_get_idx(vcpus, i),
			  number_field(answer, "tsc_khz"));
	}
}

static void show_changes(FILE *out, struct json_object *changes)
{
	size_t count = json_object_is_type(changes, json_type_array)
			       ? json_object_array_length(changes)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *change = json_object_array_get_idx(changes, i);
		const char *when = text_field(change, "when");

		fprintf(out, "  %s %s: ", text_field(change, "effect"), text_field(change, "text"));
		if (!strcmp(when, "start")) {
			fprintf(out, "at the next start of %s\n", text_field(change, "partition"));
		} else {
			fprintf(out, "%s\n", strcmp(when, "boot") ? "now" : "at the next boot");
		}
	}
}

static void show_trial(FILE *out, struct json_object *trial)
{
	if (!trial) {
		return;
	}
	fprintf(out, "provisional: taken back in %" PRIu64 " s unless it is confirmed\n",
		number_field(trial, "left_ms") / 1000);
	if (json_object_get_boolean(field(trial, "prompt"))) {
		fprintf(out, "  at the prompt on this machine's own screen\n");
	}
	if (json_object_get_boolean(field(trial, "it"))) {
		fprintf(out, "  by IT: bulkhead policy confirm\n");
	}
}

static void show_audit(FILE *out, struct json_object *audit)
{
	if (field(audit, "error")) {
		fprintf(out,
			"WARNING: the audit log cannot be written: %s; what must be on record "
			"is refused\n",
			text_field(audit, "error"));
	} else if (json_object_get_boolean(field(audit, "low"))) {
		fprintf(out,
			"WARNING: the audit log has %" PRIu64 " MiB left; what cannot be on "
			"record is refused. Make room, or bulkhead audit archive\n",
			number_field(audit, "free") >> 20);
	}
}

void show_policy(FILE *out, struct json_object *answer)
{
	struct json_object *layers = field(answer, "layers");
	size_t count =
		json_object_is_type(layers, json_type_array) ? json_object_array_length(layers) : 0;

	fprintf(out, "policy %.16s, serial %" PRIu64 "%s\n", text_field(answer, "hash"),
		number_field(answer, "serial"),
		json_object_get_boolean(field(answer, "root_mode"))
			? ""
			: "; WARNING: root mode goes by another one");
	for (size_t i = 0; i < count; i++) {
		struct json_object *layer = json_object_array_get_idx(layers, i);

		fprintf(out, "  layer %s, version %" PRIu64 "%s\n", text_field(layer, "layer"),
			number_field(layer, "version"),
			json_object_get_boolean(field(layer, "applied")) ? ", applied" : "");
	}
	show_trial(out, field(answer, "provisional"));
	show_audit(out, field(answer, "audit"));
	show_changes(out, field(answer, "changes"));
	if (number_field(answer, "more_changes") > 0) {
		fprintf(out, "  and %" PRIu64 " more\n", number_field(answer, "more_changes"));
	}
}

void show_text(FILE *out, struct json_object *answer, bool raw)
{
	struct json_object *text = field(answer, "text");
	size_t size = text ? (size_t)json_object_get_string_len(text) : 0;
	char *bytes = malloc(size + 1);
	long count = bytes ? text_decode(json_object_get_string(text), size, bytes) : -1;

	for (long i = 0; i < count; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		bool plain = (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t';

		if (raw || plain) {
			fputc(byte, out);
		} else if (byte != '\r') {
			fputc('?', out);
		}
	}
	fflush(out);
	free(bytes);
}
