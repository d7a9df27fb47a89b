/* SPDX-License-Identifier: Apache-2.0 */
/* The file of hashes, and the map of what was written, in its two slots. */
#define _GNU_SOURCE

#include "dirty_map.h"
#include "disk_memory.h"
#include "hash_tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DISK_SIZE (5 * HASH_TREE_SPAN + 3 * 65536 + 512)

static struct disk_memory *disk;
static struct hash_tree *tree;

static struct file *open_file(unsigned flags)
{
	struct file *file;

	assert_int_equal(folder_open_file(disk_memory_folder(disk), "d.tree", flags, &file), 0);
	return file;
}

static void reopen(void)
{
	hash_tree_close(tree);
	assert_int_equal(hash_tree_open(open_file(FOLDER_WRITE), DISK_SIZE, false, &tree), 0);
}

static int setup(void **state)
{
	(void)state;
	disk = disk_memory_create(false);
	return hash_tree_open(open_file(FOLDER_CREATE), DISK_SIZE, true, &tree);
}

static int teardown(void **state)
{
	(void)state;
	hash_tree_close(tree);
	disk_memory_destroy(disk);
	return 0;
}

/* An empty disk has the root 0; leaves that were put are got back under the new root, from each of
 * the two areas. */
static void hash_tree_keeps_leaves(void **state)
{
	static const uint8_t zeros[32];
	struct hash_tree_page page = {0};
	uint8_t root[32], leaf[32];

	(void)state;
	assert_int_equal(hash_tree_chunk_count(tree), 5 * 128 + 4);
	assert_int_equal(hash_tree_page_count(tree), 6);
	assert_int_equal(hash_tree_store(tree, 0, root), 0);
	assert_memory_equal(root, zeros, 32);
	assert_int_equal(hash_tree_get_leaf(tree, 643, leaf), 0);
	assert_memory_equal(leaf, zeros, 32);
	memset(page.leaves[3], 7, 32);
	assert_int_equal(hash_tree_put_page(tree, 5, &page), 0);
	assert_int_equal(hash_tree_store(tree, 1, root), 0);
	assert_int_equal(hash_tree_flush(tree), 0);
	reopen();
	assert_int_equal(hash_tree_load(tree, 0, root), -EBADMSG);
	assert_int_equal(hash_tree_load(tree, 1, root), 0);
	assert_int_equal(hash_tree_get_leaf(tree, 643, leaf), 0);
	assert_memory_equal(leaf, page.leaves[3], 32);
	assert_int_equal(hash_tree_get_leaf(tree, 1, leaf), 0);
	assert_memory_equal(leaf, zeros, 32);
}

/* A changed leaf in the file is found when its page is used, not before. */
static void hash_tree_finds_a_changed_page(void **state)
{
	struct hash_tree_page page = {0};
	uint8_t root[32], leaf[32];
	uint64_t size;

	(void)state;
	page.leaves[0][0] = 1;
	assert_int_equal(hash_tree_put_page(tree, 4, &page), 0);
	assert_int_equal(hash_tree_put_page(tree, 5, &page), 0);
	assert_int_equal(hash_tree_store(tree, 0, root), 0);
	assert_int_equal(file_get_size(hash_tree_file(tree), &size), 0);
	assert_int_equal(file_write(hash_tree_file(tree), "x", 1, size - 1), 0);
	reopen();
	assert_int_equal(hash_tree_load(tree, 0, root), 0);
	assert_int_equal(hash_tree_get_leaf(tree, 4 * 128, leaf), 0);
	assert_int_equal(hash_tree_get_leaf(tree, 5 * 128, leaf), -EBADMSG);
}

/* A tree of another disk, or rubbish, is none. */
static void hash_tree_refuses_other_files(void **state)
{
	struct hash_tree *other = NULL;
	struct file *file;

	(void)state;
	file = open_file(FOLDER_WRITE);
	assert_int_equal(hash_tree_open(file, DISK_SIZE + 512, false, &other), -EBADMSG);
	assert_int_equal(hash_tree_open(file, HASH_TREE_SIZE_MAX + 512, true, &other), -EFBIG);
	assert_int_equal(file_write(file, "rubbish", 7, 0), 0);
	assert_int_equal(hash_tree_open(file, DISK_SIZE, false, &other), -EBADMSG);
	assert_null(other);
	file_close(file);
}

static void init_map(struct dirty_map *map, uint8_t key_byte)
{
	uint64_t offset[2] = {hash_tree_slot(tree, 0), hash_tree_slot(tree, 1)};
	uint8_t key[32] = {key_byte};

	assert_int_equal(dirty_map_init(map, hash_tree_file(tree), offset, 6, key), 0);
}

/* The newest slot of the epoch counts; when it is torn, the one before it does. */
static void dirty_map_has_two_slots(void **state)
{
	struct dirty_map map, again;
	uint8_t one = 1, three = 3, byte;

	(void)state;
	init_map(&map, 5);
	init_map(&again, 5);
	assert_int_equal(dirty_map_load(&again, 9), -ENOENT);
	assert_int_equal(dirty_map_store(&map, 9, &one, false), 0);
	assert_int_equal(dirty_map_load(&again, 9), 0);
	assert_int_equal(again.bits[0], 1);
	assert_int_equal(dirty_map_store(&map, 9, &three, true), 0);
	assert_int_equal(dirty_map_load(&again, 9), 0);
	assert_int_equal(again.bits[0], 3);
	assert_true(again.pinned_dirty);
	assert_int_equal(dirty_map_load(&again, 10), -ENOENT);
	assert_int_equal(file_read(map.file, &byte, 1, map.offset[map.slot] + 64), 0);
	byte ^= 4;
	assert_int_equal(file_write(map.file, &byte, 1, map.offset[map.slot] + 64), 0);
	assert_int_equal(dirty_map_load(&again, 9), 0);
	assert_int_equal(again.bits[0], 1);
	assert_false(again.pinned_dirty);
	dirty_map_fini(&map);
	dirty_map_fini(&again);
}

/* Nobody without the key makes a map that counts. */
static void dirty_map_needs_its_key(void **state)
{
	struct dirty_map map, thief;
	uint8_t all = 0x3f;

	(void)state;
	init_map(&map, 5);
	init_map(&thief, 6);
	assert_int_equal(dirty_map_store(&thief, 9, &all, false), 0);
	assert_int_equal(dirty_map_load(&map, 9), -ENOENT);
	dirty_map_fini(&map);
	dirty_map_fini(&thief);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hash_tree_keeps_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(hash_tree_finds_a_changed_page, setup, teardown),
		cmocka_unit_test_setup_teardown(hash_tree_refuses_other_files, setup, teardown),
		cmocka_unit_test_setup_teardown(dirty_map_has_two_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(dirty_map_needs_its_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
