/* SPDX-License-Identifier: Apache-2.0 */
/** ACPI tables of a hardware-reduced machine: RSDP, XSDT, FADT, MADT, DSDT.
 *  Source: ACPI 6.4, "ACPI System Description Tables", "ACPI-Defined Devices". */
#ifndef RUNNER_ACPI_H
#define RUNNER_ACPI_H

#include <stddef.h>
#include <stdint.h>

/** Writes the tables for a machine with vcpu_count CPUs into buffer[0, size), which the guest sees
 * at gpa. The RSDP lies at gpa itself. Returns bytes used, 0 when they do not fit. */
size_t acpi_build(uint8_t *buffer, size_t size, uint64_t gpa, unsigned vcpu_count);

#endif
