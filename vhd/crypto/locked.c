/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of their own by mmap(): locking and dumping go by pages. */
#define _GNU_SOURCE

#include "locked.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	return memory;
}

void locked_free(void *memory, size_t size)
{
	if (memory) {
		explicit_bzero(memory, size);
		munmap(memory, to_pages(size));
	}
}
