/* SPDX-License-Identifier: Apache-2.0 */
/** Partitions: what of a recipe and of a policy is taken, and which field is named when it is not.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fakes/scratch.h"
#include "config.h"
#include "policy/lang/text.h"
#include "table_sample.h"

#define MINIMUM "\"kernel\":\"/k\""

static char error[CONFIG_ERROR_SIZE];

static int parse(const char *text, struct config *config)
{
	error[0] = 0;
	return config_parse("d.json", text, strlen(text), config, error);
}

static void refuses(const char *text, const char *message)
{
	struct config config = {.id = 77};

	assert_int_equal(parse(text, &config), -1);
	if (!strstr(error, message)) {
		fail_msg("\"%s\" has no \"%s\"", error, message);
	}
	assert_int_equal(config.id, 77);
}

/* A recipe with every field is taken as it is written. */
static void config_takes_every_field(void **state)
{
	struct config config = {.id = 3};

	(void)state;
	assert_int_equal(parse("{" MINIMUM ",\"initrd\":\"/i\",\"cmdline\":\"a b\"}\n", &config),
			 0);
	assert_string_equal(config.kernel, "/k");
	assert_string_equal(config.initrd, "/i");
	assert_string_equal(config.cmdline, "a b");
	assert_int_equal(config.id, 3);
}

/* A message names file, field and what is wrong; what the policy says has no place here. */
static void config_names_what_is_wrong(void **state)
{
	(void)state;
	refuses("{\"initrd\":\"/i\"}", "d.json:kernel: is missing");
	refuses("{" MINIMUM ",\"memory\":1}", "d.json:memory: no such field");
	refuses("{" MINIMUM ",\"disks\":[]}", "d.json:disks: no such field");
	refuses("{" MINIMUM ",\"initrd\":\"i\"}", "d.json:initrd: must be an absolute path");
	refuses("{" MINIMUM ",\"initrd\":\"/a/../b\"}", "must not contain '..'");
	refuses("{" MINIMUM ",\"initrd\":7}", "d.json:initrd: must be a string");
	refuses("{" MINIMUM ",\"cmdline\":\"a\\u0007\"}", "cmdline: must be printable");
}

/* What is not one strict JSON object is refused with the place. */
static void config_refuses_what_is_not_json(void **state)
{
	(void)state;
	refuses("", "d.json:file: not JSON");
	refuses("[]", "d.json:file: must be an object");
	refuses("{" MINIMUM "", "not JSON");
	refuses("{" MINIMUM "} x", "not JSON");
	refuses("{" MINIMUM ",}", "not JSON");
	refuses("{'name':'a'}", "not JSON");
	refuses("{\"kernel\":[[[[[[[[[[[[]]]]]]]]]]]]}", "not JSON");
}

/* Pointers into the sample, as table_open() sets them; nothing is checked, so tests may change it.
 */
static void open_sample(struct table_sample *sample, struct table *table)
{
	const char *why;

	table_sample_init(sample);
	assert_int_equal(table_open(sample, sizeof(*sample), table, &why), 0);
}

static unsigned int reports;

static void count_report(const char *message)
{
	(void)message;
	reports++;
}

