/* SPDX-License-Identifier: Apache-2.0 */
/** Instructions that leave a guest, behind prefixes and across a page border: done once, and RIP goes on
 *  right behind them, whoever counts the bytes, the CPU or root mode.
 *  expect: exit 1 */
#include "abi/hypercall.h"
#include "guest.h"

#define LENGTH_MAX  15u
#define PUSHES      16u
#define PUSHED      (PUSHES * 8)
#define OP_PUSH_RAX 0x50u
#define OP_STI      0xfbu
#define OP_CLI      0xfau
#define VECTOR      0x61u
#define WINDOW_VA   0x8000000000ull /* entry 1 of the PML4 */
#define PAGE        4096u
#define PTE_SMALL   3ull
#define RUN_OF_66   13u

enum { RAX, RCX, RDX, RBX, REGS };

int64_t probe_run(const void *code, uint64_t regs[REGS]);
void probe_flat32(void);
extern uint32_t probe_ebx, probe_eax, probe_pushed;
extern uint8_t probe_in_partition;
extern uint64_t page_pml4[];

struct bytes {
	uint8_t count;
	uint8_t at[LENGTH_MAX + 1];
};

/* What the prefixes may be; 0x66 changes the size of a port access. */
static const struct bytes prefixes[] = {
	{ 0, { 0 } },
	{ 1, { 0x66 } },
	{ 1, { 0xf3 } },
	{ 1, { 0xf2 } },
	{ 1, { 0x2e } },
	{ 1, { 0x3e } },
	{ 1, { 0x64 } },
	{ 1, { 0x65 } },
	{ 1, { 0x67 } },
	{ 1, { 0x40 } },
	{ 1, { 0x48 } },
	{ 1, { 0x4f } },
	{ 2, { 0x66, 0x48 } },
	{ 2, { 0xf3, 0x41 } },
	{ 4, { 0x64, 0x66, 0x67, 0x4f } },
};

struct insn {
	const char *name;
	struct bytes opcode;
	bool repeat; /* 0xf2 and 0xf3 change nothing */
	bool size;   /* nor does 0x66 */
	bool partition_only;
	bool (*check)(const uint64_t regs[REGS], bool size_prefix);
	uint64_t regs[REGS];
};

static uint8_t code[2 * PAGE] __attribute__((aligned(4096)));
static uint64_t window_tables[3][512] __attribute__((aligned(4096)));
static volatile uint32_t interrupts;
static volatile uint64_t interrupt_rip;

static bool cpuid_done(const uint64_t regs[REGS], bool size_prefix)
{
	const struct cpuid_regs r = cpu_cpuid(0, 0);

	(void)size_prefix;
	return regs[RAX] == r.eax && regs[RBX] == r.ebx && regs[RCX] == r.ecx && regs[RDX] == r.edx;
}

static bool rdmsr_done(const uint64_t regs[REGS], bool size_prefix)
{
	(void)size_prefix;
	return (regs[RDX] << 32 | regs[RAX]) == cpu_rdmsr(MSR_APIC_BASE);
}

static bool nothing(const uint64_t regs[REGS], bool size_prefix)
{
	(void)regs;
	(void)size_prefix;
	return true;
}

static bool hypercall_done(const uint64_t regs[REGS], bool size_prefix)
{
	(void)size_prefix;
	return regs[RAX] == BH_ABI_VERSION;
}

static bool out_8_done(const uint64_t regs[REGS], bool size_prefix)
{
	(void)regs;
	(void)size_prefix;
	return !probe_in_partition ||
	       (cpu_in32(GUEST_PORT_LAST) == 1 && cpu_in8(GUEST_PORT_ECHO) == 0x5a);
}

static bool out_32_done(const uint64_t regs[REGS], bool size_prefix)
{
	(void)regs;
	return !probe_in_partition || cpu_in32(GUEST_PORT_LAST) == (size_prefix ? 2u : 4u);
}

static bool in_32_done(const uint64_t regs[REGS], bool size_prefix)
{
	uint64_t want = 0x1122334455667788;

	want = size_prefix ? (want & ~0xffffull) | 0x3344 : 0x11223344;
	return !probe_in_partition || regs[RAX] == want;
}

static bool cr4_done(const uint64_t regs[REGS], bool size_prefix)
{
	(void)size_prefix;
	return cpu_read_cr4() == regs[RAX];
}

