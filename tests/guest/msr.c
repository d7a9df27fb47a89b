/* SPDX-License-Identifier: Apache-2.0 */
/** MSRs: unknown ones fault, the guest's own hold their values, illegal values fault.
 *  expect: exit 1 */
#include "guest.h"

static void check_faults_read(uint32_t msr, const char *what)
{
	uint64_t value;

	tap_equal(trap_try_rdmsr(msr, &value), TRAP_GP, what);
}

static void check_faults_write(uint32_t msr, uint64_t value, const char *what)
{
	tap_equal(trap_try_wrmsr(msr, value), TRAP_GP, what);
}

static void check_holds(uint32_t msr, uint64_t value, const char *what)
{
	uint64_t before, got = 0;

	if (trap_try_rdmsr(msr, &before) != TRAP_NONE) {
		tap_ok(false, "%s: readable", what);
		return;
	}
	uint32_t written = trap_try_wrmsr(msr, value);

	(void)cpu_cpuid(0, 0); /* an exit in between */
	uint32_t read = trap_try_rdmsr(msr, &got);

	tap_ok(written == TRAP_NONE && read == TRAP_NONE && got == value, "%s holds its value", what);
	if (got != value) {
		guest_printf("# got 0x%lx, want 0x%lx\n", got, value);
	}
	trap_try_wrmsr(msr, before);
}

static void check_efer(void)
{
	uint64_t efer = cpu_rdmsr(MSR_EFER);

	tap_equal(efer & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA, "EFER says long mode");
	cpu_wrmsr(MSR_EFER, efer | EFER_SCE | EFER_NXE);
	(void)cpu_cpuid(0, 0);
	tap_equal(cpu_rdmsr(MSR_EFER), efer | EFER_SCE | EFER_NXE, "EFER.SCE and NXE stay");
	cpu_wrmsr(MSR_EFER, efer);
	check_faults_write(MSR_EFER, efer | 1u << 1, "reserved bit of EFER: #GP");
	check_faults_write(MSR_EFER, efer & ~EFER_LME, "EFER.LME off while paging: #GP");
	tap_equal(cpu_rdmsr(MSR_EFER), efer, "EFER unchanged after a refused write");
}

static void check_pat(void)
{
	check_holds(MSR_PAT, 0x0007010600070106ull, "PAT");
	check_faults_write(MSR_PAT, 0x0000000000000002ull, "reserved memory type in PAT: #GP");
}

static void check_apic_base(void)
{
	uint64_t base = cpu_rdmsr(MSR_APIC_BASE);

	tap_equal(base & 0xd00, 0xd00, "APIC base: boot CPU, enabled, x2APIC");
	check_faults_write(MSR_APIC_BASE, base & ~(1ull << 10), "x2APIC to xAPIC: #GP");
	check_faults_write(MSR_APIC_BASE, base | 1ull << 9, "reserved bit of APIC base: #GP");
	tap_equal(cpu_rdmsr(MSR_APIC_BASE), base, "APIC base unchanged after refused writes");
}

int guest_main(void)
{
	uint64_t value;

	if (guest_in_partition()) {
		check_faults_read(0x12345, "read of an unknown MSR: #GP");
		check_faults_write(0x12345, 0, "write of an unknown MSR: #GP");
		check_faults_read(0x480, "VMX capability MSR: #GP");
		check_faults_read(0xc0010117, "SVM MSR: #GP");
		check_faults_read(0xc0002000, "MSR outside both bitmap ranges, high: #GP");
		check_faults_read(0x2000, "MSR outside both bitmap ranges, low: #GP");
		check_faults_write(0x79, 0, "microcode update: #GP");
		tap_ok(trap_try_rdmsr(0x3a, &value) == TRAP_GP || (value & 6) == 0,
		       "feature control gives no VMX");
		check_apic_base();
	} else {
		guest_printf("# SKIP faults of unknown MSRs: not in a partition\n");
	}
	check_holds(MSR_STAR, 0x0023000800000000ull, "STAR");
	check_holds(MSR_LSTAR, 0xffffffff81000000ull, "LSTAR");
	check_holds(MSR_CSTAR, 0xffffffff81000100ull, "CSTAR");
	check_holds(MSR_SFMASK, 0x47700, "SFMASK");
	check_holds(MSR_FS_BASE, 0x00007f0011223344ull, "FS base");
	check_holds(MSR_GS_BASE, 0xffff888011223344ull, "GS base");
	check_holds(MSR_KERNEL_GS, 0xffff888055667788ull, "kernel GS base");
	check_holds(MSR_SYSENTER_CS, 0x10, "SYSENTER CS");
	check_holds(MSR_SYSENTER_ESP, 0xffff888000001000ull, "SYSENTER ESP");
	check_holds(MSR_SYSENTER_EIP, 0xffffffff81000200ull, "SYSENTER EIP");
	if (guest_cpu_is_lax()) {
		tap_skip("non-canonical addresses", "the emulated CPU does not check them");
	} else {
		check_faults_write(MSR_LSTAR, 0x1234567800000000ull, "non-canonical LSTAR: #GP");
		check_faults_write(MSR_FS_BASE, 0x8000000000000000ull, "non-canonical FS base: #GP");
	}
	check_efer();
	check_pat();
	return tap_done();
}
