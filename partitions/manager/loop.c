/* SPDX-License-Identifier: Apache-2.0 */
/** The daemon's event loop. One epoll event is taken at a time, so that a callback may close any
 * source without leaving a stale event behind.
 */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static int loop_fd = -1;
static bool loop_ended;
static struct loop_timer *timers; /* soonest first */

int loop_init(void)
{
	loop_ended = false;
	timers = NULL;
	loop_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop_fd < 0 ? -errno : 0;
}

void loop_fini(void)
{
	close(loop_fd);
	loop_fd = -1;
}

uint64_t loop_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

int loop_add(struct loop_source *source, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event)) {
		return -errno;
	}
	source->fd = fd;
	return 0;
}

void loop_change(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	epoll_ctl(loop_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_close(struct loop_source *source)
{
	if (source->fd >= 0) {
		/* Duplicates of the fd in other processes would keep the registration alive. */
		epoll_ctl(loop_fd, EPOLL_CTL_DEL, source->fd, NULL);
		close(source->fd);
		source->fd = -1;
	}
}

void loop_timer_stop(struct loop_timer *timer)
{
	for (struct loop_timer **link = &timers; *link; link = &(*link)->next) {
		if (*link == timer) {
			*link = timer->next;
			break;
		}
	}
	timer->due_us = 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ms)
{
	struct loop_timer **link = &timers;

	loop_timer_stop(timer);
	timer->due_us = loop_now_us() + delay_ms * 1000u;
	while (*link && (*link)->due_us <= timer->due_us) {
		link = &(*link)->next;
	}
	timer->next = *link;
	*link = timer;
}

static bool fire_due(void)
{
	struct loop_timer *timer = timers;

	if (!timer || timer->due_us > loop_now_us()) {
		return false;
	}
	loop_timer_stop(timer);
	timer->fire(timer->data);
	return true;
}

static int wait_ms(int max_ms)
{
	uint64_t now = loop_now_us(), left;

	if (!timers) {
		return max_ms;
	}
	left = timers->due_us > now ? (timers->due_us - now + 999u) / 1000u : 0;
	if (max_ms >= 0 && left > (uint64_t)max_ms) {
		return max_ms;
	}
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool loop_step(int max_ms)
{
	struct epoll_event event;

	if (epoll_wait(loop_fd, &event, 1, wait_ms(max_ms)) == 1) {
		struct loop_source *source = event.data.ptr;

		source->ready(source->data, event.events);
	}
	fire_due();
	return !loop_ended;
}

void loop_quit(void)
{
	loop_ended = true;
}
