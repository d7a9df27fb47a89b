/* SPDX-License-Identifier: Apache-2.0 */
/* A tree file of any content: its top is believed only under its own root, a page only under the
 * top, a dirty map only with its MAC; nothing else happens. */
#define _GNU_SOURCE

#include "dirty_map.h"
#include "hash_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK_SIZE (3 * HASH_TREE_SPAN + 512)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct file *file_of(const uint8_t *data, size_t size)
{
	struct file *file;
	int fd = memfd_create("tree", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size ||
	    file_from_fd(fd, &file) < 0) {
		abort();
	}
	return file;
}

/* The root that the file itself has: so that the pages are reached. */
static void own_root(struct hash_tree *tree, unsigned area, uint8_t ret_root[HASH_TREE_HASH])
{
	static uint8_t top[HASH_TREE_PAGE];
	uint64_t slot_size = hash_tree_slot(tree, 1) - hash_tree_slot(tree, 0);

	if (file_read(hash_tree_file(tree), top, sizeof(top),
		      HASH_TREE_PAGE + 2 * slot_size + area * sizeof(top)) ||
	    hash_tree_hash(top, sizeof(top), ret_root)) {
		abort();
	}
}

static void use_tree(struct hash_tree *tree, unsigned area)
{
	uint8_t root[HASH_TREE_HASH], leaf[HASH_TREE_HASH], wrong[HASH_TREE_HASH] = {1};

	if (hash_tree_load(tree, area, wrong) != -EBADMSG) {
		abort();
	}
	own_root(tree, area, root);
	if (hash_tree_load(tree, area, root) != 0) {
		abort();
	}
	for (uint64_t chunk = 0; chunk < hash_tree_chunk_count(tree); chunk += 64) {
		int rc = hash_tree_get_leaf(tree, chunk, leaf);

		if (rc != 0 && rc != -EBADMSG) {
			abort();
		}
	}
}

static void use_map(struct hash_tree *tree)
{
	uint64_t offset[2] = {hash_tree_slot(tree, 0), hash_tree_slot(tree, 1)};
	uint8_t key[DIRTY_MAP_KEY] = {0};
	struct dirty_map map;

	if (dirty_map_init(&map, hash_tree_file(tree), offset, hash_tree_page_count(tree), key)) {
		abort();
	}
	for (uint64_t epoch = 0; epoch < 3; epoch++) {
		int rc = dirty_map_load(&map, epoch);

		if (rc != 0 && rc != -ENOENT) {
			abort();
		}
	}
	dirty_map_fini(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash_tree *tree;
	struct file *file = file_of(data, size);

	if (hash_tree_open(file, DISK_SIZE, false, &tree) != 0) {
		file_close(file);
		return 0;
	}
	use_map(tree);
	use_tree(tree, 0);
	use_tree(tree, 1);
	hash_tree_close(tree);
	return 0;
}
