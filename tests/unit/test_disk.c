/* SPDX-License-Identifier: Apache-2.0 */
/** One file under two names among the disks of a policy. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "disk.h"
#include "policy/lang/text.h"

#define NAME_SIZE 64u

static char folder[] = "/tmp/test-disk-XXXXXX";
static char strings[4][NAME_SIZE]; /* two partitions, then the paths of their disks */
static struct table_head head = {.part_count = 2, .node_count = 2, .disk_count = 2};
static struct table_node nodes[2] = {{.name = 0, .first = 0, .count = 1},
				     {.name = NAME_SIZE, .first = 1, .count = 1}};
static struct table_disk disks[2] = {{.file = 2 * NAME_SIZE}, {.file = 3 * NAME_SIZE}};
static const struct table table = {
	.head = &head, .node = nodes, .disk = disks, .string = strings[0]};

static int setup(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	strcpy(strings[0], "desktop");
	strcpy(strings[1], "browser");
	snprintf(strings[2], NAME_SIZE, "%s/a.vhd", folder);
	snprintf(strings[3], NAME_SIZE, "%s/b.vhd", folder);
	disks[0].flags = disks[1].flags = 0;
	fd = open(strings[2], O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	unlink(strings[2]);
	unlink(strings[3]);
	return rmdir(folder) || !strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* Asks about the disk of the first partition, or of the second. */
static bool is_one(uint32_t number, const char **ret_other, const char **ret_path)
{
	const char *path = strings[2 + number];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool one;

	assert_true(fd >= 0);
	one = disk_is_one(&table, path, disks[number].flags, fd, ret_other, ret_path);
	close(fd);
	return one;
}

static void assert_found(void)
{
	const char *other = "", *path = "";

	assert_false(is_one(0, &other, &path));
	assert_string_equal(other, "browser");
	assert_string_equal(path, strings[3]);
	assert_false(is_one(1, &other, &path));
	assert_string_equal(other, "desktop");
	assert_string_equal(path, strings[2]);
}

/* A second name of a file that is written is found, from both sides, whatever sort of link. */
static void disk_finds_a_second_name(void **state)
{
	(void)state;
	assert_int_equal(link(strings[2], strings[3]), 0);
	assert_found();
	assert_int_equal(unlink(strings[3]), 0);
	assert_int_equal(symlink("a.vhd", strings[3]), 0);
	assert_found();
}

/* That one of the two only reads it does not help. */
static void disk_finds_a_reader_of_what_is_written(void **state)
{
	(void)state;
	assert_int_equal(link(strings[2], strings[3]), 0);
	disks[1].flags = TEXT_DISK_READONLY;
	assert_found();
	disks[1].flags = TEXT_DISK_THROWAWAY;
	assert_found();
}

/* What nobody writes may have many names. */
static void disk_lets_readers_name_it_as_they_like(void **state)
{
	const char *other, *path;

	(void)state;
	assert_int_equal(link(strings[2], strings[3]), 0);
	disks[0].flags = TEXT_DISK_READONLY;
	disks[1].flags = TEXT_DISK_THROWAWAY;
	assert_true(is_one(0, &other, &path));
	assert_true(is_one(1, &other, &path));
}

/* Two files are two disks, and one name is one disk: the proofs know both. */
static void disk_takes_what_the_policy_says(void **state)
{
	const char *other, *path;

	(void)state;
	assert_true(is_one(0, &other, &path)); /* the other one is not there */
	strcpy(strings[3], strings[2]);
	assert_true(is_one(0, &other, &path));
	snprintf(strings[3], NAME_SIZE, "%s/b.vhd", folder);
	assert_int_equal(close(open(strings[3], O_CREAT | O_RDWR | O_CLOEXEC, 0600)), 0);
	assert_true(is_one(0, &other, &path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(disk_finds_a_second_name, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_finds_a_reader_of_what_is_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(disk_lets_readers_name_it_as_they_like, setup,
						teardown),
		cmocka_unit_test_setup_teardown(disk_takes_what_the_policy_says, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
