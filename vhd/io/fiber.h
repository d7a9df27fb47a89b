/* SPDX-License-Identifier: Apache-2.0 */
/** Requests in flight on one thread: each runs on a stack of its own and parks where it would wait.
 *
 *  The engine and its layers are written as straight code. Without fibers (tool, nbdkit plugin,
 * most tests) every call just returns when it is done. The server gives each request a fiber; its
 * files submit to io_uring and park the fiber until the answer comes. So in engine code **any call
 * into a file or a lower layer may let other requests run**: what was looked up before such a call
 * must be looked up again after it, or held by a fiber_mutex.
 *
 *  Context: all fibers and their pool belong to one thread.
 */
#ifndef VHD_FIBER_H
#define VHD_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct fiber;

/** Runs `body(argument)` on a fiber, until it ends or parks. Stacks (256 KiB, guard page) are kept
 * for reuse. False: no memory for a stack. Never from a fiber. */
bool fiber_start(void (*body)(void *argument), void *argument);

/** The fiber that runs now, or NULL on the thread's own stack. */
struct fiber *fiber_self(void);

/** Stops this fiber until somebody wakes it. Only on a fiber. */
void fiber_park(void);

/** Lets a parked fiber go on: at once when called from the thread's own stack, else as soon as the
 * calling fiber parks or ends. */
void fiber_wake(struct fiber *fiber);

/** Frees the stacks that no fiber uses. */
void fiber_trim(void);

/** A lock that fibers wait for in order of arrival. All zero is a free one. On the thread's own
 * stack it must be free: there, nobody could ever release it. */
struct fiber_mutex {
	struct fiber *owner; /* or a mark for the thread's own stack */
	struct fiber *first, *last;
};

void fiber_mutex_lock(struct fiber_mutex *mutex);
void fiber_mutex_unlock(struct fiber_mutex *mutex);

/** Waits with the mutex released, until fiber_queue_wake_all(); takes the mutex again. All zero is
 * an empty queue. Only on a fiber. */
struct fiber_queue {
	struct fiber *first, *last;
};

void fiber_queue_wait(struct fiber_queue *queue, struct fiber_mutex *mutex);
void fiber_queue_wake_all(struct fiber_queue *queue);

#endif
