/* SPDX-License-Identifier: Apache-2.0 */
/** Partition definitions: what is taken, and which field is named when it is not. */
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
#include "config.h"
#include "ui/proto/switcher.h"

#define MINIMUM "\"name\":\"desktop\",\"id\":1,\"order\":1,\"kernel\":\"/k\""

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

/* A definition with every field is taken as it is written. */
static void config_takes_every_field(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(
		parse("{" MINIMUM
		      ",\"title\":\"Desktop\",\"colour\":\"#2f7D32\",\"pattern\":\"stripes\","
		      "\"autostart\":true,\"restart\":\"never\",\"initrd\":\"/i\",\"cmdline\":\"a "
		      "b\","
		      "\"disks\":[{\"path\":\"/d0\",\"readonly\":true},{\"path\":\"/d1\"}],"
		      "\"devices\":[\"console\",\"gpu\"],\"assigned\":[\"nic\",\"wifi-2\"]}\n",
		      &config),
		0);
	assert_string_equal(config.name, "desktop");
	assert_string_equal(config.title, "Desktop");
	assert_int_equal(config.colour, 0x2f7d32);
	assert_int_equal(config.pattern, SWITCHER_STRIPES);
	assert_true(config.autostart);
	assert_false(config.restart);
	assert_string_equal(config.initrd, "/i");
	assert_string_equal(config.cmdline, "a b");
	assert_int_equal(config.disk_count, 2);
	assert_true(config.disk[0].readonly);
	assert_false(config.disk[1].readonly);
	assert_int_equal(config.devices, CONFIG_CONSOLE | CONFIG_GPU);
	assert_int_equal(config.assigned_count, 2);
	assert_string_equal(config.assigned[1], "wifi-2");
}

/* Roles of assigned devices are words of the policy, few, and each once. */
static void config_checks_assigned(void **state)
{
	(void)state;
	refuses("{" MINIMUM ",\"assigned\":\"nic\"}", "d.json:assigned: must be an array");
	refuses("{" MINIMUM ",\"assigned\":[1]}", "d.json:assigned[0]: must be a string");
	refuses("{" MINIMUM ",\"assigned\":[\"\"]}", "d.json:assigned[0]: must have 1 to 15");
	refuses("{" MINIMUM ",\"assigned\":[\"nic\",\"N\"]}", "d.json:assigned[1]: must be a lower-case");
	refuses("{" MINIMUM ",\"assigned\":[\"nic\",\"nic\"]}", "d.json:assigned[1]: is there twice");
	refuses("{" MINIMUM ",\"assigned\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}",
		"d.json:assigned: must have at most 4");
}

/* What is left out: not started by itself, restarted on failure, called by its name. */
static void config_has_defaults(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(parse("{" MINIMUM "}", &config), 0);
	assert_false(config.autostart);
	assert_true(config.restart);
	assert_string_equal(config.title, "desktop");
	assert_int_equal(config.disk_count, 0);
}

/* A message names file, field and what is wrong. */
static void config_names_what_is_wrong(void **state)
{
	(void)state;
	refuses("{\"name\":\"desktop\",\"order\":1,\"kernel\":\"/k\"}", "d.json:id: is missing");
	refuses("{" MINIMUM ",\"colr\":1}", "d.json:colr: no such field");
	refuses("{" MINIMUM ",\"colour\":\"red\"}", "d.json:colour: must be like");
	refuses("{" MINIMUM ",\"colour\":\"#12345g\"}", "colour");
	refuses("{" MINIMUM ",\"pattern\":\"zebra\"}", "d.json:pattern: must be plain");
	refuses("{" MINIMUM ",\"autostart\":1}", "d.json:autostart: must be true or false");
	refuses("{" MINIMUM ",\"restart\":\"often\"}", "d.json:restart");
	refuses("{" MINIMUM ",\"initrd\":\"i\"}", "d.json:initrd: must be an absolute path");
	refuses("{" MINIMUM ",\"initrd\":\"/a/../b\"}", "must not contain '..'");
	refuses("{" MINIMUM ",\"disks\":{}}", "d.json:disks: must be an array");
	refuses("{" MINIMUM ",\"disks\":[{\"readonly\":true}]}",
		"d.json:disks[0]: path is missing");
	refuses("{" MINIMUM ",\"disks\":[{\"path\":\"/a\",\"size\":1}]}",
		"disks[0].size: no such field");
	refuses("{" MINIMUM ",\"devices\":[\"console\",\"tpm\"]}", "d.json:devices[1]: must be");
	refuses("{" MINIMUM ",\"devices\":[\"gpu\",\"gpu\"]}", "devices[1]: is there twice");
	refuses("{" MINIMUM ",\"title\":\"a\\u0007\"}", "title: must be printable");
}

