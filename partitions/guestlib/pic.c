/* SPDX-License-Identifier: Apache-2.0 */
/** The two 8259 of a PC: initialised, so that nothing which the firmware left pending comes later, and
 *  masked. Source: 8259A data sheet, "Initialization Command Words". */
#include "guest.h"

#define PIC1 0x20u
#define PIC2 0xa0u

void guest_pic_off(void)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} steps[] = {
		{ PIC1, 0x11 },	    { PIC1 + 1, 0x20 }, { PIC1 + 1, 4 }, { PIC1 + 1, 1 },
		{ PIC2, 0x11 },	    { PIC2 + 1, 0x28 }, { PIC2 + 1, 2 }, { PIC2 + 1, 1 },
		{ PIC1 + 1, 0xff }, { PIC2 + 1, 0xff },
	};

	for (unsigned int i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		cpu_out8(steps[i].port, steps[i].value);
	}
}
