/* SPDX-License-Identifier: Apache-2.0 */
/** Single steps, breakpoints and the shadow of STI and MOV SS at instructions that leave a guest: the event
 *  comes where it would come without a hypervisor. Source: SDM 3A, "Masking Maskable Hardware Interrupts",
 *  "Single-Step Exception Condition"; APM vol. 2, "#DB", "Interrupt Shadows".
 *  expect: exit 1 */
#include "guest.h"

#define VECTOR      0x61u
#define DR6_STEP    (1ull << 14)
#define DR6_B0      1ull
#define DR7_L0      1ull
#define DR7_L0_EXEC (DR7_L0 | 1ull << 10)

static volatile uint64_t event_rip, event_count, event_dr6;

static void handle_interrupt(struct trap_frame *frame)
{
	event_rip = frame->rip;
	event_count++;
	apic_eoi();
}

static void handle_debug(struct trap_frame *frame)
{
	uint64_t dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0ull));
	event_rip = frame->rip;
	event_dr6 = dr6;
	event_count++;
	frame->rflags &= ~(1ull << 8);
	frame->rflags |= 1ull << 16; /* RF: a breakpoint on what comes next is over */
}

static void expect(uint64_t rip, const char *name)
{
	tap_ok(event_count == 1 && event_rip == rip, "%s", name);
	if (event_count != 1 || event_rip != rip) {
		guest_printf("# %lu events, at 0x%lx, wanted 0x%lx\n", event_count, event_rip, rip);
	}
	event_count = 0;
}

/* `insn` may use RAX, RCX, RDX as they are set, and RDI; it changes what it likes of RAX, RBX, RCX, RDX. */
#define AROUND(before, insn, after, a, c, d)                                                    \
	({                                                                                      \
		uint64_t rip_, a_ = (a), b_, c_ = (c), d_ = (d);                                \
		__asm__ volatile("lea 992f(%%rip), %0\n\t" before "\n\t" insn "\n992:\n\t" after \
				 : "=&r"(rip_), "+a"(a_), "=&b"(b_), "+c"(c_), "+d"(d_)         \
				 : "D"(GUEST_MMIO_TEST)                                         \
				 : "memory", "cc");                                             \
		rip_;                                                                           \
	})

/* A pending interrupt: STI holds it back for one instruction, and CLI behind that one comes too late. */
#define CHECK_STI(name, insn, a, c, d)                                                          \
	do {                                                                                    \
		apic_self_ipi(VECTOR);                                                          \
		expect(AROUND("sti", insn, "cli", a, c, d), "STI, " name ": behind it");         \
	} while (0)

/* TF comes on with POPF: the instruction behind it is the first to be stepped. */
#define CHECK_STEP(name, insn, a, c, d)                                                         \
	do {                                                                                    \
		expect(AROUND("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq", insn, "nop", a, c, d),   \
		       "single step over " name);                                               \
		tap_ok((event_dr6 & DR6_STEP) != 0, "DR6 says single step");                    \
	} while (0)

#define CHECK_BOTH(name, insn, a, c, d)         \
	do {                                    \
		CHECK_STI(name, insn, a, c, d);  \
		CHECK_STEP(name, insn, a, c, d); \
	} while (0)

static void check_all(bool partition)
{
	CHECK_BOTH("NOP", "nop", 0, 0, 0);
	CHECK_BOTH("CPUID", "cpuid", 0, 0, 0);
	CHECK_BOTH("RDMSR", "rdmsr", 0, MSR_APIC_BASE, 0);
	CHECK_BOTH("OUT", "outb %%al, %%dx", 0, 0, GUEST_PORT_ECHO);
	CHECK_BOTH("IN", "inb %%dx, %%al", 0, 0, GUEST_PORT_ECHO);
	CHECK_BOTH("WBINVD", "wbinvd", 0, 0, 0);
	CHECK_BOTH("XSETBV", "xsetbv", 3, 0, 0);
	CHECK_BOTH("MOV CR4", "mov %%rax, %%cr4", cpu_read_cr4() ^ CR4_PGE, 0, 0);
	CHECK_BOTH("MOV CR0", "mov %%rax, %%cr0", cpu_read_cr0(), 0, 0);
	CHECK_BOTH("MOV CR8", "mov %%rax, %%cr8", 0, 0, 0);
	if (!partition) {
		return;
	}
	CHECK_BOTH("MMIO write", "movl %%eax, (%%rdi)", 0, 0, 0);
	CHECK_BOTH("MMIO read", "movl (%%rdi), %%eax", 0, 0, 0);
	CHECK_BOTH("doorbell", "movl %%eax, (%%rdx)", 0, 0, GUEST_DOORBELL_PAGE);
	if (guest_has_vmmcall) {
		CHECK_BOTH("hypercall", "vmmcall", 0, 0, 0);
	} else {
		CHECK_BOTH("hypercall", "vmcall", 0, 0, 0);
	}
}

static void check_shadows(void)
{
	CHECK_STI("HLT", "hlt", 0, 0, 0);
	/* IF stays on; what unblocks the interrupt is the instruction itself. */
	if (apic_is_x2()) {
		cpu_sti();
		expect(AROUND("", "wrmsr", "nop", VECTOR, 0x83f, 0), "self IPI: at once");
		expect(AROUND("mov %%ss, %%ebx\n\tmov %%ebx, %%ss", "wrmsr", "nop", VECTOR, 0x83f, 0),
		       "MOV SS, self IPI: behind it");
		apic_write(APIC_TPR, 0xf0);
		apic_self_ipi(VECTOR);
		expect(AROUND("", "wrmsr", "nop", 0, 0x808, 0), "TPR lowered: at once");
		apic_write(APIC_TPR, 0xf0);
		apic_self_ipi(VECTOR);
		expect(AROUND("", "mov %%rax, %%cr8", "nop", 0, 0, 0), "CR8 lowered: at once");
		cpu_cli();
	}
}

/* An execution breakpoint on the instruction behind one that exits. */
static void check_breakpoint(void)
{
	uint64_t rip;

	__asm__ volatile("lea 1f(%%rip), %0\n\t"
			 "mov %0, %%dr0\n\t"
			 "mov %1, %%dr7\n\t"
			 "xor %%eax, %%eax\n\t"
			 "cpuid\n"
			 "1:\tnop"
			 : "=&r"(rip)
			 : "r"(DR7_L0_EXEC)
			 : "rax", "rbx", "rcx", "rdx", "memory");
	__asm__ volatile("mov %0, %%dr7" : : "r"(1ull << 10));
	tap_ok((event_dr6 & DR6_B0) != 0, "DR6 names the breakpoint");
	expect(rip, "a breakpoint behind CPUID");
}

int guest_main(void)
{
	apic_init();
	trap_set_handler(VECTOR, handle_interrupt);
	trap_set_handler(TRAP_DB, handle_debug);
	check_all(guest_in_partition());
	check_shadows();
	check_breakpoint();
	return tap_done();
}
