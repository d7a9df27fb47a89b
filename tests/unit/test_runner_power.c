/* SPDX-License-Identifier: Apache-2.0 */
/* The ports by which a guest ends itself, and the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cmos.h"
#include "exit_code.h"
#include "power.h"

static int ended;

static void end(void *context, int code)
{
	ended = code;
}

static struct power power = {.end = end};

static int setup(void **state)
{
	ended = -1;
	return 0;
}

/* The value that the FADT names, and any other with the CPU reset bit, asks for a reset. */
static void power_resets_by_port_cf9(void **state)
{
	power_reset_ops.write(&power, 0, 1, 0x02);
	assert_int_equal(ended, -1);
	power_reset_ops.write(&power, 0, 1, POWER_RESET_VALUE);
	assert_int_equal(ended, EXIT_CODE_RESET);
}

/* Sleep type 5 with the enable bit switches off; other types and the status port do not. */
static void power_goes_off_by_s5_only(void **state)
{
	power_sleep_ops.write(&power, 0, 1, 0x20 | 3 << 2);
	power_sleep_ops.write(&power, 0, 1, POWER_S5_TYPE << 2);
	power_sleep_ops.write(&power, 1, 1, 0x20 | POWER_S5_TYPE << 2);
	assert_int_equal(ended, -1);
	power_sleep_ops.write(&power, 0, 1, 0x20 | POWER_S5_TYPE << 2);
	assert_int_equal(ended, EXIT_CODE_POWER_OFF);
}

/* The debug-exit port gives 128 and the low 7 bits, never a code that means something else. */
static void power_debug_exit_carries_the_value(void **state)
{
	power_debug_exit_ops.write(&power, 0, 4, 0);
	assert_int_equal(ended, 128);
	power_debug_exit_ops.write(&power, 0, 4, 0x1ff);
	assert_int_equal(ended, 255);
}

static time_t fixed_time(time_t *ret)
{
	return 1795305599; /* 2026-11-21 23:59:59 UTC, a Saturday */
}

/* The clock shows UTC in BCD, 24 hours, valid, never in an update. */
static void cmos_shows_the_time(void **state)
{
	static const uint8_t cells[][2] = {{0x00, 0x59}, {0x02, 0x59}, {0x04, 0x23}, {0x06, 0x07},
					   {0x07, 0x21}, {0x08, 0x11}, {0x09, 0x26}, {0x32, 0x20},
					   {0x0a, 0x26}, {0x0b, 0x02}, {0x0d, 0x80}};
	struct cmos cmos;

	cmos_init(&cmos);
	cmos.now = fixed_time;
	for (unsigned i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		cmos_ops.write(&cmos, 0, 1, cells[i][0] | 0x80);
		assert_int_equal(cmos_ops.read(&cmos, 1, 1), cells[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(power_resets_by_port_cf9, setup),
		cmocka_unit_test_setup(power_goes_off_by_s5_only, setup),
		cmocka_unit_test_setup(power_debug_exit_carries_the_value, setup),
		cmocka_unit_test_setup(cmos_shows_the_time, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
