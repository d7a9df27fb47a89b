/* SPDX-License-Identifier: Apache-2.0 */
/** What each VM exit does to the guest, over a fake CPU whose guest is a function of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "insn_fake.h"
#include "part/event.h"
#include "part/sched.h"
#include "vmx_fake.h"
#include "vtx/vmx.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)
#define EVENT_PAGE (VMX_FAKE_ARGS + 2 * PAGE_SIZE)
#define RIP	   0x1000u

static struct vcpu *guest;

static int setup(void **state)
{
	(void)state;
	vmx_fake_start_root_mode();
	assert_non_null(parts[0].policy);
	assert_int_equal(part_create(&parts[1], hpa(IOREQ_PAGE)), 0);
	assert_int_equal(part_create(&parts[2], hpa(IOREQ_PAGE + PAGE_SIZE)), 0);
	assert_int_equal(event_setup(EVENT_PAGE, 0xfee00000, 0x41), 0);
	guest = parts[1].vcpu[0];
	guest->state = VCPU_RUNNABLE;
	assert_int_equal(vcpu_start(guest, &(struct bh_vcpu_start){.mode = BH_VCPU_FLAT32,
									   .rip = RIP}),
			 0);
	assert_int_equal(part_start(&parts[1]), 0);
	(void)vmcs_enter(guest);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_fake_stop_root_mode();
	return 0;
}

/* One exit of the guest with this reason; its instruction is two bytes long. */
static void take_exit(uint32_t reason, uint64_t qualification)
{
	vmx_write(VMCS_EXIT_REASON, reason);
	vmx_write(VMCS_EXIT_QUALIFICATION, qualification);
	vmx_write(VMCS_EXIT_INSN_LENGTH, 2);
	vmx_write(VMCS_IDT_VECTORING_INFO, 0);
	exit_handle(guest);
}

static void assert_injects(unsigned vector)
{
	assert_true(guest->event.valid);
	assert_int_equal(guest->event.vector, vector);
	assert_int_equal(vmx_read(VMCS_GUEST_RIP), RIP);
}

/* A reason without an entry in the table stops that partition, and no other. */
static void exit_unknown_stops_the_partition_only(void **state)
{
	(void)state;
	take_exit(EXIT_REASON_TASK_SWITCH, 0);
	assert_int_equal(parts[1].state, BH_PART_STOPPED);
	assert_int_equal(parts[1].stop_reason, BH_STOP_EXIT_UNKNOWN);
	assert_int_equal(parts[1].stop_detail, EXIT_REASON_TASK_SWITCH);
	assert_int_equal(parts[2].state, BH_PART_CREATED);
	assert_int_equal(parts[0].state, BH_PART_RUNNING);
}

/* Reasons beyond the table are no index. */
static void exit_beyond_the_table_stops_the_partition(void **state)
{
	(void)state;
	take_exit(0xffff, 0);
	assert_int_equal(parts[1].stop_reason, BH_STOP_EXIT_UNKNOWN);
}

/* A triple fault is the end of that partition, with its RIP on record. */
static void exit_triple_fault_stops_with_a_record(void **state)
{
	(void)state;
	take_exit(EXIT_REASON_TRIPLE_FAULT, 0);
	assert_int_equal(parts[1].stop_reason, BH_STOP_TRIPLE_FAULT);
	assert_int_equal(parts[1].stop_rip, RIP);
}

/* CPUID never shows VMX, always shows the hypervisor bit, and advances RIP. */
static void exit_cpuid_applies_the_allow_list(void **state)
{
	(void)state;
	guest->regs[REG_RAX] = 1;
	guest->regs[REG_RCX] = 0;
	take_exit(EXIT_REASON_CPUID, 0);
	assert_int_equal(guest->regs[REG_RCX] & BIT(5), 0);
	assert_true(guest->regs[REG_RCX] & BIT(31));
	assert_int_equal(vmx_read(VMCS_GUEST_RIP), RIP + 2);
}

