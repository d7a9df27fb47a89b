/* SPDX-License-Identifier: Apache-2.0 */
/** Exceptions reach the guest's own handlers with the right error codes, nested ones and #DF too.
 *  expect: exit 1 */
#include "guest.h"

#define PF_WRITE 2u
#define PF_USER  4u
#define HOLE     0x8000000000ull /* 512 GiB: no entry in our PML4 */

extern uint64_t page_dirs[];

static uint32_t nested_vector;
static uint64_t steps;

static uint32_t touch(uint64_t address)
{
	return TRAP_TRY("movb (%0), %%al", , "r"(address), "rax");
}

static void handle_nested(struct trap_frame *frame)
{
	/* A trap inside a handler: caught like any other, after an exit. */
	(void)cpu_cpuid(0, 0);
	nested_vector = TRAP_TRY("ud2", , );
	frame->rip += 2; /* over the UD2 outside */
}

static void handle_step(struct trap_frame *frame)
{
	(void)cpu_cpuid(0, 0);
	steps++;
	if (steps == 3) {
		frame->rflags &= ~(1ull << 8);
	}
}

static void handle_breakpoint(struct trap_frame *frame)
{
	(void)frame;
	steps++;
}

static void user_code(void)
{
	nested_vector = TRAP_TRY("cli", , );
}

static void check_simple(void)
{
	tap_equal(TRAP_TRY("ud2", , ), TRAP_UD, "UD2: #UD");
	tap_equal(TRAP_TRY("xor %%ecx, %%ecx\n\tdiv %%ecx", , , "rax", "rcx", "rdx"), TRAP_DE,
		  "division by zero: #DE");
	tap_equal(TRAP_TRY("mov %0, %%fs", , "r"(0x7f8)), TRAP_GP, "selector beyond the GDT: #GP");
	tap_equal(trap_last.error, 0x7f8, "its error code is the selector");
	tap_equal(TRAP_TRY("movb (%0), %%al", , "r"(0x800000000000ull), "rax"), TRAP_GP,
		  "non-canonical address: #GP");
	tap_equal(trap_last.error, 0, "its error code is 0");
	steps = 0;
	trap_set_handler(TRAP_BP, handle_breakpoint);
	__asm__ volatile("int3");
	tap_equal(steps, 1, "INT3: #BP");
	trap_set_handler(TRAP_BP, NULL);
	user_run(user_code);
	tap_equal(nested_vector, TRAP_GP, "CLI at CPL 3: #GP");
}

static void check_page_faults(void)
{
	uint64_t last = page_dirs[2047], error;

	tap_equal(touch(HOLE + 0x123), TRAP_PF, "no mapping: #PF");
	tap_equal(trap_last.cr2, HOLE + 0x123, "CR2 holds the address");
	tap_equal(trap_last.error, 0, "error code: read, not present");
	tap_equal(TRAP_TRY("movb $1, (%0)", , "r"(HOLE)), TRAP_PF, "write without mapping: #PF");
	tap_equal(trap_last.error, PF_WRITE, "error code: write");
	page_dirs[2047] = last | 1ull << 51;
	__asm__ volatile("invlpg (%0)" : : "r"(0xffe00000ull) : "memory");
	tap_equal(touch(0xffe00000), TRAP_PF, "reserved bit in a page table: #PF");
	error = trap_last.error;
	if (guest_cpu_is_lax()) {
		tap_skip("error code: present, reserved bit", "the emulated CPU forgets `present`");
	} else {
		tap_equal(error, 9, "error code: present, reserved bit");
	}
	page_dirs[2047] = last;
	__asm__ volatile("invlpg (%0)" : : "r"(0xffe00000ull) : "memory");
}

static void check_nested(void)
{
	nested_vector = TRAP_NONE;
	trap_set_handler(TRAP_UD, NULL);
	trap_set_handler(TRAP_BP, handle_nested);
	/* INT3 pushes the address behind it; the handler then goes over the UD2. */
	__asm__ volatile("int3\n\tud2");
	tap_equal(nested_vector, TRAP_UD, "a trap inside a handler");
	trap_set_handler(TRAP_BP, NULL);
	trap_set_present(TRAP_GP, false);
	tap_equal(TRAP_TRY("mov %0, %%fs", , "r"(0x7f8)), TRAP_DF, "#GP without a gate: #DF");
	tap_equal(trap_last.error, 0, "#DF has error code 0");
	trap_set_present(TRAP_GP, true);
}

static void check_step(void)
{
	steps = 0;
	trap_set_handler(TRAP_DB, handle_step);
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop\n\tnop\n\tnop"
			 :
			 :
			 : "memory", "cc");
	tap_equal(steps, 3, "single steps, with an exit in the handler");
	steps = 2;
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tcpuid\n\tnop\n\tnop"
			 :
			 : "a"(0), "c"(0)
			 : "rbx", "rdx", "memory", "cc");
	tap_equal(steps, 3, "a single step over an instruction that exits");
	trap_set_handler(TRAP_DB, NULL);
}

int guest_main(void)
{
	check_simple();
	check_page_faults();
	check_nested();
	check_step();
	return tap_done();
}
