/* SPDX-License-Identifier: Apache-2.0 */
/* From a policy's lines to statements; each message in full is shown by tests/golden/policy.test.
 */
#define _GNU_SOURCE
#include "parse.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct source_set set;
static struct diag_list diags;
static struct text text;

static int begin(void **state)
{
	(void)state;
	return source_init(&set, NULL);
}

static int end(void **state)
{
	(void)state;
	text_fini(&text);
	diag_fini(&diags);
	source_fini(&set);
	return 0;
}

static int parse(const char *body)
{
	char *all;
	size_t errors = diags.error_count;
	int ret, file, size = asprintf(&all, "policy it \"Test\" version 7\n%s", body);

	assert_true(size > 0);
	file = source_add(&set, "layer", all, (size_t)size, &diags);
	free(all);
	assert_true(file >= 0);
	ret = parse_text(&set, (uint32_t)file, &diags, &text);
	if (ret == 0) {
		assert_int_equal(diags.error_count, errors);
	}
	return ret;
}

/* A file that a layer of this set may include. */
static void add_include(const char *name, const char *body)
{
	int file = source_add(&set, name, body, strlen(body), &diags);

	assert_true(file >= 0);
	set.file[file].included = true;
}

/* The one statement behind the policy statement. */
static const struct text_statement *one(const char *body)
{
	assert_int_equal(parse(body), 0);
	assert_int_equal(text.count, 2);
	return &text.statement[1];
}

static const struct text_value *value(const char *property)
{
	char body[200];

	text_fini(&text);
	snprintf(body, sizeof(body), "partition p\n%s\n", property);
	assert_int_equal(parse(body), 0);
	assert_int_equal(text.count, 3);
	assert_int_equal(text.statement[2].type, TEXT_VALUE);
	return &text.statement[2].value;
}

static void assert_error(const char *body, uint32_t line, uint32_t column, const char *message)
{
	size_t count = diags.count;

	assert_int_equal(parse(body), -1);
	assert_true(diags.count > count);
	assert_string_equal(diags.item[count].message, message);
	assert_int_equal(diags.item[count].pos.line, line);
	assert_int_equal(diags.item[count].pos.column, column);
	assert_non_null(diags.item[count].hint);
}

/* The first statement says layer, title and version. */
static void policy_statement_names_the_layer(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(text.layer, TEXT_IT);
	assert_string_equal(text.title, "Test");
	assert_int_equal(text.version, 7);
	assert_int_equal(text.statement[0].type, TEXT_POLICY);
}

/* A file without it is no policy, and an empty one neither. */
static void file_without_policy_statement_is_refused(void **state)
{
	int file = source_add(&set, "x", "# nothing\n", 10, &diags);

	(void)state;
	assert_int_equal(parse_text(&set, (uint32_t)file, &diags, &text), -1);
	file = source_add(&set, "x", "group g = a\n", 12, &diags);
	assert_int_equal(parse_text(&set, (uint32_t)file, &diags, &text), -1);
	assert_int_equal(diags.error_count, 2);
}

/* A rule that names no types and ports is about all of them. */
static void short_rule_is_about_everything(void **state)
{
	const struct text_statement *statement = one("web: allow network a, b -> any");
	const struct text_rule *rule = &statement->rule;

	(void)state;
	assert_int_equal(statement->type, TEXT_RULE);
	assert_false(statement->open);
	assert_string_equal(rule->id, "web");
	assert_int_equal(rule->verdict, TEXT_ALLOW);
	assert_int_equal(rule->kind, TEXT_NETWORK);
	assert_int_equal(rule->from.count, 2);
	assert_string_equal(rule->from.item[1].name, "b");
	assert_int_equal(rule->from.item[1].pos.column, 23);
	assert_string_equal(rule->to.item[0].name, "any");
	assert_int_equal(rule->types, 7);
	assert_int_equal(rule->port_lo, 0);
	assert_int_equal(rule->port_hi, 65535);
}

/* Types, ports and limits of a rule, in any order. */
static void rule_has_types_ports_and_limits(void **state)
{
	const struct text_rule *rule =
		&one("default x: ask clipboard a->b for 2min count 3 types rich,image quarantine "
		     "up to 1MiB rate 5 KiB/s")
			 ->rule;

	(void)state;
	assert_true(text.statement[1].open);
	assert_int_equal(rule->types, 6);
	assert_int_equal(rule->limits.size_max, 1u << 20);
	assert_int_equal(rule->limits.rate_max, 5u << 10);
	assert_int_equal(rule->limits.count_max, 3);
	assert_int_equal(rule->limits.seconds_max, 120);
	assert_true(rule->limits.quarantine);
	assert_false(rule->limits.readonly);
	text_fini(&text);
	rule = &one("x: allow channel a -> b ports 10-20")->rule;
	assert_int_equal(rule->types, 1);
	assert_int_equal(rule->port_lo, 10);
	assert_int_equal(rule->port_hi, 20);
}

