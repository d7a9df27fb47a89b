/* SPDX-License-Identifier: Apache-2.0 */
/** The ways to stop for good. */
#ifndef BH_DBG_HALT_H
#define BH_DBG_HALT_H

#include "lib/types.h"

/** Prints "bulkhead: cannot start: <what>; <remedy>" and halts. */
BH_NORETURN void boot_refuse(const char *what, const char *remedy);

/** Prints "bulkhead: halted" and stops all CPUs for ever. */
BH_NORETURN void boot_halt(void);

/** How boot_halt reaches the other CPUs, from when there are some: an NMI for each. NULL: it does not. */
extern void (*halt_others)(void);

/** The calling CPU is the one that stops the machine, with more to say: the others stop now. Does not return
 *  if another one does that already. */
void halt_begin(void);

/** Called on an NMI: does not return if it came from boot_halt. */
void halt_if_crashed(void);

#endif
