/* SPDX-License-Identifier: Apache-2.0 */
/* The file is hostile: nothing in it is used before a hash that leads to the root was compared. */
#include "hash_tree.h"

#include "dirty_map.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_PAGES 16u /* 128 MiB of disk */

/* First page of the file; only tells a person's mistake early, the root decides. */
struct header {
	char magic[8];
	uint8_t disk_size[8]; /* little endian */
};

static const char header_magic[8] = {'B', 'H', 'T', 'R', 'E', 'E', '0', '1'};

struct cached {
	uint64_t number; /* page + 1; 0: none */
	struct hash_tree_page page;
};

struct hash_tree {
	struct file *file;
	uint64_t chunk_count, page_count;
	uint64_t slot_size, top_size; /* each a multiple of HASH_TREE_PAGE */
	uint8_t *top;		      /* a hash a page, top_size bytes */
	struct fiber_mutex mutex;     /* of pages on their way from or to the file */
	struct cached cache[CACHE_PAGES];
};

int hash_tree_hash(const void *bytes, size_t size, uint8_t ret_hash[HASH_TREE_HASH])
{
	const uint8_t *at = bytes;

	if (size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0)) {
		memset(ret_hash, 0, HASH_TREE_HASH);
		return 0;
	}
	return EVP_Digest(bytes, size, ret_hash, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

static uint64_t top_offset(const struct hash_tree *tree, unsigned area)
{
	return HASH_TREE_PAGE + 2 * tree->slot_size + area * tree->top_size;
}

static uint64_t page_offset(const struct hash_tree *tree, uint64_t page)
{
	return top_offset(tree, 2) + page * HASH_TREE_PAGE;
}

uint64_t hash_tree_slot(const struct hash_tree *tree, unsigned slot)
{
	return HASH_TREE_PAGE + slot * tree->slot_size;
}

struct file *hash_tree_file(struct hash_tree *tree)
{
	return tree->file;
}

uint64_t hash_tree_chunk_count(const struct hash_tree *tree)
{
	return tree->chunk_count;
}

uint64_t hash_tree_page_count(const struct hash_tree *tree)
{
	return tree->page_count;
}

static void make_header(struct header *header, uint64_t disk_size)
{
	memcpy(header->magic, header_magic, sizeof(header_magic));
	for (unsigned i = 0; i < 8; i++) {
		header->disk_size[i] = (uint8_t)(disk_size >> (8 * i));
	}
}

static int check_header(struct file *file, uint64_t disk_size, bool fresh)
{
	struct header wanted, found;
	int rc;

	make_header(&wanted, disk_size);
	if (fresh) {
		return file_write(file, &wanted, sizeof(wanted), 0);
	}
	rc = file_read(file, &found, sizeof(found), 0);
	return rc ? rc : memcmp(&wanted, &found, sizeof(found)) == 0 ? 0 : -EBADMSG;
}

int hash_tree_open(struct file *file, uint64_t disk_size, bool fresh, struct hash_tree **ret_tree)
{
	struct hash_tree *tree;
	int rc;

	if (disk_size > HASH_TREE_SIZE_MAX) {
		return -EFBIG;
	}
	rc = check_header(file, disk_size, fresh);
	if (rc < 0) {
		return rc;
	}
	tree = calloc(1, sizeof(*tree));
	if (!tree) {
		return -ENOMEM;
	}
	tree->chunk_count = round_up(disk_size, HASH_TREE_CHUNK) / HASH_TREE_CHUNK;
	tree->page_count = round_up(disk_size, HASH_TREE_SPAN) / HASH_TREE_SPAN;
	tree->slot_size = round_up(dirty_map_slot_size(tree->page_count), HASH_TREE_PAGE);
	tree->top_size = round_up(tree->page_count * HASH_TREE_HASH, HASH_TREE_PAGE);
	tree->top = calloc(1, (size_t)tree->top_size);
	if (!tree->top) {
		free(tree);
		return -ENOMEM;
	}
	tree->file = file;
	*ret_tree = tree;
	return 0;
}

void hash_tree_close(struct hash_tree *tree)
{
	if (tree) {
		file_close(tree->file);
		free(tree->top);
		free(tree);
	}
}

int hash_tree_load(struct hash_tree *tree, unsigned area, const uint8_t root[HASH_TREE_HASH])
{
	uint8_t hash[HASH_TREE_HASH];
	int rc = file_read(tree->file, tree->top, (size_t)tree->top_size, top_offset(tree, area));

	rc = rc ? rc : hash_tree_hash(tree->top, (size_t)tree->top_size, hash);
	if (!rc && memcmp(hash, root, sizeof(hash)) != 0) {
		rc = -EBADMSG;
	}
	return rc;
}

int hash_tree_store(struct hash_tree *tree, unsigned area, uint8_t ret_root[HASH_TREE_HASH])
{
	int rc = file_write(tree->file, tree->top, (size_t)tree->top_size, top_offset(tree, area));

	return rc ? rc : hash_tree_hash(tree->top, (size_t)tree->top_size, ret_root);
}

static uint8_t *top_of(struct hash_tree *tree, uint64_t page)
{
	return tree->top + page * HASH_TREE_HASH;
}

static int load_page(struct hash_tree *tree, uint64_t page, struct cached *cached)
{
	static const uint8_t zeros[HASH_TREE_HASH];
	uint8_t hash[HASH_TREE_HASH];
	int rc = 0;

	if (cached->number == page + 1) {
		return 0;
	}
	cached->number = 0;
	if (memcmp(top_of(tree, page), zeros, HASH_TREE_HASH) == 0) {
		memset(&cached->page, 0, sizeof(cached->page));
	} else {
		rc = file_read(tree->file, &cached->page, HASH_TREE_PAGE, page_offset(tree, page));
		rc = rc ? rc : hash_tree_hash(&cached->page, HASH_TREE_PAGE, hash);
		if (!rc && memcmp(hash, top_of(tree, page), HASH_TREE_HASH) != 0) {
			rc = -EBADMSG;
		}
	}
	if (!rc) {
		cached->number = page + 1;
	}
	return rc;
}

/* Takes the mutex; the caller gives it back. */
static int lock_page(struct hash_tree *tree, uint64_t page, struct cached **ret_cached)
{
	*ret_cached = &tree->cache[page % CACHE_PAGES];
	fiber_mutex_lock(&tree->mutex);
	return load_page(tree, page, *ret_cached);
}

int hash_tree_get_page(struct hash_tree *tree, uint64_t page, struct hash_tree_page *ret_page)
{
	struct cached *cached;
	int rc = lock_page(tree, page, &cached);

	if (!rc) {
		*ret_page = cached->page;
	}
	fiber_mutex_unlock(&tree->mutex);
	return rc;
}

int hash_tree_get_leaf(struct hash_tree *tree, uint64_t chunk, uint8_t ret_leaf[HASH_TREE_HASH])
{
	struct cached *cached;
	int rc = lock_page(tree, chunk / HASH_TREE_FAN, &cached);

	if (!rc) {
		memcpy(ret_leaf, cached->page.leaves[chunk % HASH_TREE_FAN], HASH_TREE_HASH);
	}
	fiber_mutex_unlock(&tree->mutex);
	return rc;
}

int hash_tree_put_page(struct hash_tree *tree, uint64_t page, const struct hash_tree_page *leaves)
{
	struct cached *cached = &tree->cache[page % CACHE_PAGES];
	uint8_t hash[HASH_TREE_HASH];
	int rc = hash_tree_hash(leaves, HASH_TREE_PAGE, hash);

	if (rc < 0) {
		return rc;
	}
	fiber_mutex_lock(&tree->mutex);
	if (memcmp(hash, top_of(tree, page), HASH_TREE_HASH) != 0) {
		cached->number = cached->number == page + 1 ? 0 : cached->number;
		rc = file_write(tree->file, leaves, HASH_TREE_PAGE, page_offset(tree, page));
		if (!rc) {
			memcpy(top_of(tree, page), hash, HASH_TREE_HASH);
		}
	}
	fiber_mutex_unlock(&tree->mutex);
	return rc;
}

int hash_tree_flush(struct hash_tree *tree)
{
	return file_flush(tree->file);
}
