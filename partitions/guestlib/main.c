/* SPDX-License-Identifier: Apache-2.0 */
/** From entry to guest_main and on to the exit; what the boot loader said. */
#include "guest.h"

#define MB_LOADER_MAGIC 0x2badb002u
#define PORT_DEBUG_EXIT 0xf4u
#define PORT_ACPI_QEMU  0x604u
#define PORT_ACPI_BOCHS 0xb004u
#define ACPI_POWER_OFF  0x2000u

struct mb_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
};

void guest_start(uint32_t magic, const struct mb_info *info);

static uint64_t ram_size;
static const char *cmdline = "";

void guest_start(uint32_t magic, const struct mb_info *info)
{
	if (magic == MB_LOADER_MAGIC) {
		ram_size = 0x100000 + ((uint64_t)info->mem_upper << 10);
		if ((info->flags & 4) != 0) {
			cmdline = (const char *)(uintptr_t)info->cmdline;
		}
	}
	if ((cpu_cpuid(1, 0).ecx & 1u << 26) != 0) {
		cpu_write_cr4(cpu_read_cr4() | CR4_OSXSAVE);
	}
	guest_console_init();
	guest_hypercall_init();
	trap_init();
	if (!guest_in_partition()) {
		/* On a bare machine the firmware's timer interrupts come in as exceptions. */
		guest_pic_off();
	}
	guest_exit(guest_main());
}

void guest_exit(int value)
{
	cpu_cli();
	cpu_out32(PORT_DEBUG_EXIT, (uint32_t)value & 0x7f);
	/* Still here: a machine without that port. */
	guest_printf("# exit value %d\n", value);
	cpu_out16(PORT_ACPI_QEMU, ACPI_POWER_OFF);
	cpu_out16(PORT_ACPI_BOCHS, ACPI_POWER_OFF);
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}

bool guest_in_partition(void)
{
	const struct cpuid_regs r = cpu_cpuid(0x40000000, 0);

	return (cpu_cpuid(1, 0).ecx & 1u << 31) != 0 && memcmp(&r.ebx, "BulkheadHyp", 12) == 0;
}

uint64_t guest_tsc_hz(void)
{
	const struct cpuid_regs r = cpu_cpuid(0, 0).eax >= 0x15 ? cpu_cpuid(0x15, 0) :
								   (struct cpuid_regs){ 0 };

	return r.eax == 0 || r.ecx == 0 ? 1000000000 : (uint64_t)r.ecx * r.ebx / r.eax;
}

uint64_t guest_ram_size(void)
{
	return ram_size;
}

const char *guest_cmdline(void)
{
	return cmdline;
}