/* Each property has its value in the unit that text.h says. */
static void properties_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(value("title \"My # one\"")->string, "My # one");
	assert_int_equal(value("colour #C01c28 # red")->number, 0xc01c28);
	assert_int_equal(value("pattern waves")->number, 4);
	assert_int_equal(value("class it-only")->number, TEXT_CLASS_IT);
	assert_int_equal(value("memory 2GiB")->number, 2ull << 30);
	assert_int_equal(value("cpu guarantee 5 %")->number, 5);
	assert_int_equal(value("cpu guarantee 5 %")->key, TEXT_CPU_GUARANTEE);
	assert_int_equal(value("back-ends control")->number, 1);
	assert_int_equal(value("disk rate 1 MiB/s")->number, 1u << 20);
	assert_int_equal(value("network rate 1 MiB/s")->key, TEXT_NETWORK_RATE);
	assert_int_equal(value("disk \"/a/b\" encrypted read-only")->flags,
			 TEXT_DISK_ENCRYPTED | TEXT_DISK_READONLY);
	assert_int_equal(value("device gpu, console")->number, 5);
	assert_int_equal(value("device none")->number, 0);
	assert_int_equal(value("owns none")->names.count, 0);
	assert_int_equal(value("after a, b")->names.count, 2);
	assert_int_equal(value("start boot")->number, TEXT_START_BOOT);
	assert_int_equal(value("restart 3 times")->number2, 60);
	assert_int_equal(value("restart 3 times within 2 min")->number2, 120);
	assert_int_equal(value("restart never")->number, 0);
	assert_int_equal(value("health ready within 1 h")->number2, 3600);
	assert_int_equal(value("run mains, idle")->number, 3);
	assert_int_equal(value("run always")->number, 0);
}

/* Devices of a role: class with its mask, one product, or what it is for. */
static void role_matches_classes_and_products(void **state)
{
	const struct text_role *role =
		&one("role r = pci 0200, usb 0e, pci 030101, usb 046d:C52b, pointer, speaker")
			 ->role;

	(void)state;
	assert_int_equal(role->match_count, 6);
	assert_int_equal(role->match[0].class_code, 0x020000);
	assert_int_equal(role->match[0].class_mask, 0xffff00);
	assert_int_equal(role->match[0].vendor, UINT32_MAX);
	assert_int_equal(role->match[1].class_mask, 0xff0000);
	assert_int_equal(role->match[2].class_mask, 0xffffff);
	assert_int_equal(role->match[3].vendor, 0x046d);
	assert_int_equal(role->match[3].product, 0xc52b);
	assert_int_equal(role->match[3].class_mask, 0);
	assert_int_equal(role->match[4].bus, TEXT_BUS_INPUT);
	assert_int_equal(role->match[4].what, TEXT_DEVICE_POINTER);
	assert_int_equal(role->match[5].bus, TEXT_BUS_OUTPUT);
	assert_int_equal(role->match[5].what, 2);
}

/* An IPv4 prefix is kept as one of the mapped IPv6 addresses. */
static void zone_keeps_prefixes_of_both_families(void **state)
{
	static const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 0, 0};
	const struct text_zone *zone = &one("zone z = 10.1.0.0/16, fe80::/10 trusted")->zone;

	(void)state;
	assert_int_equal(zone->prefix_count, 2);
	assert_memory_equal(zone->prefix[0].address, mapped, 16);
	assert_int_equal(zone->prefix[0].length, 112);
	assert_true(zone->prefix[0].v4);
	assert_int_equal(zone->prefix[1].address[0], 0xfe);
	assert_int_equal(zone->prefix[1].length, 10);
	assert_true(zone->trusted);
}

/* IPv4 in the clothes of IPv6 would give one address two spellings. */
static void mapped_prefix_is_refused(void **state)
{
	(void)state;
	assert_error("zone z = ::ffff:10.0.0.0/104\n", 2, 10,
		     "the prefix is one of IPv4 in the clothes of IPv6");
	assert_error("zone z = 10.0.0.1/8\n", 2, 10,
		     "the address has bits behind the length of the prefix");
	assert_string_equal(diags.item[diags.count - 1].hint, "write 10.0.0.0/8");
}

