/* SPDX-License-Identifier: Apache-2.0 */
/** GDT and TSS per CPU, one IDT for all. Gates are interrupt gates: root mode runs with IF = 0. */
#include "cpu/desc.h"

#include "cpu/percpu.h"
#include "cpu/trap.h"

#define GDT_CODE64 0x00af9b000000ffffull /* present, DPL 0, accessed, L */
#define GDT_DATA   0x00cf93000000ffffull /* present, DPL 0, accessed, writable */
#define GDT_TSS	   0x0000890000000000ull /* present, available 64-bit TSS */

#define GATE_INTERRUPT 0x8e00ull

struct idt_gate {
	uint64_t low, high;
};

static struct idt_gate idt[TRAP_VECTORS] BH_ALIGNED(16);

/** Interrupt stack by vector; 0 stays on the stack there is. */
static const uint8_t gate_ist[TRAP_VECTORS] = {[2] = IST_NMI, [8] = IST_DF, [18] = IST_MC};

static void idt_fill(void)
{
	for (unsigned i = 0; i < TRAP_VECTORS; i++) {
		uint64_t entry = (uintptr_t)(trap_stubs + TRAP_STUB_SIZE * i);

		idt[i].low = (entry & 0xffff) | (uint64_t)SEL_CODE64 << 16 |
			     (GATE_INTERRUPT | gate_ist[i]) << 32 | (entry >> 16 & 0xffff) << 48;
		idt[i].high = entry >> 32;
	}
}

void cpu_desc_init(struct cpu *cpu)
{
	uint64_t tss = (uintptr_t)&cpu->tss;
	uint64_t limit = sizeof(cpu->tss) - 1;
	struct desc_ptr gdtr = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};
	struct desc_ptr idtr = {sizeof(idt) - 1, (uintptr_t)idt};

	cpu->tss.iomap = sizeof(cpu->tss);
	cpu->gdt[SEL_CODE64 / 8] = GDT_CODE64;
	cpu->gdt[SEL_DATA / 8] = GDT_DATA;
	cpu->gdt[SEL_TSS / 8] = GDT_TSS | limit | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	if (cpu->id == 0) {
		idt_fill();
	}
	insn_lgdt(&gdtr);
	insn_load_segments(SEL_CODE64, SEL_DATA);
	insn_ltr(SEL_TSS);
	insn_lidt(&idtr);
}

uint64_t desc_idt_base(void)
{
	return (uintptr_t)idt;
}
