/* SPDX-License-Identifier: Apache-2.0 */
/** UART of the guest: a 16550 whose line is the real COM1. The transmitter is always empty. No interrupt is
 *  raised, but the register that names its cause is kept: Linux polls it by a timer.
 *  Source: PC16550D data sheet, "Registers". */
#include "bare.h"

#define COM1 0x3f8u

#define REG_DATA 0u
#define REG_IER  1u
#define REG_IIR  2u
#define REG_LCR  3u
#define REG_MCR  4u
#define REG_LSR  5u
#define REG_MSR  6u
#define REG_SCR  7u

#define FCR_ENABLE  0x01u
#define IER_DATA    0x01u
#define IER_EMPTY   0x02u
#define IIR_NONE    0x01u
#define IIR_EMPTY   0x02u
#define IIR_DATA    0x04u
#define IIR_FIFO    0xc0u
#define LCR_DLAB    0x80u
#define LSR_DATA    0x01u
#define LSR_EMPTY   0x60u
#define MSR_PRESENT 0xb0u /* DCD, DSR, CTS */

static struct {
	uint8_t ier, lcr, mcr, scr, divisor_low, divisor_high;
	bool fifo, empty_pending; /* pending: "transmitter empty" was not read yet */
} regs = { .lcr = 3, .divisor_low = 1 };

void uart_init(void)
{
	cpu_out8(COM1 + REG_IER, 0);
	cpu_out8(COM1 + REG_LCR, LCR_DLAB);
	cpu_out8(COM1 + 0, 1);
	cpu_out8(COM1 + 1, 0);
	cpu_out8(COM1 + REG_LCR, 3);
	cpu_out8(COM1 + REG_IIR, 0x07);
	cpu_out8(COM1 + REG_MCR, 3);
}

static void line_put(uint8_t c)
{
	while ((cpu_in8(COM1 + REG_LSR) & 0x20) == 0) {
	}
	cpu_out8(COM1, c);
}

static uint8_t cause_read(void)
{
	uint8_t cause = IIR_NONE;

	if ((regs.ier & IER_DATA) != 0 && (cpu_in8(COM1 + REG_LSR) & LSR_DATA) != 0) {
		cause = IIR_DATA;
	} else if ((regs.ier & IER_EMPTY) != 0 && regs.empty_pending) {
		cause = IIR_EMPTY;
		regs.empty_pending = false;
	}
	return cause | (regs.fifo ? IIR_FIFO : 0);
}

uint8_t uart_read(uint32_t reg)
{
	bool dlab = (regs.lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		return dlab ? regs.divisor_low : cpu_in8(COM1);
	case REG_IER:
		return dlab ? regs.divisor_high : regs.ier;
	case REG_IIR:
		return cause_read();
	case REG_LCR:
		return regs.lcr;
	case REG_MCR:
		return regs.mcr;
	case REG_LSR:
		return LSR_EMPTY | (cpu_in8(COM1 + REG_LSR) & LSR_DATA);
	case REG_MSR:
		return MSR_PRESENT;
	default:
		return regs.scr;
	}
}

void uart_write(uint32_t reg, uint8_t value)
{
	bool dlab = (regs.lcr & LCR_DLAB) != 0;

	switch (reg) {
	case REG_DATA:
		if (dlab) {
			regs.divisor_low = value;
		} else {
			line_put(value);
			regs.empty_pending = true;
		}
		break;
	case REG_IER:
		if (dlab) {
			regs.divisor_high = value;
		} else {
			regs.empty_pending |= (value & ~regs.ier & IER_EMPTY) != 0;
			regs.ier = value & 0x0f;
		}
		break;
	case REG_IIR:
		regs.fifo = (value & FCR_ENABLE) != 0;
		break;
	case REG_LCR:
		regs.lcr = value;
		break;
	case REG_MCR:
		regs.mcr = value & 0x1f;
		break;
	case REG_SCR:
		regs.scr = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
}