/* A recipe that is wrong or missing is told, and leaves its partition without a kernel. */
static void config_load_tells_wrong_files(void **state)
{
	struct config configs[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	scratch_write("a.json", "{\"kernel\":\"/k\"}");
	scratch_write("b.json", "{");
	reports = 0;
	assert_int_equal(config_load(scratch_folder, configs, 3, count_report), 0);
	assert_int_equal(reports, 2);
	assert_string_equal(configs[0].kernel, "/k");
	assert_string_equal(configs[1].kernel, "");
	assert_string_equal(configs[2].kernel, "");
	assert_int_equal(scratch_remove(), 0);
	assert_int_equal(config_load(scratch_folder, configs, 3, count_report), -ENOENT);
}

/* The recipes of the emulated laptop are right. */
static void config_load_takes_the_laptops_recipes(void **state)
{
	struct config configs[3] = {
		{.name = "desktop"}, {.name = "browser"}, {.name = "management"}};

	(void)state;
	reports = 0;
	assert_int_equal(config_load(DEFS_DIR, configs, 3, count_report), 0);
	assert_int_equal(reports, 0);
}

/* A partition is what the table says of it; who has no title is called by the name, and the same
 * digit twice becomes another one, and the screen has ASCII only. */
static void config_from_policy_takes_the_partitions(void **state)
{
	static struct table_sample sample;
	struct config configs[CONFIG_PARTS_MAX];
	struct table table;

	(void)state;
	open_sample(&sample, &table);
	sample.part[SAMPLE_DESKTOP].order = 1;
	sample.part[SAMPLE_BROWSER].order = 1;
	sample.part[SAMPLE_BROWSER].class = TEXT_CLASS_USER;
	sample.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_DESKTOP].actions = TEXT_SEE;
	sample.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_BROWSER].actions = TEXT_SEE;
	sample.part[SAMPLE_BROWSER].title = 0;
	sample.part[SAMPLE_BROWSER].after = 1u << SAMPLE_DESKTOP;
	sample.part[SAMPLE_BROWSER].restart_count = 5;
	sample.part[SAMPLE_BROWSER].health = TEXT_HEALTH_READY;
	sample.part[SAMPLE_BROWSER].health_seconds = 30;
	assert_int_equal(config_from_policy(&table, configs), 2);
	assert_string_equal(configs[0].name, "desktop");
	assert_int_equal(configs[0].order, 1);
	assert_string_equal(configs[1].name, "browser");
	assert_string_equal(configs[1].title, "browser");
	sample.part[SAMPLE_BROWSER].title = table_sample_string(&sample, "Browser \xc3\xbc");
	config_from_policy(&table, configs);
	assert_string_equal(configs[1].title, "Browser ?");
	assert_int_equal(configs[1].order, 2);
	assert_int_equal(configs[1].after, 1u << SAMPLE_DESKTOP);
	assert_int_equal(configs[1].restarts, 5);
	assert_int_equal(configs[1].ready_seconds, 30);
}

/* IT's own partitions, and those that a user may not see, are never in the switcher. */
static void config_from_policy_hides(void **state)
{
	static struct table_sample sample;
	struct config configs[CONFIG_PARTS_MAX];
	struct table table;

	(void)state;
	open_sample(&sample, &table);
	sample.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_DESKTOP].actions = 0;
	sample.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_BROWSER].actions = TEXT_SEE;
	sample.part[SAMPLE_BROWSER].class = TEXT_CLASS_IT;
	assert_int_equal(config_from_policy(&table, configs), 2);
	assert_int_equal(configs[0].order, 0);
	assert_int_equal(configs[1].order, 0);
}

/* Keys, pointer and pixels are there when the device is given and a rule joins it to the first role
 * that it fits; a question is no rule that does. */
static void config_from_policy_gives_what_rules_join(void **state)
{
	static struct table_sample sample;
	uint32_t input = (TEXT_INPUT * SAMPLE_NODES + SAMPLE_WEBCAM) * SAMPLE_NODES;
	uint32_t display = (TEXT_DISPLAY * SAMPLE_NODES + SAMPLE_DESKTOP) * SAMPLE_NODES;
	struct config configs[CONFIG_PARTS_MAX];
	struct table table;

	(void)state;
	open_sample(&sample, &table);
	assert_int_equal(config_from_policy(&table, configs), 2);
	assert_int_equal(configs[0].devices, TEXT_DEVICE_CONSOLE | TEXT_DEVICE_ENTROPY);
	sample.match[0] = (struct table_match){.bus = TEXT_BUS_INPUT, .what = TEXT_DEVICE_KEYBOARD};
	sample.match[1] = (struct table_match){.bus = TEXT_BUS_OUTPUT, .what = 1};
	sample.cell[input + SAMPLE_DESKTOP] = 1;
	sample.cell[display + SAMPLE_WEBCAM] = 1;
	sample.row[0].verdict = TEXT_ALLOW;
	config_from_policy(&table, configs);
	assert_int_equal(configs[0].devices, TEXT_DEVICE_CONSOLE | TEXT_DEVICE_ENTROPY |
						     TEXT_DEVICE_GPU | TEXT_DEVICE_KEYBOARD);
	sample.part[SAMPLE_DESKTOP].devices = TEXT_DEVICE_GPU;
	sample.row[0].verdict = TEXT_ASK;
	config_from_policy(&table, configs);
	assert_int_equal(configs[0].devices, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_takes_every_field),
		cmocka_unit_test(config_names_what_is_wrong),
		cmocka_unit_test(config_refuses_what_is_not_json),
		cmocka_unit_test(config_load_tells_wrong_files),
		cmocka_unit_test(config_load_takes_the_laptops_recipes),
		cmocka_unit_test(config_from_policy_takes_the_partitions),
		cmocka_unit_test(config_from_policy_hides),
		cmocka_unit_test(config_from_policy_gives_what_rules_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
