/* SPDX-License-Identifier: Apache-2.0 */
/** Instructions that always leave a guest, or that we do not offer, fault and stop nobody.
 *  expect: exit 1 */
#include "guest.h"

/* Aligned as a VMCB: a CPU may look at that first (APM vol. 2, "VMRUN Instruction"). */
static uint64_t operand[512] __attribute__((aligned(4096)));

#define GIVES_UD(name, code) \
	tap_equal(TRAP_TRY(code, , "D"(operand), "rax", "rcx", "rdx"), TRAP_UD, name ": #UD")

static void check_vmx(void)
{
	GIVES_UD("vmxon", "vmxon (%%rdi)");
	GIVES_UD("vmclear", "vmclear (%%rdi)");
	GIVES_UD("vmptrld", "vmptrld (%%rdi)");
	GIVES_UD("vmptrst", "vmptrst (%%rdi)");
	GIVES_UD("vmread", "xor %%eax, %%eax\n\tvmread %%rax, %%rcx");
	GIVES_UD("vmwrite", "xor %%eax, %%eax\n\tvmwrite %%rcx, %%rax");
	GIVES_UD("vmlaunch", "vmlaunch");
	GIVES_UD("vmresume", "vmresume");
	GIVES_UD("vmxoff", "vmxoff");
	GIVES_UD("invept", "xor %%eax, %%eax\n\tinvept (%%rdi), %%rax");
	GIVES_UD("invvpid", "xor %%eax, %%eax\n\tinvvpid (%%rdi), %%rax");
	GIVES_UD("vmfunc", "xor %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xd4");
}

/* EFER.SVME is off, whatever root mode's own is. Source: APM vol. 2, "Enabling SVM". */
static void check_svm(void)
{
	GIVES_UD("vmrun", "mov %%rdi, %%rax\n\t.byte 0x0f, 0x01, 0xd8");
	GIVES_UD("vmload", "mov %%rdi, %%rax\n\t.byte 0x0f, 0x01, 0xda");
	GIVES_UD("vmsave", "mov %%rdi, %%rax\n\t.byte 0x0f, 0x01, 0xdb");
	GIVES_UD("stgi", ".byte 0x0f, 0x01, 0xdc");
	GIVES_UD("clgi", ".byte 0x0f, 0x01, 0xdd");
	GIVES_UD("skinit", "xor %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xde");
	GIVES_UD("invlpga", "mov %%rdi, %%rax\n\txor %%ecx, %%ecx\n\t.byte 0x0f, 0x01, 0xdf");
}

static void check_others(void)
{
	GIVES_UD("getsec", "xor %%eax, %%eax\n\t.byte 0x0f, 0x37");
	GIVES_UD("monitor", "xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tmov %%rdi, %%rax\n\tmonitor");
	GIVES_UD("mwait", "xor %%eax, %%eax\n\txor %%ecx, %%ecx\n\tmwait");
	GIVES_UD("rsm", "rsm");
	GIVES_UD("encls", "xor %%eax, %%eax\n\t.byte 0x0f, 0x01, 0xcf");
	tap_equal(TRAP_TRY("xor %%ecx, %%ecx\n\trdpmc", , , "rax", "rcx", "rdx"), TRAP_GP,
		  "rdpmc: #GP");
}

static void check_harmless(void)
{
	uint64_t before = cpu_rdtsc();

	tap_equal(TRAP_TRY("wbinvd", , ), TRAP_NONE, "WBINVD goes on");
	tap_equal(TRAP_TRY("invlpg (%0)", , "r"(operand)), TRAP_NONE, "INVLPG goes on");
	tap_equal(TRAP_TRY("pause", , ), TRAP_NONE, "PAUSE goes on");
	tap_ok(cpu_rdtsc() > before, "RDTSC counts");
	if ((cpu_cpuid(0x80000001, 0).edx & 1u << 27) != 0) {
		uint64_t aux = 0;

		cpu_wrmsr(MSR_TSC_AUX, 7);
		__asm__ volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
		tap_equal(aux, 7, "RDTSCP gives TSC_AUX");
	} else {
		GIVES_UD("rdtscp", "rdtscp");
	}
	if ((cpu_cpuid(7, 0).ebx & 1u << 10) != 0) {
		tap_equal(TRAP_TRY("invpcid (%0), %1", , TRAP_ARGS("r"(operand), "r"(2ull))), TRAP_NONE,
			  "INVPCID goes on");
	} else {
		GIVES_UD("invpcid", "xor %%eax, %%eax\n\tinvpcid (%%rdi), %%rax");
	}
	if ((cpu_cpuid(0xd, 1).eax & 1u << 3) == 0) {
		GIVES_UD("xsaves", "xor %%eax, %%eax\n\txor %%edx, %%edx\n\txsaves (%%rdi)");
	}
	__asm__ volatile("mov %0, %%dr0" : : "r"(0x1234ull));
	(void)cpu_cpuid(0, 0);
	uint64_t dr0;

	__asm__ volatile("mov %%dr0, %0" : "=r"(dr0));
	tap_equal(dr0, 0x1234, "DR0 holds over an exit");
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	check_vmx();
	check_svm();
	check_others();
	check_harmless();
	return tap_done();
}
