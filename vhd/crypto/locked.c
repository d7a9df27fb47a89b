/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of their own by mmap(): locking and dumping go by pages. */
#define _GNU_SOURCE

#include "locked.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is locked, for locked_again(): no more than a few at a time. */
#define AREA_MAX 64u
static struct area {
	void *memory;
	size_t bytes;
} areas[AREA_MAX];

/* Puts `memory` into the place that holds `old`. */
static void note(const void *old, void *memory, size_t bytes)
{
	for (unsigned i = 0; i < AREA_MAX; i++) {
		if (areas[i].memory == old) {
			areas[i] = (struct area){memory, bytes};
			return;
		}
	}
}

void locked_again(void)
{
	for (unsigned i = 0; i < AREA_MAX; i++) {
		if (areas[i].memory) {
			(void)mlock(areas[i].memory, areas[i].bytes);
		}
	}
}

static size_t to_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

void *locked_alloc(size_t size)
{
	size_t bytes = to_pages(size);
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		return NULL;
	}
	(void)mlock(memory, bytes);
	(void)madvise(memory, bytes, MADV_DONTDUMP);
	note(NULL, memory, bytes);
	return memory;
}

void locked_free(void *memory, size_t size)
{
	if (memory) {
		explicit_bzero(memory, size);
		note(memory, NULL, 0);
		munmap(memory, to_pages(size));
	}
}
