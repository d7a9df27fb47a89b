/* SPDX-License-Identifier: Apache-2.0 */
/** Control registers: legal writes stay, illegal ones fault, and every mode can be entered and left.
 *  expect: exit 1 */
#include "guest.h"

#define SEL16_CODE 0x40u
#define SEL16_DATA 0x48u
#define REAL_AT    0x20000u
#define PTE_USER   4ull

extern uint32_t mode_mark, mode_mark2, mode_probe;
extern uint64_t gdt_table[], page_pml4[];
void mode_flat(void);
void mode_paging(void);
void mode_pae(void);
void mode_real(void);

static uint32_t try_cr0(uint64_t value)
{
	return TRAP_TRY("mov %0, %%cr0", , "r"(value));
}

static uint32_t try_cr3(uint64_t value)
{
	return TRAP_TRY("mov %0, %%cr3", , "r"(value));
}

static uint32_t try_cr4(uint64_t value)
{
	return TRAP_TRY("mov %0, %%cr4", , "r"(value));
}

static uint32_t try_cr8(uint64_t value)
{
	return TRAP_TRY("mov %0, %%cr8", , "r"(value));
}

static void check_cr0(void)
{
	uint64_t cr0 = cpu_read_cr0();

	if (guest_cpu_is_lax()) {
		tap_skip("illegal values of CR0", "the emulated CPU does not check them");
	} else {
		tap_equal(try_cr0(cr0 | CR0_NW), TRAP_GP, "CR0.NW without CD: #GP");
		tap_equal(try_cr0(cr0 & ~CR0_PE), TRAP_GP, "CR0.PG without PE: #GP");
		tap_equal(try_cr0(cr0 | 1ull << 32), TRAP_GP, "upper half of CR0: #GP");
	}
	tap_equal(cpu_read_cr0(), cr0, "CR0 unchanged after refused writes");
	cpu_write_cr0(cr0 & ~CR0_WP);
	(void)cpu_cpuid(0, 0);
	tap_equal(cpu_read_cr0(), cr0 & ~CR0_WP, "CR0.WP off stays");
	cpu_write_cr0(cr0 & ~CR0_NE);
	(void)cpu_cpuid(0, 0);
	tap_equal(cpu_read_cr0(), cr0 & ~CR0_NE, "CR0.NE off reads as off");
	cpu_write_cr0(cr0 | CR0_TS);
	tap_equal(TRAP_TRY("fninit", , ), TRAP_NM, "CR0.TS: FPU gives #NM");
	__asm__ volatile("clts");
	tap_equal(cpu_read_cr0(), cr0, "CLTS clears TS");
	tap_equal(TRAP_TRY("fninit", , ), TRAP_NONE, "FPU works again");
	__asm__ volatile("lmsw %w0" : : "r"((uint32_t)(cr0 | CR0_TS)));
	tap_equal(cpu_read_cr0(), cr0 | CR0_TS, "LMSW sets TS");
	__asm__ volatile("clts");
	cpu_write_cr0(cr0 | CR0_CD);
	tap_equal(cpu_read_cr0(), cr0 | CR0_CD, "CR0.CD stays");
	cpu_write_cr0(cr0);
}

