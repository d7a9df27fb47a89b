/* SPDX-License-Identifier: Apache-2.0 */
/** The place of the interval timer, ports 0x40 to 0x43, without one: every count reads as zero.
 *  As ones, which absent ports read as, Linux on an AMD CPU would wait 100,000 reads for the
 *  count to change. Source: Intel 8254 data sheet, "Read Operations". */
#ifndef RUNNER_PIT_H
#define RUNNER_PIT_H

#include "bus.h"

#define PIT_PORT      0x40u
#define PIT_PORT_SIZE 4u

extern const struct bus_ops pit_ops;

#endif
