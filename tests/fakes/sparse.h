/* SPDX-License-Identifier: Apache-2.0 */
/** Bytes of a file in memory: only pages that were written take space, and copies share their
 * pages, so that thousands of states of one disk are cheap. Out of memory ends the test.
 */
#ifndef TEST_SPARSE_H
#define TEST_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#define SPARSE_PAGE 4096u

struct sparse_page;

struct sparse_entry {
	uint64_t number; /* offset / SPARSE_PAGE */
	struct sparse_page *page;
};

/** All zero: an empty file. */
struct sparse {
	uint64_t size;
	struct sparse_entry *entries; /* sorted by number */
	size_t count, capacity;
};

/** Bytes past the end read as zeros. */
void sparse_read(const struct sparse *sparse, void *ret_bytes, size_t size, uint64_t offset);
/** Grows the file when needed. */
void sparse_write(struct sparse *sparse, const void *bytes, size_t size, uint64_t offset);
/** Never changes the size. */
void sparse_zero(struct sparse *sparse, uint64_t offset, uint64_t size);
void sparse_resize(struct sparse *sparse, uint64_t size);

/** How many pages a write there would add. */
size_t sparse_missing(const struct sparse *sparse, size_t size, uint64_t offset);

/** The next run of pages at or after `offset`; *ret_size 0: none. */
void sparse_find(const struct sparse *sparse, uint64_t offset, uint64_t *ret_offset,
		 uint64_t *ret_size);

/** Makes `to`, which is empty, a copy of `from`. */
void sparse_copy(struct sparse *to, const struct sparse *from);
void sparse_clear(struct sparse *sparse);

#endif
