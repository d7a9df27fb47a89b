/* SPDX-License-Identifier: Apache-2.0 */
/* The UART as Linux and small test kernels use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>
#include "uart.h"

static struct uart uart;
static int line[2];

static int setup(void **state)
{
	if (pipe(line) < 0) {
		return -1;
	}
	uart_init(&uart, line[1]);
	return 0;
}

static int teardown(void **state)
{
	close(line[0]);
	close(line[1]);
	return 0;
}

static uint8_t get(unsigned reg)
{
	return (uint8_t)uart_ops.read(&uart, reg, 1);
}

static void put(unsigned reg, uint8_t value)
{
	uart_ops.write(&uart, reg, 1, value);
}

/* A byte written comes out, and the transmitter is empty again at once. */
static void uart_sends_at_once(void **state)
{
	char byte = 0;

	put(0, 'x');
	assert_int_equal(get(5) & 0x60, 0x60);
	assert_int_equal(read(line[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

/* With DLAB set the first two registers are the divisor and nothing is sent. */
static void uart_divisor_is_apart(void **state)
{
	put(3, 0x83);
	put(0, 1);
	put(1, 0);
	assert_int_equal(get(0), 1);
	put(3, 0x03);
	put(1, 0x02);
	assert_int_equal(get(1), 2);
	put(3, 0x83);
	assert_int_equal(get(1), 0);
}

/* Linux's loopback test: outputs RTS and OUT2 come back as CTS and DCD. */
static void uart_loops_modem_lines_back(void **state)
{
	put(4, 0x1a);
	assert_int_equal(get(6) & 0xf0, 0x90);
	put(4, 0x0b);
	assert_int_equal(get(6), 0xb0);
}

/* Linux's type test: scratch register, and FIFO bits of a 16550A once the FIFO is on. */
static void uart_looks_like_a_16550a(void **state)
{
	put(7, 0x5a);
	assert_int_equal(get(7), 0x5a);
	assert_int_equal(get(2), 0x01);
	put(2, 0x01);
	assert_int_equal(get(2), 0xc1);
}

/* Enabling the transmitter interrupt reports it once in IIR; sending reports it again. */
static void uart_reports_empty_transmitter_in_iir(void **state)
{
	put(1, 2);
	assert_int_equal(get(2), 0x02);
	assert_int_equal(get(2), 0x01);
	put(0, 'x');
	assert_int_equal(get(2), 0x02);
}

/* Received bytes show in LSR and IIR and come out in order; a full FIFO takes no more. */
static void uart_receives_in_order(void **state)
{
	const uint8_t bytes[20] = "abcdefghijklmnopqrs";

	assert_int_equal(uart_receive(&uart, bytes, sizeof(bytes)), UART_RX_MAX);
	put(1, 1);
	assert_int_equal(get(2), 0x04);
	for (unsigned i = 0; i < UART_RX_MAX; i++) {
		assert_int_equal(get(5) & 1, 1);
		assert_int_equal(get(0), bytes[i]);
	}
	assert_int_equal(get(5) & 1, 0);
	assert_int_equal(get(0), 0);
}

/* Without a line the output vanishes and nothing else changes. */
static void uart_works_without_a_line(void **state)
{
	uart_init(&uart, -1);
	put(0, 'x');
	assert_int_equal(get(5), 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(uart_sends_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(uart_divisor_is_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(uart_loops_modem_lines_back, setup, teardown),
		cmocka_unit_test_setup_teardown(uart_looks_like_a_16550a, setup, teardown),
		cmocka_unit_test_setup_teardown(uart_reports_empty_transmitter_in_iir, setup,
						teardown),
		cmocka_unit_test_setup_teardown(uart_receives_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(uart_works_without_a_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
