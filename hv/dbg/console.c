/* SPDX-License-Identifier: Apache-2.0 */
/** A 16550 at COM1. Each wait is bounded: a missing or stuck UART costs time, never the machine. What goes
 * out goes to the screen as well, while that is ours. */
#include "dbg/console.h"

#include "cpu/insn.h"
#include "dbg/screen.h"

#define COM1	 0x3f8u
#define UART_THR 0u
#define UART_IER 1u
#define UART_DLM 1u
#define UART_FCR 2u
#define UART_LCR 3u
#define UART_MCR 4u
#define UART_LSR 5u
#define UART_SCR 7u

#define LCR_8N1	 0x03u
#define LCR_DLAB 0x80u
#define LSR_THRE 0x20u
#define SPIN_MAX 100000u

static bool present;
static bool released;
static bool keep;

void console_init(void)
{
	insn_out8(COM1 + UART_SCR, 0x5a);
	present = insn_in8(COM1 + UART_SCR) == 0x5a;
	if (!present) {
		return;
	}
	insn_out8(COM1 + UART_IER, 0);
	insn_out8(COM1 + UART_LCR, LCR_DLAB | LCR_8N1);
	insn_out8(COM1 + UART_THR, 1); /* divisor 1: 115200 */
	insn_out8(COM1 + UART_DLM, 0);
	insn_out8(COM1 + UART_LCR, LCR_8N1);
	insn_out8(COM1 + UART_FCR, 0x07); /* FIFOs on and empty */
	insn_out8(COM1 + UART_MCR, 0x03); /* DTR, RTS */
}

static void put(char c)
{
	for (unsigned i = 0; i < SPIN_MAX && !(insn_in8(COM1 + UART_LSR) & LSR_THRE); i++) {
		insn_pause();
	}
	insn_out8(COM1 + UART_THR, (uint8_t)c);
}

void console_write(const char *text, size_t size, bool urgent)
{
	screen_write(text, size);
	if (!present || (released && !keep && !urgent)) {
		return;
	}
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			put('\r');
		}
		put(text[i]);
	}
}

void console_release(void)
{
	released = true;
	screen_release();
}

void console_keep(void)
{
	keep = true;
}