/* Rights and the keys that may be changed. */
static void may_statement_has_actions_or_keys(void **state)
{
	const struct text_may *may = &one("default user may see, reset a, b")->may;

	(void)state;
	assert_int_equal(may->person, TEXT_PERSON_USER);
	assert_int_equal(may->actions, TEXT_SEE | TEXT_RESET);
	assert_int_equal(may->partitions.count, 2);
	text_fini(&text);
	may = &one("admin may not change cpu-weight, disk-rate of a")->may;
	assert_true(may->deny);
	assert_int_equal(may->keys, 1u << TEXT_CPU_WEIGHT | 1u << TEXT_DISK_RATE);
	assert_int_equal(may->actions, 0);
}

/* A kind stands in an assertion only when two words are before the arrow. */
static void assertion_kind_is_optional(void **state)
{
	const struct text_assert *claim = &one("never camera -> b unless asked")->claim;

	(void)state;
	assert_false(claim->has_kind);
	assert_string_equal(claim->from.name, "camera");
	assert_true(claim->ask_closed);
	text_fini(&text);
	claim = &one("always camera camera -> b")->claim;
	assert_true(claim->has_kind);
	assert_int_equal(claim->claim, TEXT_ALWAYS);
	assert_int_equal(claim->kind, TEXT_CAMERA);
}

/* A rule may be called like a statement: the colon says what it is. */
static void rule_id_may_be_a_word_of_the_language(void **state)
{
	(void)state;
	assert_int_equal(one("user: deny link a -> b")->type, TEXT_RULE);
	text_fini(&text);
	assert_int_equal(one("default partition: deny link a -> b")->type, TEXT_RULE);
	assert_error("default: deny link a -> b\n", 2, 1, "'default' is a word and no id");
}

/* A property belongs to the partition line right before it. */
static void property_follows_its_partition(void **state)
{
	(void)state;
	assert_error("order 1\n", 2, 1, "the property belongs to no partition");
	assert_error("partition a\norder 1\ngroup g = a\norder 2\n", 5, 1,
		     "the property belongs to no partition");
}

/* After a wrong line nothing that follows is blamed for it. */
static void error_does_not_spread(void **state)
{
	(void)state;
	assert_error("partitoin a\norder 1\nmemory 2 MiB\n", 2, 1,
		     "expected a statement, found 'partitoin'");
	assert_int_equal(diags.error_count, 1);
	assert_string_equal(diags.item[0].hint, "did you mean 'partition'?");
}

/* Every wrong line is named in one run. */
static void all_errors_are_found(void **state)
{
	(void)state;
	assert_int_equal(parse("iommu maybe\ngroup g = g,\nx: allow a\npartition any\n"), -1);
	assert_int_equal(diags.error_count, 4);
}

/* A file of nothing but mistakes is not read to its end. */
static void reading_ends_behind_many_errors(void **state)
{
	char *body = malloc(2000 * 2 + 1);

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		memcpy(body + i * 2, "?\n", 3);
	}
	assert_int_equal(parse(body), -1);
	assert_int_equal(diags.error_count, DIAG_MAX + 1);
	free(body);
}

/* A text is bounded, whatever its files are. */
static void number_of_statements_is_bounded(void **state)
{
	static const char line[] = "iommu wanted\n";
	size_t size = sizeof(line) - 1;
	char *body = malloc(PARSE_STATEMENTS_MAX * size + 1);

	(void)state;
	for (size_t i = 0; i < PARSE_STATEMENTS_MAX; i++) {
		memcpy(body + i * size, line, size + 1);
	}
	assert_error(body, PARSE_STATEMENTS_MAX + 1, 1,
		     "the layer has more than 100000 statements");
	assert_int_equal(diags.error_count, 1);
	body[(PARSE_STATEMENTS_MAX - 1) * size] = '\0';
	assert_int_equal(parse(body), 0);
	free(body);
}

/* Statements of an included file stand where the include is. */
static void include_stands_in_for_its_statements(void **state)
{
	(void)state;
	add_include("a", "include \"b\"\ngroup a = x\n");
	add_include("b", "group b = x\n");
	assert_int_equal(parse("include \"a\"\ngroup c = x\n"), 0);
	assert_int_equal(text.count, 4);
	assert_string_equal(text.statement[1].name.name, "b");
	assert_int_equal(text.statement[1].pos.file, 1);
	assert_string_equal(text.statement[2].name.name, "a");
	assert_string_equal(text.statement[3].name.name, "c");
}

