/* SPDX-License-Identifier: Apache-2.0 */
/* One statement as text; each value in the one spelling that it has. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "fmt.h"
#include "words.h"

static void print_names(const struct text_names *names, FILE *out)
{
	if (names->count == 0) {
		fputs("none", out);
	}
	for (uint32_t i = 0; i < names->count; i++) {
		fprintf(out, "%s%s", i > 0 ? ", " : "", names->item[i].name);
	}
}

/** `nothing` stands for no bit at all. */
static void print_bits(const struct words *words, uint32_t bits, const char *nothing, FILE *out)
{
	const char *between = "";

	if (bits == 0) {
		fputs(nothing, out);
	}
	for (uint32_t i = 0; i < words->count; i++) {
		if ((bits & 1u << i) != 0) {
			fprintf(out, "%s%s", between, words->word[i]);
			between = ", ";
		}
	}
}

static void print_size(uint64_t size, FILE *out)
{
	uint32_t unit = 0;

	while (unit + 1 < words_size.count && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	fprintf(out, "%" PRIu64 " %s", size, words_size.word[unit]);
}

static void print_time(uint64_t seconds, FILE *out)
{
	uint32_t unit = 0;

	while (unit + 1 < words_time.count && seconds >= 60 && seconds % 60 == 0) {
		seconds /= 60;
		unit++;
	}
	fprintf(out, "%" PRIu64 " %s", seconds, words_time.word[unit]);
}

static void print_disk(const struct text_value *value, FILE *out)
{
	fprintf(out, "disk \"%s\"", value->string);
	for (uint32_t i = 0; i < words_disk.count; i++) {
		if ((value->flags & 1u << i) != 0) {
			fprintf(out, " %s", words_disk.word[i]);
		}
	}
}

static void print_restart(const struct text_value *value, FILE *out)
{
	if (value->number == 0) {
		fputs("restart never", out);
		return;
	}
	fprintf(out, "restart %" PRIu64 " %s within ", value->number,
		value->number == 1 ? "time" : "times");
	print_time(value->number2, out);
}

static void print_health(const struct text_value *value, FILE *out)
{
	fprintf(out, "health %s", words_get(&words_health, (uint32_t)value->number));
	if (value->number != TEXT_HEALTH_NONE) {
		fputs(" within ", out);
		print_time(value->number2, out);
	}
}

static void print_word(const char *key, const struct words *words, uint64_t number, FILE *out)
{
	fprintf(out, "%s %s", key, words_get(words, (uint32_t)number));
}

static void print_value(const struct text_value *value, FILE *out)
{
	const char *key = text_key_word(value->key);

	switch (value->key) {
	case TEXT_TITLE:
		fprintf(out, "title \"%s\"", value->string);
		break;
	case TEXT_COLOUR:
		fprintf(out, "colour #%06" PRIx64, value->number);
		break;
	case TEXT_PATTERN:
		print_word(key, &words_pattern, value->number, out);
		break;
	case TEXT_CLASS:
		print_word(key, &words_class, value->number, out);
		break;
	case TEXT_BACKENDS:
		print_word(key, &words_backends, value->number, out);
		break;
	case TEXT_START:
		print_word(key, &words_start, value->number, out);
		break;
	case TEXT_ORDER:
	case TEXT_VCPUS:
	case TEXT_DOORBELLS:
		fprintf(out, "%s %" PRIu64, key, value->number);
		break;
	case TEXT_MEMORY:
		fputs("memory ", out);
		print_size(value->number, out);
		break;
	case TEXT_CPU_WEIGHT:
		fprintf(out, "cpu weight %" PRIu64, value->number);
		break;
	case TEXT_CPU_CAP:
		fprintf(out, "cpu cap %" PRIu64 "%%", value->number);
		break;
	case TEXT_CPU_GUARANTEE:
		fprintf(out, "cpu guarantee %" PRIu64 "%%", value->number);
		break;
	case TEXT_CACHE:
		fprintf(out, "cache %" PRIu64 "%%", value->number);
		break;
	case TEXT_DISK_RATE:
	case TEXT_NETWORK_RATE:
		fputs(value->key == TEXT_DISK_RATE ? "disk rate " : "network rate ", out);
		print_size(value->number, out);
		fputs("/s", out);
		break;
	case TEXT_DISK:
		print_disk(value, out);
		break;
	case TEXT_DEVICE:
		fputs("device ", out);
		print_bits(&words_device, (uint32_t)value->number, "none", out);
		break;
	case TEXT_OWNS:
	case TEXT_AFTER:
		fprintf(out, "%s ", key);
		print_names(&value->names, out);
		break;
	case TEXT_RESTART:
		print_restart(value, out);
		break;
	case TEXT_HEALTH:
		print_health(value, out);
		break;
	case TEXT_RUN:
		fputs("run ", out);
		print_bits(&words_run, (uint32_t)value->number, "always", out);
		break;
	}
}

static void print_types(const struct text_rule *rule, FILE *out)
{
	const char *between = " types ";

	if (rule->types == text_types_all(rule->kind)) {
		return;
	}
	for (unsigned int bit = 0; text_type_word(rule->kind, bit) != NULL; bit++) {
		if ((rule->types & 1u << bit) != 0) {
			fprintf(out, "%s%s", between, text_type_word(rule->kind, bit));
			between = ", ";
		}
	}
}

static void print_ports(const struct text_rule *rule, FILE *out)
{
	if (rule->port_lo == rule->port_hi) {
		fprintf(out, " port %u", rule->port_lo);
	} else if (rule->port_lo != 0 || rule->port_hi != UINT16_MAX) {
		fprintf(out, " ports %u-%u", rule->port_lo, rule->port_hi);
	}
}

static void print_limits(const struct text_limits *limits, FILE *out)
{
	if (limits->size_max != 0) {
		fputs(" up to ", out);
		print_size(limits->size_max, out);
	}
	if (limits->rate_max != 0) {
		fputs(" rate ", out);
		print_size(limits->rate_max, out);
		fputs("/s", out);
	}
	if (limits->count_max != 0) {
		fprintf(out, " count %u", limits->count_max);
	}
	if (limits->seconds_max != 0) {
		fputs(" for ", out);
		print_time(limits->seconds_max, out);
	}
	fputs(limits->quarantine ? " quarantine" : "", out);
	fputs(limits->readonly ? " read-only" : "", out);
}

static void print_rule(const struct text_rule *rule, FILE *out)
{
	fprintf(out, "%s: %s %s ", rule->id, text_verdict_word(rule->verdict),
		text_kind_word(rule->kind));
	print_names(&rule->from, out);
	fputs(" -> ", out);
	print_names(&rule->to, out);
	print_types(rule, out);
	print_ports(rule, out);
	print_limits(&rule->limits, out);
}

static void print_match(const struct text_match *match, FILE *out)
{
	static const char *const inputs[] = {"keyboard", "pointer"};
	static const char *const outputs[] = {"screen", "speaker"};
	uint32_t digits = match->class_mask == 0xff0000 ? 2 : match->class_mask == 0xffff00 ? 4 : 6;

	if (match->bus == TEXT_BUS_INPUT) {
		fputs(inputs[match->what == TEXT_DEVICE_POINTER], out);
	} else if (match->bus == TEXT_BUS_OUTPUT) {
		fputs(outputs[match->what == 2], out);
	} else if (match->class_mask != 0) {
		fprintf(out, "%s %0*x", match->bus == TEXT_BUS_PCI ? "pci" : "usb", (int)digits,
			match->class_code >> (6 - digits) * 4);
	} else {
		fprintf(out, "%s %04x:%04x", match->bus == TEXT_BUS_PCI ? "pci" : "usb",
			match->vendor, match->product);
	}
}

static void print_role(const struct text_statement *statement, FILE *out)
{
	fprintf(out, "role %s = ", statement->name.name);
	for (uint32_t i = 0; i < statement->role.match_count; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_match(&statement->role.match[i], out);
	}
}

static void print_zone(const struct text_statement *statement, FILE *out)
{
	fprintf(out, "zone %s = ", statement->name.name);
	for (uint32_t i = 0; i < statement->zone.prefix_count; i++) {
		const struct text_prefix *prefix = &statement->zone.prefix[i];
		char shown[INET6_ADDRSTRLEN];

		inet_ntop(prefix->v4 ? AF_INET : AF_INET6, prefix->address + (prefix->v4 ? 12 : 0),
			  shown, sizeof(shown));
		fprintf(out, "%s%s/%u", i > 0 ? ", " : "", shown,
			prefix->length - (prefix->v4 ? 96u : 0u));
	}
	fputs(statement->zone.trusted ? " trusted" : "", out);
}

static void print_may(const struct text_may *may, FILE *out)
{
	fprintf(out, "%s may %s", text_person_word(may->person), may->deny ? "not " : "");
	if (may->keys != 0) {
		fputs("change ", out);
		print_bits(&words_key, may->keys, "", out);
		fputs(" of ", out);
	} else {
		print_bits(&words_action, may->actions, "", out);
		fputc(' ', out);
	}
	print_names(&may->partitions, out);
}

static void print_claim(const struct text_assert *claim, FILE *out)
{
	fprintf(out, "%s ", words_get(&words_claim, claim->claim));
	if (claim->has_kind) {
		fprintf(out, "%s ", text_kind_word(claim->kind));
	}
	fprintf(out, "%s -> %s%s", claim->from.name, claim->to.name,
		claim->ask_closed ? " unless asked" : "");
}

void fmt_statement(const struct text *text, const struct text_statement *statement, FILE *out)
{
	fputs(statement->open ? "default " : "", out);
	switch (statement->type) {
	case TEXT_POLICY:
		fprintf(out, "policy %s \"%s\" version %" PRIu64, text_layer_word(text->layer),
			text->title, text->version);
		break;
	case TEXT_ROLE:
		print_role(statement, out);
		break;
	case TEXT_ZONE:
		print_zone(statement, out);
		break;
	case TEXT_GROUP:
		fprintf(out, "group %s = ", statement->name.name);
		print_names(&statement->names, out);
		break;
	case TEXT_CARRIES:
		fprintf(out, "carries %s -> ", statement->name.name);
		print_names(&statement->names, out);
		break;
	case TEXT_PARTITION:
		fprintf(out, "partition %s", statement->name.name);
		break;
	case TEXT_VALUE:
		print_value(&statement->value, out);
		break;
	case TEXT_RULE:
		print_rule(&statement->rule, out);
		break;
	case TEXT_MAY:
		print_may(&statement->may, out);
		break;
	case TEXT_ASSERT:
		print_claim(&statement->claim, out);
		break;
	case TEXT_CONFIRM:
		fputs("confirm within ", out);
		print_time(statement->number, out);
		break;
	case TEXT_IOMMU:
		fprintf(out, "iommu %s", words_get(&words_iommu, (uint32_t)statement->number));
		break;
	case TEXT_OPEN:
		fputs("partitions", out);
		break;
	}
}