/* An MSR that is not on the list is #GP(0), and RIP stays. */
static void exit_rdmsr_unknown_is_gp(void **state)
{
	(void)state;
	guest->regs[REG_RCX] = MSR_IA32_FEATURE_CONTROL;
	take_exit(EXIT_REASON_RDMSR, 0);
	assert_injects(EXC_GP);
	assert_true(guest->event.has_error);
}

/* The VMX instructions do not exist for a guest. */
static void exit_vmx_instruction_is_ud(void **state)
{
	(void)state;
	take_exit(EXIT_REASON_VMXON, 0);
	assert_injects(EXC_UD);
}

/* A hypercall from CPL 3 is #UD. */
static void exit_vmcall_from_user_mode_is_ud(void **state)
{
	(void)state;
	vmx_write(VMCS_GUEST_SS_AR, 0xc0f3);
	guest->regs[REG_RAX] = BH_HC_VERSION;
	take_exit(EXIT_REASON_VMCALL, 0);
	assert_injects(EXC_UD);
}

/* HLT blocks until an interrupt; one that is waiting already makes it go on. */
static void exit_hlt_blocks_unless_an_interrupt_waits(void **state)
{
	(void)state;
	take_exit(EXIT_REASON_HLT, 0);
	assert_int_equal(guest->state, VCPU_HALTED);
	guest->state = VCPU_RUNNABLE;
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	take_exit(EXIT_REASON_HLT, 0);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
}

/* A pending interrupt is injected when the guest can take it, else a window is asked for. */
static void inject_waits_for_the_interrupt_flag(void **state)
{
	(void)state;
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO), 0);
	assert_true(vmx_read(VMCS_PROC_CONTROLS) & PROC_INTR_WINDOW);
	vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1 | RFLAGS_IF);
	take_exit(EXIT_REASON_INTR_WINDOW, 0);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO), INTR_INFO_VALID | 0x41);
	assert_false(vmx_read(VMCS_PROC_CONTROLS) & PROC_INTR_WINDOW);
}

/* An NMI waits while the handler of another one runs, and is not mixed up with an exception. */
static void inject_keeps_an_nmi_until_the_guest_takes_nmis(void **state)
{
	(void)state;
	guest->nmi = true;
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_NMI);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO), 0);
	assert_true(vmx_read(VMCS_PROC_CONTROLS) & PROC_NMI_WINDOW);
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	take_exit(EXIT_REASON_NMI_WINDOW, 0);
	vcpu_inject_exception(guest, EXC_UD, false, 0);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO),
			 INTR_INFO_VALID | INTR_TYPE_HW_EXC << 8 | EXC_UD);
	assert_true(guest->nmi);
	guest->irq_check = true;
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO),
			 INTR_INFO_VALID | INTR_TYPE_NMI << 8 | EXC_NMI);
	assert_false(vmx_read(VMCS_PROC_CONTROLS) & PROC_NMI_WINDOW);
	assert_false(guest->nmi);
}

/* An interrupt is not injected in the shadow of STI or MOV SS. */
static void inject_respects_the_sti_shadow(void **state)
{
	(void)state;
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1 | RFLAGS_IF);
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, BLOCKING_STI);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO), 0);
}

/* An event whose delivery the exit interrupted is delivered again, with its error code. */
static void inject_repeats_an_interrupted_delivery(void **state)
{
	(void)state;
	vmx_write(VMCS_EXIT_REASON, EXIT_REASON_PREEMPTION_TIMER);
	vmx_write(VMCS_IDT_VECTORING_INFO,
		  INTR_INFO_VALID | INTR_INFO_ERROR_CODE | 3u << 8 | EXC_PF);
	vmx_write(VMCS_IDT_VECTORING_ERROR, 2);
	exit_handle(guest);
	assert_injects(EXC_PF);
	inject_prepare(guest);
	assert_int_equal(vmx_read(VMCS_ENTRY_INTR_INFO),
			 INTR_INFO_VALID | INTR_INFO_ERROR_CODE | 3u << 8 | EXC_PF);
	assert_int_equal(vmx_read(VMCS_ENTRY_ERROR_CODE), 2);
}

