/* SPDX-License-Identifier: Apache-2.0 */
/* A new stack is entered by swapcontext(), which asks the kernel for the signal mask; after that
 * _setjmp() and _longjmp() switch without system calls. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp() takes a jump to another stack for an error */

#include "fiber.h"

#include <assert.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_SIZE (256u << 10)

struct fiber {
	sigjmp_buf here;
	ucontext_t start;
	void (*body)(void *argument);
	void *argument;
	struct fiber *next; /* in the one list that it is in */
	char *map;
	size_t map_size;
	bool parked;
	bool ended;
	void *asan_stack;
};

static __thread struct fiber *current, *idle;
static __thread struct fiber *ready_first, *ready_last; /* woken by fibers */
static __thread sigjmp_buf thread_here;
static __thread ucontext_t thread_start;
#ifdef WITH_ASAN
static __thread const void *thread_bottom;
static __thread size_t thread_size;
#endif

/* Address sanitizer keeps shadow state per stack and has to be told. */
static void leave(void **save, const void *bottom, size_t size)
{
#ifdef WITH_ASAN
	__sanitizer_start_switch_fiber(save, bottom, size);
#endif
}

static void arrive(void *saved, bool on_fiber)
{
#ifdef WITH_ASAN
	__sanitizer_finish_switch_fiber(saved, on_fiber ? &thread_bottom : NULL,
					on_fiber ? &thread_size : NULL);
#endif
}

static void leave_for_thread(struct fiber *self)
{
#ifdef WITH_ASAN
	leave(&self->asan_stack, thread_bottom, thread_size);
#endif
}

static void run_fiber(unsigned low, unsigned high)
{
	struct fiber *self = (struct fiber *)((uintptr_t)low | (uintptr_t)high << 32);

	arrive(NULL, true);
	for (;;) {
		self->body(self->argument);
		self->ended = true;
		leave_for_thread(self);
		if (_setjmp(self->here) == 0) {
			_longjmp(thread_here, 1);
		}
		arrive(self->asan_stack, true);
	}
}

static void prepare(struct fiber *fiber, char *stack)
{
	getcontext(&fiber->start);
	fiber->start.uc_stack.ss_sp = stack;
	fiber->start.uc_stack.ss_size = STACK_SIZE;
	fiber->start.uc_link = NULL;
	makecontext(&fiber->start, (void (*)(void))run_fiber, 2, (unsigned)(uintptr_t)fiber,
		    (unsigned)((uintptr_t)fiber >> 32));
}

/* A guard page below the stack: an overflow ends the process instead of another request. */
static struct fiber *create(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct fiber *fiber = calloc(1, sizeof(*fiber));

	if (!fiber) {
		return NULL;
	}
	fiber->map_size = STACK_SIZE + page;
	fiber->map = mmap(NULL, fiber->map_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (fiber->map == MAP_FAILED || mprotect(fiber->map, page, PROT_NONE) < 0) {
		if (fiber->map != MAP_FAILED) {
			munmap(fiber->map, fiber->map_size);
		}
		free(fiber);
		return NULL;
	}
	prepare(fiber, fiber->map + page);
	return fiber;
}

/* From the thread's own stack into the fiber, until it parks or ends. */
static void enter(struct fiber *fiber, bool first)
{
	void *saved = NULL;

	current = fiber;
	leave(&saved, fiber->start.uc_stack.ss_sp, STACK_SIZE);
	if (_setjmp(thread_here) == 0) {
		if (first) {
			swapcontext(&thread_start, &fiber->start);
		}
		_longjmp(fiber->here, 1);
	}
	arrive(saved, false);
	current = NULL;
	if (fiber->ended) {
		fiber->next = idle;
		idle = fiber;
	}
}

static void run_ready(void)
{
	while (ready_first) {
		struct fiber *fiber = ready_first;

		ready_first = fiber->next;
		if (!ready_first) {
			ready_last = NULL;
		}
		enter(fiber, false);
	}
}

bool fiber_start(void (*body)(void *argument), void *argument)
{
	struct fiber *fiber = idle;
	bool first = !fiber;

	assert(!current);
	if (first) {
		fiber = create();
		if (!fiber) {
			return false;
		}
	} else {
		idle = fiber->next;
	}
	fiber->body = body;
	fiber->argument = argument;
	fiber->ended = false;
	enter(fiber, first);
	run_ready();
	return true;
}

struct fiber *fiber_self(void)
{
	return current;
}

void fiber_park(void)
{
	struct fiber *self = current;

	assert(self);
	self->parked = true;
	leave_for_thread(self);
	if (_setjmp(self->here) == 0) {
		_longjmp(thread_here, 1);
	}
	arrive(self->asan_stack, true);
}

void fiber_wake(struct fiber *fiber)
{
	assert(fiber->parked);
	fiber->parked = false;
	if (!current) {
		enter(fiber, false);
		run_ready();
		return;
	}
	fiber->next = NULL;
	if (ready_last) {
		ready_last->next = fiber;
	} else {
		ready_first = fiber;
	}
	ready_last = fiber;
}

void fiber_trim(void)
{
	while (idle) {
		struct fiber *fiber = idle;

		idle = fiber->next;
		munmap(fiber->map, fiber->map_size);
		free(fiber);
	}
}

static void append(struct fiber **first, struct fiber **last, struct fiber *fiber)
{
	fiber->next = NULL;
	if (*last) {
		(*last)->next = fiber;
	} else {
		*first = fiber;
	}
	*last = fiber;
}

static struct fiber *take(struct fiber **first, struct fiber **last)
{
	struct fiber *fiber = *first;

	if (fiber) {
		*first = fiber->next;
		if (!*first) {
			*last = NULL;
		}
	}
	return fiber;
}

/* The owner of a mutex that the thread's own stack holds. */
static struct fiber thread_mark;

void fiber_mutex_lock(struct fiber_mutex *mutex)
{
	if (!mutex->owner) {
		mutex->owner = current ? current : &thread_mark;
		return;
	}
	assert(current);
	append(&mutex->first, &mutex->last, current);
	fiber_park(); /* the one that unlocks makes us the owner */
}

void fiber_mutex_unlock(struct fiber_mutex *mutex)
{
	struct fiber *next = take(&mutex->first, &mutex->last);

	mutex->owner = next;
	if (next) {
		fiber_wake(next);
	}
}

void fiber_queue_wait(struct fiber_queue *queue, struct fiber_mutex *mutex)
{
	append(&queue->first, &queue->last, current);
	fiber_mutex_unlock(mutex);
	fiber_park();
	fiber_mutex_lock(mutex);
}

void fiber_queue_wake_all(struct fiber_queue *queue)
{
	struct fiber *fiber = queue->first;

	queue->first = queue->last = NULL;
	while (fiber) {
		struct fiber *next = fiber->next;

		fiber_wake(fiber);
		fiber = next;
	}
}
