/* SPDX-License-Identifier: Apache-2.0 */
/** The real-time clock behind ports 0x70 and 0x71: shows the host's UTC and cannot be set.
 *  Source: Motorola MC146818 data sheet, "Address Map" and "Registers". */
#ifndef RUNNER_CMOS_H
#define RUNNER_CMOS_H

#include <time.h>
#include "bus.h"

#define CMOS_PORT      0x70u
#define CMOS_PORT_SIZE 2u

struct cmos {
	uint8_t index;
	time_t (*now)(time_t *); /* time() but in tests */
};

void cmos_init(struct cmos *cmos);

extern const struct bus_ops cmos_ops;

#endif
