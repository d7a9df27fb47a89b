/* SPDX-License-Identifier: Apache-2.0 */
/** A clock that a test puts forward; linked with --wrap=clock_gettime. */
#ifndef TESTS_LATER_CLOCK_H
#define TESTS_LATER_CLOCK_H

#include <stdint.h>
#include <time.h>

static uint64_t later_ms; /* how much later it is than the clock says */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int rc = __real_clock_gettime(clock, time);

	time->tv_sec += (time_t)(later_ms / 1000);
	return rc;
}

#endif
