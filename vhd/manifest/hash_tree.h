/* SPDX-License-Identifier: Apache-2.0 */
/** The hashes of a disk by chunks of 64 KiB, in the file NAME.tree: leaves in pages of 128, one
 * hash over each page (the top), one over the top (the root, which the manifest has). So a leaf is
 * checked with one page of 4 KiB, and sealing touches only pages with changed chunks.
 *
 *  A chunk, a page or a top of nothing but zeros has the hash 0: an empty disk has an empty tree.
 *  There are two places for the top; a new one is written to that which the manifest in force does
 * not name. Pages are replaced in place, only while the dirty map (dirty_map.h) names them.
 *
 *  Context: one thread; on fibers.
 */
#ifndef VHD_HASH_TREE_H
#define VHD_HASH_TREE_H

#include "fiber.h"
#include "file.h"

#define HASH_TREE_SUFFIX   ".tree"
#define HASH_TREE_HASH	   32u
#define HASH_TREE_CHUNK	   (64u << 10)
#define HASH_TREE_PAGE	   4096u
#define HASH_TREE_FAN	   (HASH_TREE_PAGE / HASH_TREE_HASH)
#define HASH_TREE_SPAN	   ((uint64_t)HASH_TREE_CHUNK * HASH_TREE_FAN) /* disk under a page */
#define HASH_TREE_SIZE_MAX (16ull << 40)

/** The leaves of a page. */
struct hash_tree_page {
	uint8_t leaves[HASH_TREE_FAN][HASH_TREE_HASH];
};

struct hash_tree;

/** Takes a file as the tree of a disk of that size. fresh: an empty file, which becomes the tree of
 * an empty disk. Owns the file when 0 is returned. -EBADMSG: it is none of such a disk; -EFBIG;
 * -ENOMEM; -errno. */
VHD_MUST_CHECK int hash_tree_open(struct file *file, uint64_t disk_size, bool fresh,
				  struct hash_tree **ret_tree);
/** NULL is fine. */
void hash_tree_close(struct hash_tree *tree);

uint64_t hash_tree_chunk_count(const struct hash_tree *tree);
uint64_t hash_tree_page_count(const struct hash_tree *tree);

/** Reads the top of an area. -EBADMSG: its hash is not `root`. */
VHD_MUST_CHECK int hash_tree_load(struct hash_tree *tree, unsigned area,
				  const uint8_t root[HASH_TREE_HASH]);
/** Writes the top to an area; not lasting before hash_tree_flush(). */
VHD_MUST_CHECK int hash_tree_store(struct hash_tree *tree, unsigned area,
				   uint8_t ret_root[HASH_TREE_HASH]);

/** The leaves of a page, checked. -EBADMSG. */
VHD_MUST_CHECK int hash_tree_get_page(struct hash_tree *tree, uint64_t page,
				      struct hash_tree_page *ret_page);
VHD_MUST_CHECK int hash_tree_get_leaf(struct hash_tree *tree, uint64_t chunk,
				      uint8_t ret_leaf[HASH_TREE_HASH]);
/** Replaces a page, in the file and in the top in memory. */
VHD_MUST_CHECK int hash_tree_put_page(struct hash_tree *tree, uint64_t page,
				      const struct hash_tree_page *leaves);
VHD_MUST_CHECK int hash_tree_flush(struct hash_tree *tree);

/** For dirty_map.h: the tree's file, and where slot 0 or 1 of the map lies. */
struct file *hash_tree_file(struct hash_tree *tree);
uint64_t hash_tree_slot(const struct hash_tree *tree, unsigned slot);

/** SHA-256, or zeros for zeros. -EIO: the library failed. */
VHD_MUST_CHECK int hash_tree_hash(const void *bytes, size_t size, uint8_t ret_hash[HASH_TREE_HASH]);

#endif
