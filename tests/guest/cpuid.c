/* SPDX-License-Identifier: Apache-2.0 */
/** CPUID shows what the allow list names and nothing else.
 *  expect: exit 1 */
#include "guest.h"

#define L1C_MONITOR  (1u << 3)
#define L1C_VMX      (1u << 5)
#define L1C_SMX      (1u << 6)
#define L1C_X2APIC   (1u << 21)
#define L1C_DEADLINE (1u << 24)
#define L1C_XSAVE    (1u << 26)
#define L1C_OSXSAVE  (1u << 27)
#define L1C_HV       (1u << 31)
#define L1D_APIC     (1u << 9)
#define L7B_SGX      (1u << 2)
#define L7B_PT       (1u << 25)
#define EXT_SVM      (1u << 2)
#define EXT_LM       (1u << 29)

static bool is_zero(struct cpuid_regs r)
{
	return (r.eax | r.ebx | r.ecx | r.edx) == 0;
}

static void check_basic(void)
{
	const struct cpuid_regs one = cpu_cpuid(1, 0);

	tap_equal(one.ecx & (L1C_VMX | L1C_SMX), 0, "no VMX, no SMX");
	tap_equal(one.ecx & L1C_MONITOR, 0, "no MONITOR");
	tap_ok((one.ecx & L1C_HV) != 0, "the hypervisor bit is set");
	tap_ok((one.ecx & L1C_X2APIC) != 0, "x2APIC");
	tap_ok((one.ecx & L1C_DEADLINE) != 0, "TSC-deadline timer");
	tap_ok((one.edx & L1D_APIC) != 0, "local APIC");
	tap_equal(one.ebx >> 24, cpu_rdmsr(0x802) & 0xff, "APIC ID in leaf 1 is that of the APIC");
	tap_ok((cpu_cpuid(0x80000001, 0).ecx & EXT_SVM) == 0, "no SVM");
	tap_ok((cpu_cpuid(0x80000001, 0).edx & EXT_LM) != 0, "long mode");
	tap_ok((cpu_cpuid(0x80000008, 0).eax & 0xff) >= 32, "physical address width is said");
}

static void check_absent(void)
{
	const struct cpuid_regs zero = cpu_cpuid(0, 0);

	tap_ok(zero.eax >= 0x15, "leaf 0x15 is inside the basic range");
	tap_equal(cpu_cpuid(7, 0).ebx & (L7B_SGX | L7B_PT), 0, "no SGX, no processor trace");
	tap_equal(cpu_cpuid(0xa, 0).eax & 0xff, 0, "no performance counters");
	tap_ok(is_zero(cpu_cpuid(0x12, 0)), "SGX leaf is empty");
	tap_ok(is_zero(cpu_cpuid(0x14, 0)), "processor-trace leaf is empty");
	tap_ok(is_zero(cpu_cpuid(0x4fffffff, 0)), "a leaf that nobody knows is empty");
}

static void check_osxsave(void)
{
	uint64_t cr4 = cpu_read_cr4();

	if ((cpu_cpuid(1, 0).ecx & L1C_XSAVE) == 0) {
		tap_skip("OSXSAVE follows CR4", "no XSAVE");
		return;
	}
	cpu_write_cr4(cr4 & ~CR4_OSXSAVE);
	bool off = (cpu_cpuid(1, 0).ecx & L1C_OSXSAVE) == 0;

	cpu_write_cr4(cr4 | CR4_OSXSAVE);
	tap_ok(off && (cpu_cpuid(1, 0).ecx & L1C_OSXSAVE) != 0, "OSXSAVE follows CR4");
}

static void check_signatures(void)
{
	const struct cpuid_regs own = cpu_cpuid(0x40000000, 0);
	const struct cpuid_regs kvm = cpu_cpuid(0x40000100, 0);

	tap_ok(memcmp(&own.ebx, "BulkheadHyp", 12) == 0, "own signature at 0x40000000");
	tap_ok(own.eax >= 0x40000000 && own.eax < 0x40000100, "highest own leaf");
	tap_ok(memcmp(&kvm.ebx, "KVMKVMKVM\0\0", 12) == 0, "KVM signature at 0x40000100");
	tap_equal(kvm.eax, 0x40000101, "highest KVM leaf");
	tap_ok(cpu_cpuid(0x40000101, 0).eax == 0, "no KVM features");
}

static void check_rate(void)
{
	const struct cpuid_regs r = cpu_cpuid(0x15, 0);
	uint64_t hz = r.eax == 0 ? 0 : (uint64_t)r.ecx * r.ebx / r.eax;

	tap_ok(hz >= 1000000 && hz <= 10000000000, "leaf 0x15 gives a TSC rate");
	guest_printf("# %lu Hz\n", hz);
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	check_basic();
	check_absent();
	check_osxsave();
	check_signatures();
	check_rate();
	return tap_done();
}
