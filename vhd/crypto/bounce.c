/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers are mapped one by one, as they are first needed. */
#define _GNU_SOURCE

#include "bounce.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

static uint8_t *make(struct bounce *bounce)
{
	void *memory;

	if (bounce->made_count == BOUNCE_COUNT) {
		return NULL;
	}
	memory =
		mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		return NULL;
	}
	(void)madvise(memory, BOUNCE_SIZE, MADV_DONTDUMP);
	bounce->made_count++;
	return memory;
}

uint8_t *bounce_get(struct bounce *bounce)
{
	uint8_t *buffer = NULL;

	for (;;) {
		if (bounce->idle_count) {
			return bounce->idle[--bounce->idle_count];
		}
		buffer = make(bounce);
		if (buffer || !bounce->made_count || !fiber_self()) {
			return buffer;
		}
		fiber_mutex_lock(&bounce->mutex);
		fiber_queue_wait(&bounce->waiting, &bounce->mutex);
		fiber_mutex_unlock(&bounce->mutex);
	}
}

void bounce_put(struct bounce *bounce, uint8_t *buffer)
{
	bounce->idle[bounce->idle_count++] = buffer;
	if (bounce->waiting.first) {
		fiber_queue_wake_all(&bounce->waiting);
	}
}

void bounce_fini(struct bounce *bounce)
{
	assert(bounce->idle_count == bounce->made_count);
	while (bounce->idle_count) {
		uint8_t *buffer = bounce->idle[--bounce->idle_count];

		explicit_bzero(buffer, BOUNCE_SIZE);
		munmap(buffer, BOUNCE_SIZE);
	}
	bounce->made_count = 0;
}