/* A file is included once in a layer; a circle is caught by the same rule. */
static void file_is_included_once_in_a_layer(void **state)
{
	(void)state;
	add_include("a", "include \"b\"\n");
	add_include("b", "include \"a\"\n");
	assert_error("include \"a\"\n", 1, 9, "'a' is included a second time");
	assert_int_equal(diags.item[1].level, DIAG_NOTE);
}

/* Another layer may include the same file again. */
static void every_layer_may_include_a_file(void **state)
{
	(void)state;
	add_include("a", "group a = x\n");
	assert_int_equal(parse("include \"a\"\n"), 0);
	text_fini(&text);
	assert_int_equal(parse("include \"a\"\n"), 0);
	assert_int_equal(set.count, 3);
}

/* Includes are bounded in depth. */
static void include_depth_is_bounded(void **state)
{
	char name[2] = "a", body[32];

	(void)state;
	for (; name[0] < 'a' + (int)SOURCE_DEPTH_MAX - 1; name[0]++) {
		snprintf(body, sizeof(body), "include \"%c\"\n", name[0] + 1);
		add_include(name, body);
	}
	add_include(name, "");
	assert_error("include \"a\"\n", 1, 9, "includes are more than 8 deep");
	assert_int_equal(parse("include \"b\"\n"), 0);
}

/* Only the file of the layer has a policy statement. */
static void included_file_has_no_policy_statement(void **state)
{
	(void)state;
	add_include("a", "policy it \"x\" version 1\n");
	assert_error("include \"a\"\n", 1, 1, "an included file cannot have a policy statement");
	assert_error("policy it \"x\" version 1\n", 2, 1, "there is a second policy statement");
}

/* Numbers that do not fit are refused, however long they are. */
static void great_numbers_are_refused(void **state)
{
	(void)state;
	assert_error("partition p\nmemory 99999999999999999999999 GiB\n", 3, 8,
		     "the number is too great");
	assert_error("partition p\nmemory 18014398509481985 GiB\n", 3, 8,
		     "the memory is out of range");
	assert_error("partition p\nvcpus 18446744073709551617\n", 3, 7,
		     "'18446744073709551617' cannot be the number of vcpus");
	assert_error("x: ask usb a -> b for 5124095576030432 h\n", 2, 23,
		     "the time is out of range");
}

/* Every word of the language has its number, and no other number has a word. */
static void words_are_complete(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		assert_non_null(text_kind_word(kind));
		assert_true(text_types_all(kind) != 0);
	}
	for (unsigned int key = 0; key < TEXT_KEYS; key++) {
		assert_non_null(text_key_word(key));
	}
	assert_null(text_kind_word(TEXT_KINDS));
	assert_null(text_key_word(TEXT_KEYS));
	assert_null(text_layer_word(TEXT_LAYERS));
	assert_null(text_person_word(TEXT_PERSONS));
	assert_string_equal(text_key_word(TEXT_RUN), "run");
	assert_string_equal(text_kind_word(TEXT_DISPLAY), "display");
	assert_string_equal(text_type_word(TEXT_NETWORK, 2), "icmp");
	assert_null(text_type_word(TEXT_NETWORK, 3));
	assert_null(text_type_word(TEXT_USB, 0));
	assert_int_equal(text_types_all(TEXT_USB), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(policy_statement_names_the_layer),
		TEST(file_without_policy_statement_is_refused),
		TEST(short_rule_is_about_everything),
		TEST(rule_has_types_ports_and_limits),
		TEST(properties_are_decoded),
		TEST(role_matches_classes_and_products),
		TEST(zone_keeps_prefixes_of_both_families),
		TEST(mapped_prefix_is_refused),
		TEST(may_statement_has_actions_or_keys),
		TEST(assertion_kind_is_optional),
		TEST(rule_id_may_be_a_word_of_the_language),
		TEST(property_follows_its_partition),
		TEST(error_does_not_spread),
		TEST(all_errors_are_found),
		TEST(reading_ends_behind_many_errors),
		TEST(number_of_statements_is_bounded),
		TEST(include_stands_in_for_its_statements),
		TEST(file_is_included_once_in_a_layer),
		TEST(every_layer_may_include_a_file),
		TEST(include_depth_is_bounded),
		TEST(included_file_has_no_policy_statement),
		TEST(great_numbers_are_refused),
		TEST(words_are_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
