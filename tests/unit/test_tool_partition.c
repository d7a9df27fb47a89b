/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions get the numbers that Linux and nbdkit give them, and lie inside of the disk. */
#include "memory_layer.h"
#include "tool_partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECTORS 8192u

static struct memory_layer *disk;
static struct tool_partition list[TOOL_PARTITION_MAX];

static int setup(void **state)
{
	(void)state;
	disk = memory_layer_create((uint64_t)SECTORS * LAYER_SECTOR);
	return disk ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return layer_close(&disk->layer);
}

static uint8_t *sector(unsigned number)
{
	return disk->bytes + (size_t)number * LAYER_SECTOR;
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static void put_mbr(unsigned table, unsigned entry, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *at = sector(table) + 446 + 16 * entry;

	at[4] = type;
	put32(at + 8, first);
	put32(at + 12, count);
	sector(table)[510] = 0x55;
	sector(table)[511] = 0xaa;
}

static void put_gpt(unsigned entry, uint32_t first, uint32_t last)
{
	uint8_t *at = sector(2) + 128 * entry;

	memcpy(sector(1), "EFI PART", 8);
	put32(sector(1) + 72, 2);
	put32(sector(1) + 80, 128);
	put32(sector(1) + 84, 128);
	at[0] = 1;
	put32(at + 32, first);
	put32(at + 40, last);
}

static unsigned list_all(void)
{
	unsigned count = 99;

	assert_int_equal(tool_partition_list(&disk->layer, list, &count), 0);
	return count;
}

/* A GPT partition has the number of its entry, also when there are empty ones before. */
static void partition_of_gpt_has_the_number_of_its_entry(void **state)
{
	(void)state;
	put_gpt(0, 64, 127);
	put_gpt(4, 1024, 2047);
	memcpy(sector(1024) + 3, "NTFS    ", 8);
	assert_int_equal(list_all(), 2);
	assert_int_equal(list[0].number, 1);
	assert_int_equal(list[1].number, 5);
	assert_int_equal(list[1].offset, 1024 * LAYER_SECTOR);
	assert_int_equal(list[1].size, 1024 * LAYER_SECTOR);
	assert_string_equal(list[1].content, "ntfs");
}

/* Logical partitions count from 5, whatever came before them. */
static void partition_inside_an_extended_one_counts_from_5(void **state)
{
	(void)state;
	put_mbr(0, 0, 0x83, 64, 64);
	put_mbr(0, 1, 0x0f, 1024, 4096);
	put_mbr(1024, 0, 0x83, 16, 100);
	put_mbr(1024, 1, 0x05, 512, 512);
	put_mbr(1536, 0, 0x83, 16, 200);
	assert_int_equal(list_all(), 3);
	assert_int_equal(list[1].number, 5);
	assert_int_equal(list[1].offset, 1040 * LAYER_SECTOR);
	assert_int_equal(list[2].number, 6);
	assert_int_equal(list[2].size, 200 * LAYER_SECTOR);
}

/* A chain of logical partitions that leads back to itself ends. */
static void partition_chain_that_loops_ends(void **state)
{
	(void)state;
	put_mbr(0, 0, 0x05, 1024, 4096);
	put_mbr(1024, 0, 0x83, 16, 100);
	put_mbr(1024, 1, 0x05, 0, 512);
	assert_true(list_all() <= TOOL_PARTITION_MAX);
}

/* What lies outside of the disk, or ends before it begins, is left out. */
static void partition_outside_of_the_disk_is_left_out(void **state)
{
	(void)state;
	put_gpt(0, 64, SECTORS);
	put_gpt(1, SECTORS + 5, SECTORS + 9);
	put_gpt(2, 100, 99);
	put_gpt(3, 0xffffffff, 0xffffffff);
	put_gpt(4, 200, SECTORS - 1);
	assert_int_equal(list_all(), 1);
	assert_int_equal(list[0].number, 5);
}

/* A file system that fills the disk has number 0, though its first sector ends like a table. */
static void partition_without_a_table_is_the_whole_disk(void **state)
{
	(void)state;
	put_mbr(0, 0, 0x83, 64, 64);
	memcpy(sector(0) + 82, "FAT32   ", 8);
	assert_int_equal(list_all(), 1);
	assert_int_equal(list[0].number, 0);
	assert_string_equal(list[0].content, "vfat");
	assert_int_equal(list[0].size, disk->layer.size);
}

/* An ext superblock says by its features which ext it is. */
static void partition_content_tells_ext_versions_apart(void **state)
{
	uint8_t *super = sector(2);

	(void)state;
	super[0x38] = 0x53;
	super[0x39] = 0xef;
	list_all();
	assert_string_equal(list[0].content, "ext2");
	super[0x5c] = 4;
	list_all();
	assert_string_equal(list[0].content, "ext3");
	super[0x60] = 0x40;
	list_all();
	assert_string_equal(list[0].content, "ext4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(partition_of_gpt_has_the_number_of_its_entry),
		TEST(partition_inside_an_extended_one_counts_from_5),
		TEST(partition_chain_that_loops_ends),
		TEST(partition_outside_of_the_disk_is_left_out),
		TEST(partition_without_a_table_is_the_whole_disk),
		TEST(partition_content_tells_ext_versions_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