/* A fault while a page fault is delivered becomes a double fault. */
static void inject_makes_a_double_fault(void **state)
{
	(void)state;
	vcpu_inject_exception(guest, EXC_PF, true, 0);
	vcpu_inject_exception(guest, EXC_GP, true, 0x10);
	assert_injects(EXC_DF);
	assert_int_equal(guest->event.error, 0);
}

/* Paging with EFER.LME and PAE enters long mode; without PAE it is #GP. */
static void exit_cr0_switches_long_mode(void **state)
{
	(void)state;
	vmx_write(VMCS_GUEST_EFER, EFER_LME);
	guest->regs[REG_RAX] = CR0_PE | CR0_PG | CR0_ET;
	take_exit(EXIT_REASON_CR_ACCESS, 0);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	vmx_write(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	take_exit(EXIT_REASON_CR_ACCESS, 0);
	assert_int_equal(vmx_read(VMCS_GUEST_EFER), EFER_LME | EFER_LMA);
	assert_true(vmx_read(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E);
	assert_true(vmx_read(VMCS_GUEST_CR0) & CR0_PG);
	assert_int_equal(vmx_read(VMCS_GUEST_RIP), RIP + 2);
}

/* The guest sees CD and NE as it wrote them; the CPU keeps what VMX needs. */
static void exit_cr0_shadows_what_is_ours(void **state)
{
	(void)state;
	guest->regs[REG_RAX] = CR0_PE | CR0_ET | CR0_CD | CR0_NW;
	take_exit(EXIT_REASON_CR_ACCESS, 0);
	assert_int_equal(vmx_read(VMCS_CR0_SHADOW), CR0_PE | CR0_ET | CR0_CD | CR0_NW);
	assert_int_equal(vmx_read(VMCS_GUEST_CR0), CR0_PE | CR0_ET | CR0_NE);
}

/* NW without CD and PG without PE are #GP, and change nothing. */
static void exit_cr0_refuses_illegal_values(void **state)
{
	uint64_t before = vmx_read(VMCS_GUEST_CR0);

	(void)state;
	guest->regs[REG_RAX] = CR0_PE | CR0_NW;
	take_exit(EXIT_REASON_CR_ACCESS, 0);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	guest->regs[REG_RAX] = CR0_PG;
	take_exit(EXIT_REASON_CR_ACCESS, 0);
	assert_injects(EXC_GP);
	assert_int_equal(vmx_read(VMCS_GUEST_CR0), before);
}

/* XCR0 takes only components that were offered, x87 always among them. */
static void exit_xsetbv_checks_the_value(void **state)
{
	(void)state;
	guest->regs[REG_RCX] = 0;
	guest->regs[REG_RDX] = 0;
	guest->regs[REG_RAX] = 4;
	take_exit(EXIT_REASON_XSETBV, 0);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	guest->regs[REG_RAX] = 7;
	take_exit(EXIT_REASON_XSETBV, 0);
	assert_int_equal(insn_fake.xcr0, 7);
}

/* A port access becomes an ioreq with port, size and direction of the instruction. */
static void exit_io_becomes_an_ioreq(void **state)
{
	const struct bh_ioreq *slot = (void *)IOREQ_PAGE;

	(void)state;
	guest->regs[REG_RAX] = 0x1122334455667788;
	take_exit(EXIT_REASON_IO, 0xcf8ull << 16 | 3);
	assert_int_equal(guest->state, VCPU_WAIT_IOREQ);
	assert_int_equal(slot->type, BH_IOREQ_PIO);
	assert_int_equal(slot->dir, BH_IOREQ_WRITE);
	assert_int_equal(slot->addr, 0xcf8);
	assert_int_equal(slot->size, 4);
	assert_int_equal(slot->data, 0x55667788);
}

/* A write to a doorbell page records its queue and goes on behind the instruction. */
static void exit_doorbell_records_the_queue(void **state)
{
	const struct bh_event_page *events = (void *)EVENT_PAGE;

	(void)state;
	guest->part->doorbell_gpa = 0xd0000000;
	guest->part->doorbell_count = 2;
	vmx_write(VMCS_GUEST_PHYS_ADDR, 0xd0001000 + 3 * BH_DOORBELL_STRIDE);
	take_exit(EXIT_REASON_EPT_MISCONFIG, 0);
	assert_int_equal(events->doorbell[1][1], 1 << 3);
	assert_int_equal(events->doorbell_page[1], 1 << 1);
	assert_int_equal(vmx_read(VMCS_GUEST_RIP), RIP + 2);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
}

/* A guest that executes where it has no memory is stopped with the address. */
static void exit_fetch_outside_memory_stops(void **state)
{
	(void)state;
	vmx_write(VMCS_GUEST_PHYS_ADDR, 0xc0000000);
	take_exit(EXIT_REASON_EPT_VIOLATION, BIT(2));
	assert_int_equal(parts[1].stop_reason, BH_STOP_FETCH);
	assert_int_equal(parts[1].stop_detail, 0xc0000000);
}

/* The control partition's access to what is not its own is an exception there, not our end. */
static void exit_control_cannot_reach_root_mode(void **state)
{
	(void)state;
	guest = parts[0].vcpu[0];
	(void)vmcs_enter(guest);
	vmx_write(VMCS_GUEST_PHYS_ADDR, 0x100000);
	take_exit(EXIT_REASON_EPT_VIOLATION, BIT(1));
	assert_true(guest->event.valid);
	assert_int_equal(guest->event.vector, EXC_GP);
	assert_int_equal(parts[0].state, BH_PART_RUNNING);
}

static bool fail_entry(uint64_t *regs)
{
	(void)regs;
	return false;
}

/* A state the CPU refuses to enter stops that partition. */
static void entry_failure_stops_the_partition(void **state)
{
	(void)state;
	vmx_fake_enter = fail_entry;
	vmx_write(VMCS_INSN_ERROR, 7);
	cpu_this()->sched->resched = false;
	vcpu_run(guest);
	assert_int_equal(parts[1].stop_reason, BH_STOP_ENTRY_FAILED);
	assert_int_equal(parts[1].stop_detail, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_unknown_stops_the_partition_only),
		TEST(exit_beyond_the_table_stops_the_partition),
		TEST(exit_triple_fault_stops_with_a_record),
		TEST(exit_cpuid_applies_the_allow_list),
		TEST(exit_rdmsr_unknown_is_gp),
		TEST(exit_vmx_instruction_is_ud),
		TEST(exit_vmcall_from_user_mode_is_ud),
		TEST(exit_hlt_blocks_unless_an_interrupt_waits),
		TEST(inject_waits_for_the_interrupt_flag),
		TEST(inject_respects_the_sti_shadow),
		TEST(inject_keeps_an_nmi_until_the_guest_takes_nmis),
		TEST(inject_repeats_an_interrupted_delivery),
		TEST(inject_makes_a_double_fault),
		TEST(exit_cr0_switches_long_mode),
		TEST(exit_cr0_shadows_what_is_ours),
		TEST(exit_cr0_refuses_illegal_values),
		TEST(exit_xsetbv_checks_the_value),
		TEST(exit_io_becomes_an_ioreq),
		TEST(exit_doorbell_records_the_queue),
		TEST(exit_fetch_outside_memory_stops),
		TEST(exit_control_cannot_reach_root_mode),
		TEST(entry_failure_stops_the_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