static void check_cr4(void)
{
	uint64_t cr4 = cpu_read_cr4();

	if (guest_in_partition()) {
		tap_equal(cr4 & CR4_VMXE, 0, "CR4.VMXE reads as off");
	}
	if (guest_cpu_is_lax()) {
		tap_skip("illegal values of CR4", "the emulated CPU does not check them");
	} else {
		tap_equal(try_cr4(cr4 & ~CR4_PAE), TRAP_GP, "CR4.PAE off in long mode: #GP");
		tap_equal(try_cr4(cr4 | 1ull << 31), TRAP_GP, "reserved bit of CR4: #GP");
		if (guest_in_partition()) {
			tap_equal(try_cr4(cr4 | CR4_VMXE), TRAP_GP, "CR4.VMXE: #GP");
		}
	}
	tap_equal(cpu_read_cr4(), cr4, "CR4 unchanged after refused writes");
	cpu_write_cr4(cr4 ^ CR4_PGE);
	(void)cpu_cpuid(0, 0);
	tap_equal(cpu_read_cr4(), cr4 ^ CR4_PGE, "CR4.PGE stays");
	cpu_write_cr4(cr4);
	if ((cpu_cpuid(7, 0).ebx & 1u << 7) != 0) {
		page_pml4[0] &= ~PTE_USER; /* else our own next fetch would fault */
		cpu_write_cr3(cpu_read_cr3());
		cpu_write_cr4(cr4 | CR4_SMEP);
		(void)cpu_cpuid(0, 0);
		tap_equal(cpu_read_cr4(), cr4 | CR4_SMEP, "CR4.SMEP stays");
		cpu_write_cr4(cr4);
		page_pml4[0] |= PTE_USER;
		cpu_write_cr3(cpu_read_cr3());
	} else {
		tap_skip("CR4.SMEP stays", "no SMEP");
	}
}

static void check_cr3_cr8(void)
{
	uint64_t cr3 = cpu_read_cr3();
	uint64_t tpr;

	if (guest_cpu_is_lax()) {
		tap_skip("illegal values of CR3", "the emulated CPU does not check them");
	} else {
		tap_equal(try_cr3(cr3 | 1ull << 52), TRAP_GP,
			  "address above the physical width in CR3: #GP");
		tap_equal(cpu_read_cr3(), cr3, "CR3 unchanged");
	}
	cpu_write_cr3(cr3 | 1u << 3);
	(void)cpu_cpuid(0, 0);
	tap_equal(cpu_read_cr3(), cr3 | 1u << 3, "CR3.PWT stays");
	cpu_write_cr3(cr3);
	tap_equal(try_cr8(16), TRAP_GP, "CR8 above 15: #GP");
	tap_equal(try_cr8(5), TRAP_NONE, "CR8 takes 5");
	__asm__ volatile("mov %%cr8, %0" : "=r"(tpr));
	tap_equal(tpr, 5, "CR8 reads 5");
	apic_init();
	try_cr8(7);
	tap_equal(apic_read(APIC_TPR), 0x70, "CR8 and TPR are one");
	apic_write(APIC_TPR, 0x30);
	__asm__ volatile("mov %%cr8, %0" : "=r"(tpr));
	tap_equal(tpr, 3, "TPR and CR8 are one");
	try_cr8(0);
}

static void check_modes(void)
{
	uint64_t efer = cpu_rdmsr(MSR_EFER);
	uint64_t cr4 = cpu_read_cr4();

	flat32_run((uint32_t)(uint64_t)mode_flat);
	tap_equal(mode_mark & (CR0_PG | CR0_PE), CR0_PE, "flat mode without paging");
	mode_mark = 0;
	flat32_run((uint32_t)(uint64_t)mode_paging);
	tap_equal(mode_mark, mode_probe, "32-bit paging with 4 MiB pages");
	mode_mark = 0;
	flat32_run((uint32_t)(uint64_t)mode_pae);
	tap_equal(mode_mark, mode_probe, "PAE paging");
	tap_equal(mode_mark2, mode_probe, "PAE paging after an exit");
	gdt_table[SEL16_CODE / 8] = 0x00009b000000ffffull | (uint64_t)REAL_AT << 16;
	gdt_table[SEL16_DATA / 8] = 0x000093000000ffffull | (uint64_t)REAL_AT << 16;
	mode_mark = 0;
	flat32_run((uint32_t)(uint64_t)mode_real);
	tap_equal(mode_mark, 0x1234, "real mode, with an interrupt through the IVT");
	tap_equal(cpu_rdmsr(MSR_EFER), efer, "EFER as before");
	tap_equal(cpu_read_cr4(), cr4, "CR4 as before");
	for (int i = 0; i < 50; i++) {
		flat32_run((uint32_t)(uint64_t)mode_flat);
	}
	tap_ok(true, "50 more rounds through flat mode");
}

int guest_main(void)
{
	check_cr0();
	check_cr3_cr8();
	check_modes();
	check_cr4();
	return tap_done();
}
