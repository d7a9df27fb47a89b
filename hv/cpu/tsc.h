/* SPDX-License-Identifier: Apache-2.0 */
/** Rate of the time-stamp counter. */
#ifndef BH_CPU_TSC_H
#define BH_CPU_TSC_H

#include "lib/types.h"

/** Takes the boot option tsc_khz=N, else measures 10 ms against the ACPI PM timer at pm_port
 *  (0: there is none). Error: -BH_NOSUPP. */
BH_MUST_CHECK int tsc_init(uint16_t pm_port, bool pm_32bit);

/** TSC ticks per millisecond. */
uint64_t tsc_khz(void);

#endif
