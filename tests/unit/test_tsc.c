/* SPDX-License-Identifier: Apache-2.0 */
/** The TSC rate by option and by measurement. */
#include "cpu/tsc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "insn_fake.h"
#include "lib/boot_info.h"

#define PM_PORT 0x608

static uint64_t ticks_per_second;

/* The PM timer at 3.579545 MHz of the fake TSC. */
static uint32_t pm_timer(uint16_t port, unsigned size)
{
	assert_int_equal(port, PM_PORT);
	assert_int_equal(size, 4);
	insn_fake.tsc += 20;
	return (uint32_t)((insn_fake.tsc * 3579545ull / ticks_per_second + 0xfffff0) & 0xffffff);
}

static uint32_t stuck(uint16_t port, unsigned size)
{
	(void)port;
	(void)size;
	return 5;
}

/* The option wins and nothing is measured. */
static void tsc_takes_option(void **state)
{
	(void)state;
	strcpy(boot_record()->cmdline, "tsc_khz=50000");
	assert_int_equal(tsc_init(0, false), 0);
	assert_int_equal(tsc_khz(), 50000);
	boot_record()->cmdline[0] = 0;
}

/* A measurement near a whole MHz is rounded to it, over the wrap of a 24-bit timer. */
static void tsc_measures_and_rounds(void **state)
{
	(void)state;
	insn_fake.in = pm_timer;
	ticks_per_second = 50001000;
	assert_int_equal(tsc_init(PM_PORT, false), 0);
	assert_int_equal(tsc_khz(), 50000);
}

/* A rate between is kept. */
static void tsc_keeps_odd_rates(void **state)
{
	(void)state;
	insn_fake.in = pm_timer;
	ticks_per_second = 2394450000;
	assert_int_equal(tsc_init(PM_PORT, false), 0);
	assert_in_range(tsc_khz(), 2394000 - 2394, 2394450 + 2394);
}

/* As pm_timer, but firmware or an emulator holds the CPU up for 5 ms after the edge at which the first
 * measurement starts. */
static uint32_t held_up(uint16_t port, unsigned size)
{
	static unsigned reads;
	uint32_t value = pm_timer(port, size);

	if (++reads == 2) {
		insn_fake.tsc += ticks_per_second / 200;
	}
	return value;
}

/* A measurement that was held up is not believed. */
static void tsc_believes_what_it_measures_twice(void **state)
{
	(void)state;
	insn_fake.in = held_up;
	ticks_per_second = 50000000;
	assert_int_equal(tsc_init(PM_PORT, false), 0);
	assert_in_range(tsc_khz(), 49950, 50050);
}

/* No timer, or one that stands still, is refused. */
static void tsc_refuses_without_a_timer(void **state)
{
	(void)state;
	assert_int_equal(tsc_init(0, false), -BH_NOSUPP);
	insn_fake.in = stuck;
	assert_int_equal(tsc_init(PM_PORT, true), -BH_NOSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tsc_takes_option),
		cmocka_unit_test(tsc_measures_and_rounds),
		cmocka_unit_test(tsc_keeps_odd_rates),
		cmocka_unit_test(tsc_believes_what_it_measures_twice),
		cmocka_unit_test(tsc_refuses_without_a_timer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