static struct insn insns[] = {
	{ "CPUID", { 2, { 0x0f, 0xa2 } }, true, true, false, cpuid_done, { 0 } },
	{ "RDMSR", { 2, { 0x0f, 0x32 } }, true, true, false, rdmsr_done, { 0, MSR_APIC_BASE } },
	{ "WRMSR", { 2, { 0x0f, 0x30 } }, true, true, false, rdmsr_done, { 0, MSR_APIC_BASE } },
	{ "hypercall", { 3, { 0x0f, 0x01, 0xc1 } }, false, false, true, hypercall_done, { 0 } },
	{ "OUT DX, AL", { 1, { 0xee } }, true, true, false, out_8_done, { 0x5a, 0, GUEST_PORT_ECHO } },
	{ "OUT DX, EAX", { 1, { 0xef } }, true, true, false, out_32_done, { 0x5a, 0, GUEST_PORT_ECHO } },
	{ "OUT imm8, AL", { 2, { 0xe6, 0x80 } }, true, true, false, nothing, { 0 } },
	{ "IN EAX, DX",
	  { 1, { 0xed } },
	  true,
	  true,
	  false,
	  in_32_done,
	  { 0x1122334455667788, 0, GUEST_PORT_ECHO } },
	{ "WBINVD", { 2, { 0x0f, 0x09 } }, false, true, false, nothing, { 0 } },
	{ "XSETBV", { 3, { 0x0f, 0x01, 0xd1 } }, false, false, false, nothing, { 3 } },
	{ "MOV CR4, RAX", { 3, { 0x0f, 0x22, 0xe0 } }, false, true, false, cr4_done, { 0 } },
};

static bool has(const struct bytes *bytes, uint8_t value)
{
	for (uint32_t i = 0; i < bytes->count; i++) {
		if (bytes->at[i] == value) {
			return true;
		}
	}
	return false;
}

static bool has_rex_w(const struct bytes *prefix)
{
	return has(prefix, 0x48) || has(prefix, 0x4f);
}

/* Bit 0 of REX would make MOV CR4's operand another register. */
static bool fits(const struct insn *insn, const struct bytes *prefix)
{
	bool repeat = has(prefix, 0xf2) || has(prefix, 0xf3);
	bool rex_b = has(prefix, 0x41) || has(prefix, 0x4f);

	return (insn->repeat || !repeat) && (insn->size || !has(prefix, 0x66)) &&
	       !(rex_b && insn->check == cr4_done);
}

/* The instruction, the pushes and the way back. Returns its length. */
static uint32_t put(uint8_t *at, const struct bytes *prefix, const struct bytes *opcode)
{
	static const uint8_t back[] = { 0x41, 0xff, 0xe6 }; /* jmp *%r14 */
	uint32_t length = (uint32_t)prefix->count + opcode->count;

	memcpy(at, prefix->at, prefix->count);
	memcpy(at + prefix->count, opcode->at, opcode->count);
	memset(at + length, OP_PUSH_RAX, PUSHES);
	memcpy(at + length + PUSHES, back, sizeof(back));
	return length;
}

static bool runs(const struct insn *insn, const uint8_t *at, bool size_prefix)
{
	uint64_t regs[REGS];
	int64_t pushed;

	memcpy(regs, insn->regs, sizeof(regs));
	cpu_out32(GUEST_PORT_ECHO, 0x11223344);
	pushed = probe_run(at, regs);
	if (pushed != PUSHED || !insn->check(regs, size_prefix)) {
		guest_printf("# pushed %ld, trap %u at 0x%lx, rax 0x%lx\n", pushed,
			     trap_last.vector, trap_last.rip, regs[RAX]);
		return false;
	}
	return true;
}

static void check_prefixes(const struct insn *insn)
{
	bool all = true;
	uint32_t count = 0;

	for (uint32_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (fits(insn, &prefixes[i])) {
			/* REX.W takes precedence (SDM 2A, "REX Prefixes"). */
			bool size = has(&prefixes[i], 0x66) && !has_rex_w(&prefixes[i]);

			count++;
			put(code, &prefixes[i], &insn->opcode);
			if (!runs(insn, code, size)) {
				guest_printf("# with prefix %u, first byte 0x%x\n", i, code[0]);
				all = false;
			}
		}
	}
	tap_ok(all, "%s behind prefixes of %u kinds", insn->name, count);
}

static void map_window(void)
{
	page_pml4[1] = (uint64_t)window_tables[0] | PTE_SMALL;
	window_tables[0][0] = (uint64_t)window_tables[1] | PTE_SMALL;
	window_tables[1][0] = (uint64_t)window_tables[2] | PTE_SMALL;
	/* The pages lie the other way round, so that nobody may read on at the physical address. */
	window_tables[2][0] = (uint64_t)(code + PAGE) | PTE_SMALL;
	window_tables[2][1] = (uint64_t)code | PTE_SMALL;
}

