/* SPDX-License-Identifier: Apache-2.0 */
/** Checks of our own invariants; never of guest input. */
#ifndef BH_DBG_CHECK_H
#define BH_DBG_CHECK_H

#include "lib/types.h"

/** Stops the machine with a crash record when cond is false: we are wrong, not a guest. */
#define BH_CHECK(cond)                                                                             \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			check_failed(__FILE__, __LINE__, #cond);                                   \
		}                                                                                  \
	} while (0)

/** Returns -code and records where the error was born (log level debug). */
#define BH_FAIL(code) check_fail(__FILE__, __LINE__, code)

BH_NORETURN void check_failed(const char *file, int line, const char *cond);
int check_fail(const char *file, int line, enum bh_err code);

#endif
