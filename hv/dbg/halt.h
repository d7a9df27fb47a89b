/* SPDX-License-Identifier: Apache-2.0 */
/** The two ways to stop before there is anything to protect. */
#ifndef BH_DBG_HALT_H
#define BH_DBG_HALT_H

#include "lib/types.h"

/** Prints "bulkhead: cannot start: <what>; <remedy>" and halts. */
BH_NORETURN void boot_refuse(const char *what, const char *remedy);

/** Prints "bulkhead: halted" and stops this CPU for ever. */
BH_NORETURN void boot_halt(void);

#endif
