/* SPDX-License-Identifier: Apache-2.0 */
/** What happens to exceptions of root mode, and its descriptor tables. */
#include "cpu/trap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/console.h"
#include "insn_fake.h"

/* #GP at an instruction of the fixup table continues at its partner. */
static void trap_fixes_up_safe_msr_access(void **state)
{
	struct trap_frame frame = {.vector = EXC_GP, .rip = 0x100010};

	(void)state;
	trap_handle(&frame);
	assert_int_equal(frame.rip, 0x100020);
}

/* Any other exception there, and #GP elsewhere, stops the machine and names the exception. */
static void trap_stops_on_other_exceptions(void **state)
{
	struct trap_frame frame = {.vector = EXC_PF, .rip = 0x100010};

	(void)state;
	assert_true(INSN_FAKE_STOPS(trap_handle(&frame)));
	assert_non_null(strstr(insn_fake.console, "#PF page fault"));
	frame = (struct trap_frame){.vector = EXC_GP, .rip = 0x100011};
	assert_true(INSN_FAKE_STOPS(trap_handle(&frame)));
	assert_non_null(strstr(insn_fake.console, "bulkhead: halted"));
}

/* The gates of #DF, NMI and #MC use their own stacks, each above an unmapped page. */
static void desc_gives_hard_faults_their_stacks(void **state)
{
	const uint64_t *idt;
	struct cpu *cpu = &cpus[0];

	(void)state;
	cpu_init(0);
	idt = (const uint64_t *)desc_idt_base();
	assert_int_equal(idt[2 * EXC_DF] >> 32 & 7, IST_DF);
	assert_int_equal(idt[2 * EXC_NMI] >> 32 & 7, IST_NMI);
	assert_int_equal(idt[2 * EXC_MC] >> 32 & 7, IST_MC);
	assert_int_equal(idt[2 * EXC_PF] >> 32 & 7, 0);
	assert_int_equal(cpu->tss.ist[IST_DF - 1], (uintptr_t)cpu_stacks[0].df + CPU_IST_SIZE);
	assert_int_equal(cpu->stack_top, (uintptr_t)cpu_stacks[0].main + CPU_STACK_SIZE);
	assert_int_equal(insn_rdmsr(MSR_IA32_GS_BASE), (uintptr_t)cpu);
}

/* The TSS descriptor carries the base in its four pieces. */
static void desc_points_at_the_tss(void **state)
{
	const struct cpu *cpu = &cpus[0];
	uint64_t low = cpu->gdt[SEL_TSS / 8];
	uint64_t base = (low >> 16 & 0xffffff) | (low >> 56) << 24 | cpu->gdt[SEL_TSS / 8 + 1] << 32;

	(void)state;
	assert_int_equal(base, (uintptr_t)&cpu->tss);
	assert_int_equal(low & 0xffff, sizeof(struct desc_tss) - 1);
}

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	console_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_fixes_up_safe_msr_access),
		cmocka_unit_test(trap_stops_on_other_exceptions),
		cmocka_unit_test(desc_gives_hard_faults_their_stacks),
		cmocka_unit_test(desc_points_at_the_tss),
	};
	return cmocka_run_group_tests(tests, prepare, NULL);
}