/* Names can go into paths and process names; numbers have a range. */
static void config_keeps_names_and_numbers_in_range(void **state)
{
	(void)state;
	refuses("{\"name\":\"../x\",\"id\":1,\"order\":1,\"kernel\":\"/k\"}", "d.json:name");
	refuses("{\"name\":\"Desktop\",\"id\":1,\"order\":1,\"kernel\":\"/k\"}", "d.json:name");
	refuses("{\"name\":\"\",\"id\":1,\"order\":1,\"kernel\":\"/k\"}", "d.json:name");
	refuses("{\"name\":\"abcdefghijklmnop\",\"id\":1,\"order\":1,\"kernel\":\"/k\"}",
		"d.json:name");
	refuses("{\"name\":\"a\",\"id\":0,\"order\":1,\"kernel\":\"/k\"}",
		"d.json:id: must be 1 to 15");
	refuses("{\"name\":\"a\",\"id\":16,\"order\":1,\"kernel\":\"/k\"}",
		"d.json:id: must be 1 to 15");
	refuses("{\"name\":\"a\",\"id\":18446744073709551617,\"order\":1,\"kernel\":\"/k\"}",
		"d.json:id");
	refuses("{\"name\":\"a\",\"id\":1.5,\"order\":1,\"kernel\":\"/k\"}",
		"d.json:id: must be a whole");
	refuses("{\"name\":\"a\",\"id\":1,\"order\":10,\"kernel\":\"/k\"}",
		"d.json:order: must be 1 to 9");
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
	refuses("{\"disks\":[[[[[[[[[[[[]]]]]]]]]]]]}", "not JSON");
}

static unsigned int reports;

static void count_report(const char *message)
{
	(void)message;
	reports++;
}

static void put(const char *directory, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Wrong files and second holders of a name, id or order are left out, the others are taken in
 * order. */
static void config_load_leaves_out_wrong_files(void **state)
{
	struct config configs[CONFIG_PARTS_MAX];
	char directory[] = "/tmp/test-config-XXXXXX", command[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	put(directory, "a.json", "{\"name\":\"a\",\"id\":1,\"order\":2,\"kernel\":\"/k\"}");
	put(directory, "b.json", "{\"name\":\"b\",\"id\":2,\"order\":1,\"kernel\":\"/k\"}");
	put(directory, "c.json", "{\"name\":\"c\",\"id\":1,\"order\":3,\"kernel\":\"/k\"}");
	put(directory, "d.json", "{");
	put(directory, "e.json.old", "{");
	reports = 0;
	assert_int_equal(config_load(directory, configs, count_report), 2);
	assert_int_equal(reports, 2);
	assert_string_equal(configs[0].name, "b");
	assert_string_equal(configs[1].name, "a");
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(config_load(directory, configs, count_report), -ENOENT);
}

/* The definitions of the emulated laptop are right. */
static void config_load_takes_the_laptops_definitions(void **state)
{
	struct config configs[CONFIG_PARTS_MAX];

	(void)state;
	reports = 0;
	assert_int_equal(config_load(DEFS_DIR, configs, count_report), 3);
	assert_int_equal(reports, 0);
	assert_string_equal(configs[0].name, "desktop");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_takes_every_field),
		cmocka_unit_test(config_checks_assigned),
		cmocka_unit_test(config_has_defaults),
		cmocka_unit_test(config_names_what_is_wrong),
		cmocka_unit_test(config_keeps_names_and_numbers_in_range),
		cmocka_unit_test(config_refuses_what_is_not_json),
		cmocka_unit_test(config_load_leaves_out_wrong_files),
		cmocka_unit_test(config_load_takes_the_laptops_definitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
