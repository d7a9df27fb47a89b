/* SPDX-License-Identifier: Apache-2.0 */
/* Real time, for programs without an event loop of their own. */
#define _GNU_SOURCE

#include "layer_clock.h"

#include <time.h>

#define NS_PER_S 1000000000ull

static uint64_t real_now(const struct layer_clock *clock)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void real_wait(const struct layer_clock *clock, uint64_t ns)
{
	struct timespec span = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	nanosleep(&span, NULL); /* a signal ends it early, and that is fine */
}

const struct layer_clock layer_clock_real = {real_now, real_wait};
