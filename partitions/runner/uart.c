/* SPDX-License-Identifier: Apache-2.0 */
/** The UART never makes the guest wait: the transmitter is always empty again at once. */
#include "uart.h"

#include <string.h>
#include <unistd.h>
#include <errno.h>

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };

#define IER_RX		0x01u
#define IER_TX_EMPTY	0x02u
#define IIR_NONE	0x01u
#define IIR_TX_EMPTY	0x02u
#define IIR_RX		0x04u
#define IIR_FIFO	0xc0u
#define FCR_ENABLE	0x01u
#define FCR_CLEAR_RX	0x02u
#define LCR_DLAB	0x80u
#define MCR_DTR		0x01u
#define MCR_RTS		0x02u
#define MCR_OUT1	0x04u
#define MCR_OUT2	0x08u
#define MCR_LOOP	0x10u
#define LSR_RX		0x01u
#define LSR_TX_EMPTY	0x60u
#define MSR_CTS_DSR_DCD 0xb0u

void uart_init(struct uart *uart, int out_fd)
{
	memset(uart, 0, sizeof(*uart));
	uart->out_fd = out_fd;
	uart->divisor[0] = 12; /* 9600 baud, as firmware leaves it */
}

unsigned uart_receive(struct uart *uart, const uint8_t *bytes, unsigned count)
{
	unsigned taken = 0;

	while (taken < count && uart->rx_count < UART_RX_MAX) {
		uart->rx[(uart->rx_head + uart->rx_count++) % UART_RX_MAX] = bytes[taken++];
	}
	return taken;
}

static uint8_t take_byte(struct uart *uart)
{
	uint8_t byte;

	if (uart->rx_count == 0) {
		return 0;
	}
	byte = uart->rx[uart->rx_head];
	uart->rx_head = (uart->rx_head + 1) % UART_RX_MAX;
	uart->rx_count--;
	return byte;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t fifo = (uart->fcr & FCR_ENABLE) ? IIR_FIFO : 0;

	if ((uart->ier & IER_RX) && uart->rx_count > 0) {
		return IIR_RX | fifo;
	}
	if ((uart->ier & IER_TX_EMPTY) && uart->tx_empty_pending) {
		uart->tx_empty_pending = false;
		return IIR_TX_EMPTY | fifo;
	}
	return IIR_NONE | fifo;
}

/* In loopback the four modem outputs come back as the four modem inputs. */
static uint8_t read_msr(const struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP)) {
		return MSR_CTS_DSR_DCD;
	}
	return (uint8_t)((uart->mcr & MCR_RTS ? 0x10 : 0) | (uart->mcr & MCR_DTR ? 0x20 : 0) |
			 (uart->mcr & MCR_OUT1 ? 0x40 : 0) | (uart->mcr & MCR_OUT2 ? 0x80 : 0));
}

static uint8_t read_register(struct uart *uart, uint64_t reg)
{
	switch (reg) {
	case REG_DATA:
		return uart->lcr & LCR_DLAB ? uart->divisor[0] : take_byte(uart);
	case REG_IER:
		return uart->lcr & LCR_DLAB ? uart->divisor[1] : uart->ier;
	case REG_IIR_FCR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return LSR_TX_EMPTY | (uart->rx_count > 0 ? LSR_RX : 0);
	case REG_MSR:
		return read_msr(uart);
	default:
		return uart->scratch;
	}
}

static void send_byte(struct uart *uart, uint8_t byte)
{
	uart->tx_empty_pending = true;
	if (uart->mcr & MCR_LOOP) {
		uart_receive(uart, &byte, 1);
		return;
	}
	if (uart->out_fd < 0) {
		return;
	}
	/* A slow reader slows the guest; one that is gone does not stop it. */
	if (write(uart->out_fd, &byte, 1) < 0 && errno == EPIPE) {
		uart->out_fd = -1;
	}
}

static void write_register(struct uart *uart, uint64_t reg, uint8_t value)
{
	switch (reg) {
	case REG_DATA:
		if (uart->lcr & LCR_DLAB) {
			uart->divisor[0] = value;
		} else {
			send_byte(uart, value);
		}
		break;
	case REG_IER:
		if (uart->lcr & LCR_DLAB) {
			uart->divisor[1] = value;
		} else {
			/* Enabling the interrupt while the transmitter is empty raises it. */
			uart->tx_empty_pending |= (value & ~uart->ier & IER_TX_EMPTY) != 0;
			uart->ier = value & 0x0f;
		}
		break;
	case REG_IIR_FCR:
		uart->fcr = value & 0xc9;
		if (value & FCR_CLEAR_RX) {
			uart->rx_count = 0;
		}
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		uart->mcr = value & 0x1f;
		break;
	case REG_SCRATCH:
		uart->scratch = value;
		break;
	default:
		break;
	}
}

static uint64_t uart_read(void *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)read_register(device, offset + i) << (8 * i);
	}
	return value;
}

static void uart_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		write_register(device, offset + i, (uint8_t)(value >> (8 * i)));
	}
}

const struct bus_ops uart_ops = {.read = uart_read, .write = uart_write};
