/* SPDX-License-Identifier: Apache-2.0 */
/** The one event loop of the daemon: fds by epoll, one-shot timers. One thread; callbacks may add
 * and remove any source or timer, their own included.
 */
#ifndef MANAGER_LOOP_H
#define MANAGER_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop_source {
	int fd; /* -1: not added */
	void (*ready)(void *data, uint32_t events);
	void *data;
};

struct loop_timer {
	void (*fire)(void *data);
	void *data;
	uint64_t due_us; /* 0: not set */
	struct loop_timer *next;
};

/** Returns 0 or -errno. */
int loop_init(void);
void loop_fini(void);
/** Waits for `events` (EPOLLIN, EPOLLOUT) of fd. The caller keeps the fd. Returns 0 or -errno. */
int loop_add(struct loop_source *source, int fd, uint32_t events);
void loop_change(struct loop_source *source, uint32_t events);
/** No more callbacks; the fd is closed. A source that is not added is left alone. */
void loop_close(struct loop_source *source);
/** Fires once after delay_ms, replacing an earlier setting. */
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
/** Serves one event or timer, waiting at most max_ms (-1: for ever). False after loop_quit(). */
bool loop_step(int max_ms);
void loop_quit(void);
/** Monotonic clock, microseconds. */
uint64_t loop_now_us(void);

#endif
