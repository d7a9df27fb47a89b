/* SPDX-License-Identifier: Apache-2.0 */
/** Each port is its own region over the same struct power. */
#include "power.h"

#include "exit_code.h"

#define RESET_CPU    0x04u
#define SLEEP_ENABLE 0x20u
#define SLEEP_TYPE   2 /* shift */

static uint64_t reset_read(void *device, uint64_t offset, unsigned size)
{
	const struct power *power = device;

	return power->reset_control;
}

static void reset_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *power = device;

	power->reset_control = value & 0x0a; /* the trigger bit reads as 0 */
	if (value & RESET_CPU) {
		power->end(power->context, EXIT_CODE_RESET);
	}
}

static uint64_t sleep_read(void *device, uint64_t offset, unsigned size)
{
	return 0;
}

static void sleep_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *power = device;

	if (offset == 0 && (value & SLEEP_ENABLE) && ((value >> SLEEP_TYPE) & 7) == POWER_S5_TYPE) {
		power->end(power->context, EXIT_CODE_POWER_OFF);
	}
}

static uint64_t debug_exit_read(void *device, uint64_t offset, unsigned size)
{
	return 0;
}

static void debug_exit_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct power *power = device;

	power->end(power->context, EXIT_CODE_DEBUG_EXIT | (int)(value & 0x7f));
}

const struct bus_ops power_reset_ops = {.read = reset_read, .write = reset_write};
const struct bus_ops power_sleep_ops = {.read = sleep_read, .write = sleep_write};
const struct bus_ops power_debug_exit_ops = {.read = debug_exit_read, .write = debug_exit_write};
