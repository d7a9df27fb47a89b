/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of a file by pages, which copies of the file share until one is written. */
#include "sparse.h"

#include <stdlib.h>
#include <string.h>

struct sparse_page {
	unsigned refs; /* files that share it */
	uint8_t bytes[SPARSE_PAGE];
};

static void *must(void *memory)
{
	if (!memory) {
		abort();
	}
	return memory;
}

/* The first entry whose number is not below. */
static size_t find(const struct sparse *sparse, uint64_t number)
{
	size_t low = 0, high = sparse->count;

	if (high && sparse->entries[high - 1].number < number) {
		return high;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sparse->entries[middle].number < number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static const struct sparse_page *look(const struct sparse *sparse, uint64_t number)
{
	size_t i = find(sparse, number);

	return i < sparse->count && sparse->entries[i].number == number ? sparse->entries[i].page
									: NULL;
}

static void drop_page(struct sparse_page *page)
{
	if (--page->refs == 0) {
		free(page);
	}
}

static void insert(struct sparse *sparse, size_t i, uint64_t number)
{
	if (sparse->count == sparse->capacity) {
		sparse->capacity = sparse->capacity ? sparse->capacity * 2 : 16;
		sparse->entries =
			must(realloc(sparse->entries, sparse->capacity * sizeof(*sparse->entries)));
	}
	memmove(sparse->entries + i + 1, sparse->entries + i,
		(sparse->count - i) * sizeof(*sparse->entries));
	sparse->entries[i].number = number;
	sparse->entries[i].page = must(calloc(1, sizeof(struct sparse_page)));
	sparse->entries[i].page->refs = 1;
	sparse->count++;
}

/* A page of this file alone, to be changed. */
static struct sparse_page *own(struct sparse *sparse, uint64_t number)
{
	size_t i = find(sparse, number);
	struct sparse_page *page, *copy;

	if (i == sparse->count || sparse->entries[i].number != number) {
		insert(sparse, i, number);
	}
	page = sparse->entries[i].page;
	if (page->refs == 1) {
		return page;
	}
	copy = must(malloc(sizeof(*copy)));
	memcpy(copy->bytes, page->bytes, SPARSE_PAGE);
	copy->refs = 1;
	page->refs--;
	sparse->entries[i].page = copy;
	return copy;
}

static size_t part_of_page(uint64_t offset, uint64_t size)
{
	size_t rest = SPARSE_PAGE - (size_t)(offset % SPARSE_PAGE);

	return size < rest ? (size_t)size : rest;
}

void sparse_read(const struct sparse *sparse, void *ret_bytes, size_t size, uint64_t offset)
{
	uint8_t *bytes = ret_bytes;

	while (size) {
		size_t n = part_of_page(offset, size);
		const struct sparse_page *page = look(sparse, offset / SPARSE_PAGE);

		if (page) {
			memcpy(bytes, page->bytes + offset % SPARSE_PAGE, n);
		} else {
			memset(bytes, 0, n);
		}
		bytes += n;
		offset += n;
		size -= n;
	}
}

void sparse_write(struct sparse *sparse, const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *from = bytes;

	if (size && offset + size > sparse->size) {
		sparse->size = offset + size;
	}
	while (size) {
		size_t n = part_of_page(offset, size);

		memcpy(own(sparse, offset / SPARSE_PAGE)->bytes + offset % SPARSE_PAGE, from, n);
		from += n;
		offset += n;
		size -= n;
	}
}

static void remove_pages(struct sparse *sparse, uint64_t first, uint64_t end)
{
	size_t from = find(sparse, first), to = find(sparse, end);

	for (size_t i = from; i < to; i++) {
		drop_page(sparse->entries[i].page);
	}
	memmove(sparse->entries + from, sparse->entries + to,
		(sparse->count - to) * sizeof(*sparse->entries));
	sparse->count -= to - from;
}

static void zero_part(struct sparse *sparse, uint64_t offset, size_t size)
{
	if (size && look(sparse, offset / SPARSE_PAGE)) {
		memset(own(sparse, offset / SPARSE_PAGE)->bytes + offset % SPARSE_PAGE, 0, size);
	}
}

static void zero_range(struct sparse *sparse, uint64_t offset, uint64_t end)
{
	uint64_t first = (offset + SPARSE_PAGE - 1) / SPARSE_PAGE, last = end / SPARSE_PAGE;

	if (!sparse->count || offset >= end) {
		return;
	}
	if (first > last) {
		zero_part(sparse, offset, (size_t)(end - offset));
		return;
	}
	zero_part(sparse, offset, (size_t)(first * SPARSE_PAGE - offset));
	remove_pages(sparse, first, last);
	zero_part(sparse, last * SPARSE_PAGE, (size_t)(end - last * SPARSE_PAGE));
}

void sparse_zero(struct sparse *sparse, uint64_t offset, uint64_t size)
{
	if (offset < sparse->size) {
		size = size < sparse->size - offset ? size : sparse->size - offset;
		zero_range(sparse, offset, offset + size);
	}
}

void sparse_resize(struct sparse *sparse, uint64_t size)
{
	if (size < sparse->size) {
		uint64_t pages = (sparse->size + SPARSE_PAGE - 1) / SPARSE_PAGE;

		zero_range(sparse, size, pages * SPARSE_PAGE);
	}
	sparse->size = size;
}

size_t sparse_missing(const struct sparse *sparse, size_t size, uint64_t offset)
{
	uint64_t first = offset / SPARSE_PAGE,
		 end = (offset + size + SPARSE_PAGE - 1) / SPARSE_PAGE;

	return size ? (size_t)(end - first) - (find(sparse, end) - find(sparse, first)) : 0;
}

void sparse_find(const struct sparse *sparse, uint64_t offset, uint64_t *ret_offset,
		 uint64_t *ret_size)
{
	size_t i = find(sparse, offset / SPARSE_PAGE);
	uint64_t start, end;

	*ret_offset = offset;
	*ret_size = 0;
	if (i == sparse->count || offset >= sparse->size) {
		return;
	}
	start = sparse->entries[i].number * SPARSE_PAGE;
	for (end = start; i < sparse->count && sparse->entries[i].number * SPARSE_PAGE == end;
	     i++) {
		end += SPARSE_PAGE;
	}
	start = start > offset ? start : offset;
	end = end < sparse->size ? end : sparse->size;
	if (start < end) {
		*ret_offset = start;
		*ret_size = end - start;
	}
}

void sparse_copy(struct sparse *to, const struct sparse *from)
{
	to->size = from->size;
	to->count = to->capacity = from->count;
	to->entries = NULL;
	if (!from->count) {
		return;
	}
	to->entries = must(malloc(from->count * sizeof(*to->entries)));
	memcpy(to->entries, from->entries, from->count * sizeof(*to->entries));
	for (size_t i = 0; i < to->count; i++) {
		to->entries[i].page->refs++;
	}
}

void sparse_clear(struct sparse *sparse)
{
	for (size_t i = 0; i < sparse->count; i++) {
		drop_page(sparse->entries[i].page);
	}
	free(sparse->entries);
	memset(sparse, 0, sizeof(*sparse));
}
