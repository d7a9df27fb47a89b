/* SPDX-License-Identifier: Apache-2.0 */
/** A 16550A at port 0x3f8 without an interrupt line: drivers poll it.
 *  Source: National Semiconductor PC16550D data sheet, "Registers". */
#ifndef RUNNER_UART_H
#define RUNNER_UART_H

#include "bus.h"

#define UART_PORT      0x3f8u
#define UART_PORT_SIZE 8u
#define UART_RX_MAX    16u

struct uart {
	int out_fd; /* -1: output goes nowhere */
	uint8_t ier, lcr, mcr, scratch, fcr;
	uint8_t divisor[2];
	bool tx_empty_pending; /* the guest has not yet seen "transmitter empty" in IIR */
	uint8_t rx[UART_RX_MAX];
	unsigned rx_head, rx_count;
};

/** out_fd gets what the guest sends. The guest sees the UART in its reset state. */
void uart_init(struct uart *uart, int out_fd);
/** Hands in received bytes; returns how many fitted into the FIFO. */
unsigned uart_receive(struct uart *uart, const uint8_t *bytes, unsigned count);

extern const struct bus_ops uart_ops;

#endif