static void second_page(bool present)
{
	window_tables[2][1] = present ? (uint64_t)code | PTE_SMALL : 0;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW_VA + PAGE) : "memory");
}

static void check_border(const struct insn *insn)
{
	static const struct bytes prefix = { 2, { 0x3e, 0x40 } };
	uint32_t length = (uint32_t)prefix.count + insn->opcode.count;
	uint8_t *window = (uint8_t *)WINDOW_VA;
	bool all = true, faults = true;

	for (uint32_t before = 1; before <= length; before++) {
		uint8_t *at = window + PAGE - before;
		uint64_t regs[REGS];

		put(at, &prefix, &insn->opcode);
		second_page(false);
		memcpy(regs, insn->regs, sizeof(regs));
		if (probe_run(at, regs) != -1 || trap_last.vector != TRAP_PF ||
		    trap_last.cr2 != WINDOW_VA + PAGE ||
		    trap_last.rip != (before == length ? WINDOW_VA + PAGE : (uint64_t)at)) {
			guest_printf("# %u bytes before: trap %u at 0x%lx, cr2 0x%lx\n", before,
				     trap_last.vector, trap_last.rip, trap_last.cr2);
			faults = false;
		}
		second_page(true);
		/* After the fault: an emulator may remember an instruction that it could fetch. */
		all &= runs(insn, at, false);
	}
	tap_ok(all, "%s across a page border", insn->name);
	tap_ok(faults, "%s with the second page missing: #PF", insn->name);
}

static void check_length(void)
{
	struct bytes prefix = { RUN_OF_66, { 0 } };
	uint64_t regs[REGS] = { 0 };

	memset(prefix.at, 0x66, sizeof(prefix.at));
	put(code, &prefix, &insns[0].opcode);
	tap_ok(runs(&insns[0], code, true), "CPUID of 15 bytes");
	prefix.count++;
	put(code, &prefix, &insns[0].opcode);
	tap_ok(probe_run(code, regs) == -1 && trap_last.vector == TRAP_GP, "CPUID of 16 bytes: #GP");
}

static void handle_interrupt(struct trap_frame *frame)
{
	interrupts++;
	interrupt_rip = frame->rip;
	apic_eoi();
}

/* STI, prefixes, HLT, CLI: an interrupt that is pending already ends the HLT. */
static void check_halt(void)
{
	static const struct bytes halt = { 2, { 0xf4, OP_CLI } };
	bool all = true;

	trap_set_handler(VECTOR, handle_interrupt);
	for (uint32_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		uint64_t regs[REGS] = { 0 };
		int64_t pushed;

		code[0] = OP_STI;
		put(code + 1, &prefixes[i], &halt);
		interrupts = 0;
		apic_self_ipi(VECTOR);
		pushed = probe_run(code, regs);
		if (pushed != PUSHED || interrupts != 1 ||
		    interrupt_rip != (uint64_t)code + 2 + prefixes[i].count) {
			guest_printf("# prefix %u: pushed %ld, %u interrupts, rip 0x%lx\n", i, pushed,
				     interrupts, interrupt_rip);
			all = false;
		}
	}
	tap_ok(all, "HLT behind prefixes");
}

static void check_flat32(void)
{
	const struct cpuid_regs zero = cpu_cpuid(0, 0);

	flat32_run((uint32_t)(uint64_t)probe_flat32);
	tap_equal(probe_pushed, 3 * PUSHES * 4, "in 32-bit mode: RIP goes on right behind");
	tap_equal(probe_ebx, zero.ebx, "in 32-bit mode: CPUID with 0x66 answers");
	if (probe_in_partition) {
		tap_equal(probe_eax, BH_ABI_VERSION, "in 32-bit mode: a hypercall with a segment prefix");
	}
}

int guest_main(void)
{
	probe_in_partition = guest_in_partition();
	apic_init();
	insns[2].regs[RAX] = cpu_rdmsr(MSR_APIC_BASE);
	insns[3].opcode.at[2] = guest_has_vmmcall ? 0xd9 : 0xc1;
	insns[10].regs[RAX] = cpu_read_cr4();
	map_window();
	for (uint32_t i = 0; i < sizeof(insns) / sizeof(*insns); i++) {
		if (insns[i].partition_only && !probe_in_partition) {
			continue;
		}
		check_prefixes(&insns[i]);
		check_border(&insns[i]);
	}
	check_length();
	check_halt();
	check_flat32();
	return tap_done();
}
