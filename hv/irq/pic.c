/* SPDX-License-Identifier: Apache-2.0 */
/* Owns nothing but the two mask registers of the PIC, and only until the control partition has it. */
#include "irq/pic.h"

#include "cpu/insn.h"

#define PIC1_DATA 0x21
#define PIC2_DATA 0xa1

void pic_close(void)
{
	insn_out8(PIC1_DATA, 0xff);
	insn_out8(PIC2_DATA, 0xff);
}
