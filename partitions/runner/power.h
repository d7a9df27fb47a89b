/* SPDX-License-Identifier: Apache-2.0 */
/** The ports by which a guest ends itself: reset control, ACPI sleep control, debug exit.
 *  Source: ACPI 6.4, "Sleep Control and Status Registers"; Intel ICH9 data sheet, "Reset Control
 * Register"; QEMU "isa-debug-exit" for the use of port 0xf4. */
#ifndef RUNNER_POWER_H
#define RUNNER_POWER_H

#include "bus.h"

#define POWER_RESET_PORT      0xcf9u
#define POWER_RESET_VALUE     0x06u  /* hard reset; what the FADT tells the guest to write */
#define POWER_SLEEP_PORT      0x600u /* control; status is the port after it */
#define POWER_S5_TYPE	      5u     /* what \_S5 in dsdt.asl gives */
#define POWER_DEBUG_EXIT_PORT 0xf4u

/** Called once with the runner's exit code; does not come back outside tests. */
typedef void (*power_end_t)(void *context, int code);

struct power {
	uint8_t reset_control;
	power_end_t end;
	void *context;
};

extern const struct bus_ops power_reset_ops, power_sleep_ops, power_debug_exit_ops;

#endif
