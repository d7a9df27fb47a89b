/* SPDX-License-Identifier: Apache-2.0 */
/** What each #VMEXIT does to the guest, over a fake CPU: a test writes the VMCB and looks at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "insn_fake.h"
#include "part/event.h"
#include "part/sched.h"
#include "svm_fake.h"
#include "vmx_fake.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)
#define EVENT_PAGE (VMX_FAKE_ARGS + 2 * PAGE_SIZE)
#define RIP	   0x1000u

static struct vcpu *guest;
static struct vmcb *vmcb;

static int setup(void **state)
{
	(void)state;
	svm_fake_start_root_mode();
	assert_non_null(parts[0].policy);
	assert_int_equal(part_create(&parts[1], hpa(IOREQ_PAGE)), 0);
	assert_int_equal(part_create(&parts[2], hpa(IOREQ_PAGE + PAGE_SIZE)), 0);
	assert_int_equal(event_setup(EVENT_PAGE, 0xfee00000, 0x41), 0);
	guest = parts[1].vcpu[0];
	vmcb = svm_vmcb(guest);
	guest->state = VCPU_RUNNABLE;
	assert_int_equal(vcpu_start(guest, &(struct bh_vcpu_start){.mode = BH_VCPU_FLAT32, .rip = RIP}), 0);
	assert_int_equal(part_start(&parts[1]), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	insn_fake.window = NULL;
	vmx_fake_stop_root_mode();
	return 0;
}

static void put_code(const char *bytes, size_t size)
{
	memcpy(hpa_ptr(hpa(parts[1].ram.v + vmcb->rip)), bytes, size);
}

/* One exit of the guest at this instruction. */
static void take_exit(uint64_t code, uint64_t info1, const char *bytes, size_t size)
{
	put_code(bytes, size);
	vmcb->exit_code = code;
	vmcb->exit_info1 = info1;
	svm_exit_handle(guest);
}

static void assert_injects(unsigned vector)
{
	assert_true(guest->event.valid);
	assert_int_equal(guest->event.vector, vector);
	assert_int_equal(vmcb->rip, RIP);
}

/* A code without an entry in the table stops that partition, and no other; so does one beyond it. */
static void exit_unknown_stops_the_partition_only(void **state)
{
	static const uint64_t codes[] = {0, 0x65, 0x8f, 0x401, UINT64_MAX};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		parts[1].state = BH_PART_RUNNING;
		take_exit(codes[i], 0, "", 0);
		assert_int_equal(parts[1].state, BH_PART_STOPPED);
		assert_int_equal(parts[1].stop_reason, BH_STOP_EXIT_UNKNOWN);
		assert_int_equal(parts[1].stop_detail, codes[i]);
		assert_int_equal(parts[0].state, BH_PART_RUNNING);
	}
}

/* A shutdown is the end of that partition, with its RIP on record. */
static void exit_shutdown_stops_with_a_record(void **state)
{
	(void)state;
	take_exit(EXIT_SHUTDOWN, 0, "", 0);
	assert_int_equal(parts[1].stop_reason, BH_STOP_TRIPLE_FAULT);
	assert_int_equal(parts[1].stop_rip, RIP);
}

/* CPUID hides SVM, shows what the virtual APIC has, and goes on behind the instruction and its prefixes. */
static void exit_cpuid_applies_the_allow_list(void **state)
{
	(void)state;
	guest->regs[REG_RAX] = 0x80000001;
	take_exit(EXIT_CPUID, 0, "\x0f\xa2", 2);
	assert_int_equal(guest->regs[REG_RCX] & BIT(2), 0);
	assert_int_equal(vmcb->rip, RIP + 2);
	guest->regs[REG_RAX] = 1;
	take_exit(EXIT_CPUID, 0, "\x66\x0f\xa2", 3);
	assert_int_equal(guest->regs[REG_RCX] & (BIT(21) | BIT(24) | BIT(31)), BIT(21) | BIT(24) | BIT(31));
	assert_int_equal(vmcb->rip, RIP + 5);
}

/* Where the exit's instruction is not in memory any more the guest gets #UD, and nothing was done. */
static void exit_at_another_instruction_is_ud(void **state)
{
	(void)state;
	guest->regs[REG_RAX] = 0x77;
	take_exit(EXIT_CPUID, 0, "\x90\x90", 2);
	assert_injects(EXC_UD);
	assert_int_equal(guest->regs[REG_RAX], 0x77);
}

/* The page remembered from the last exit is not believed when its bytes are another instruction's. */
static void exit_walks_again_when_the_page_has_moved(void **state)
{
	(void)state;
	take_exit(EXIT_CPUID, 0, "\x0f\xa2", 2);
	svm_vcpu(guest)->fetch.host = hpa_ptr(hpa(parts[1].ram.v + 0x5000));
	vmcb->rip = RIP;
	take_exit(EXIT_CPUID, 0, "\x0f\xa2", 2);
	assert_false(guest->event.valid);
	assert_int_equal(vmcb->rip, RIP + 2);
}

/* The next RIP is taken where the CPU saves it: no instruction is read. */
static void exit_uses_the_saved_next_rip(void **state)
{
	(void)state;
	svm_features.next_rip = true;
	vmcb->next_rip = RIP + 4;
	take_exit(EXIT_CPUID, 0, "\x90\x90", 2);
	assert_int_equal(vmcb->rip, RIP + 4);
}

/* TF gives #DB behind an instruction that root mode has carried out. */
static void exit_steps_over_the_instruction(void **state)
{
	(void)state;
	vmcb->rflags |= RFLAGS_TF;
	take_exit(EXIT_CPUID, 0, "\x0f\xa2", 2);
	assert_int_equal(vmcb->rip, RIP + 2);
	assert_true(guest->event.valid);
	assert_int_equal(guest->event.vector, EXC_DB);
	assert_true(vmcb->dr6 & BIT(14));
}

/* The direction of an MSR access is in the exit's information; unknown ones are #GP(0), both ways. */
static void exit_msr_follows_the_list(void **state)
{
	(void)state;
	guest->regs[REG_RCX] = MSR_VM_CR;
	take_exit(EXIT_MSR, 0, "\x0f\x32", 2);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	take_exit(EXIT_MSR, 1, "\x0f\x30", 2);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	guest->regs[REG_RCX] = MSR_AMD_HWCR;
	take_exit(EXIT_MSR, 0, "\x0f\x32", 2);
	assert_int_equal(guest->regs[REG_RAX], BIT(24));
	take_exit(EXIT_MSR, 1, "\x0f\x30", 2);
	assert_int_equal(vmcb->rip, RIP + 4);
}

/* EFER.SVME is on in the VMCB, and not for the guest to see or to set. */
static void exit_efer_hides_svme(void **state)
{
	(void)state;
	guest->regs[REG_RCX] = MSR_IA32_EFER;
	take_exit(EXIT_MSR, 0, "\x0f\x32", 2);
	assert_int_equal(guest->regs[REG_RAX], 0);
	guest->regs[REG_RAX] = EFER_SVME;
	vmcb->rip = RIP;
	take_exit(EXIT_MSR, 1, "\x0f\x30", 2);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	guest->regs[REG_RAX] = EFER_NXE;
	take_exit(EXIT_MSR, 1, "\x0f\x30", 2);
	assert_int_equal(vmcb->efer, EFER_NXE | EFER_SVME);
}

/* The SVM instructions do not exist for a guest. */
static void exit_svm_instruction_is_ud(void **state)
{
	static const unsigned codes[] = {EXIT_VMRUN, EXIT_VMLOAD, EXIT_VMSAVE, EXIT_STGI, EXIT_CLGI,
					 EXIT_SKINIT, EXIT_INVLPGA, EXIT_MONITOR, EXIT_MWAIT, EXIT_RDPRU,
					 EXIT_RSM};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		guest->event.valid = false;
		take_exit(codes[i], 0, "", 0);
		assert_injects(EXC_UD);
	}
}

/* A hypercall from CPL 3 is #UD; from CPL 0 it is answered. */
static void exit_vmmcall_asks_for_the_privilege(void **state)
{
	(void)state;
	vmcb->cpl = 3;
	guest->regs[REG_RAX] = BH_HC_VERSION;
	take_exit(EXIT_VMMCALL, 0, "\x0f\x01\xd9", 3);
	assert_injects(EXC_UD);
	vmcb->cpl = 0;
	take_exit(EXIT_VMMCALL, 0, "\x0f\x01\xd9", 3);
	assert_int_equal(guest->regs[REG_RAX], BH_ABI_VERSION);
	assert_int_equal(vmcb->rip, RIP + 3);
}

static unsigned taken;

static void take_interrupt(void)
{
	taken++;
}

/* An interrupt of the host is still pending after the exit: it is let in. */
static void exit_intr_opens_interrupts_once(void **state)
{
	(void)state;
	taken = 0;
	insn_fake.window = take_interrupt;
	take_exit(EXIT_INTR, 0, "", 0);
	assert_int_equal(taken, 1);
	assert_int_equal(vmcb->rip, RIP);
}

/* The end of the slice comes as an interrupt too. */
static void exit_intr_ends_the_slice(void **state)
{
	(void)state;
	cpu_this()->sched->slice_end = 0;
	cpu_this()->sched->resched = false;
	take_exit(EXIT_INTR, 0, "", 0);
	assert_true(cpu_this()->sched->resched);
}

/* A pending interrupt is injected when the guest can take it, else a virtual one asks for the exit. */
static void inject_waits_for_the_interrupt_flag(void **state)
{
	(void)state;
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, 0);
	assert_true(vmcb->int_ctl & V_IRQ);
	vmcb->rflags |= RFLAGS_IF;
	take_exit(EXIT_VINTR, 0, "", 0);
	assert_true(guest->irq_check);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, EVENT_VALID | 0x41);
	assert_false(vmcb->int_ctl & V_IRQ);
}

/* In the shadow of STI an interrupt waits, unless the instruction is the HLT that it ends at once. */
static void inject_respects_the_shadow(void **state)
{
	(void)state;
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	vmcb->rflags |= RFLAGS_IF;
	vmcb->int_state = INTERRUPT_SHADOW;
	put_code("\x90", 1);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, 0);
	assert_int_equal(vmcb->rip, RIP);
	put_code("\xf4", 1);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, EVENT_VALID | 0x41);
	assert_int_equal(vmcb->rip, RIP + 1);
	assert_int_equal(vmcb->int_state, 0);
}

/* While the handler of an NMI runs the next one waits: until IRET. */
static void inject_keeps_an_nmi_until_iret(void **state)
{
	uint32_t iret = 1u << (EXIT_IRET - 0x60);

	(void)state;
	guest->nmi = true;
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, EVENT_VALID | EVENT_NMI << 8 | EXC_NMI);
	assert_true(vmcb->intercept[0] & iret);
	vmcb->event_inj = 0;
	guest->nmi = true;
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, 0);
	take_exit(EXIT_IRET, 0, "", 0);
	assert_false(vmcb->intercept[0] & iret);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, EVENT_VALID | EVENT_NMI << 8 | EXC_NMI);
	assert_false(guest->nmi);
}

/* An event whose delivery the exit interrupted is delivered again, with its error code. */
static void inject_repeats_an_interrupted_delivery(void **state)
{
	uint64_t event = EVENT_VALID | EVENT_ERROR_CODE | EVENT_EXCEPTION << 8 | EXC_PF | 2ull << 32;

	(void)state;
	vmcb->exit_int_info = event;
	take_exit(EXIT_SMI, 0, "", 0);
	assert_injects(EXC_PF);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, event);
}

/* INT n and INT3 begin again by themselves. */
static void inject_leaves_software_interrupts_to_the_guest(void **state)
{
	(void)state;
	vmcb->exit_int_info = EVENT_VALID | EVENT_SW_INT << 8 | 0x80;
	take_exit(EXIT_SMI, 0, "", 0);
	assert_false(guest->event.valid);
	vmcb->exit_int_info = EVENT_VALID | EVENT_EXCEPTION << 8 | EXC_BP;
	take_exit(EXIT_SMI, 0, "", 0);
	assert_false(guest->event.valid);
}

/* In real mode an exception pushes no error code. */
static void inject_gives_no_error_code_in_real_mode(void **state)
{
	(void)state;
	vmcb->cr0 = CR0_ET;
	vcpu_inject_exception(guest, EXC_GP, true, 8);
	svm_inject_prepare(guest);
	assert_int_equal(vmcb->event_inj, EVENT_VALID | EVENT_EXCEPTION << 8 | EXC_GP);
}

/* MOV to CR8 is the task priority, MOV from it the same; above 15 it is #GP. */
static void exit_cr8_is_the_task_priority(void **state)
{
	(void)state;
	vmcb->efer = EFER_LME | EFER_LMA | EFER_SVME;
	vmcb->cs.attributes = 0xa9b;
	guest->regs[9] = 5;
	take_exit(EXIT_CR8_WRITE, 0, "\x45\x0f\x22\xc1", 4); /* mov r9, cr8 */
	assert_int_equal(guest->lapic.tpr, 0x50);
	take_exit(EXIT_CR8_READ, 0, "\x44\x0f\x20\xc4", 4); /* mov cr8, rsp */
	assert_int_equal(vmcb->rsp, 5);
	assert_int_equal(vmcb->rip, RIP + 8);
	guest->regs[9] = 16;
	vmcb->rip = RIP;
	take_exit(EXIT_CR8_WRITE, 0, "\x45\x0f\x22\xc1", 4);
	assert_injects(EXC_GP);
}

/* CR4 takes what CPUID offers; what it hides, and PAE off in long mode, is #GP. */
static void exit_cr4_follows_cpuid(void **state)
{
	(void)state;
	guest->regs[REG_RAX] = CR4_PAE | CR4_PGE;
	take_exit(EXIT_CR4_WRITE, 0, "\x0f\x22\xe0", 3);
	assert_int_equal(vmcb->cr4, CR4_PAE | CR4_PGE);
	assert_int_equal(vmcb->rip, RIP + 3);
	vmcb->rip = RIP;
	guest->regs[REG_RAX] = CR4_PAE | BIT(11); /* UMIP */
	take_exit(EXIT_CR4_WRITE, 0, "\x0f\x22\xe0", 3);
	assert_injects(EXC_GP);
	guest->event.valid = false;
	vmcb->efer |= EFER_LMA;
	guest->regs[REG_RAX] = 0;
	take_exit(EXIT_CR4_WRITE, 0, "\x0f\x22\xe0", 3);
	assert_injects(EXC_GP);
	assert_int_equal(vmcb->cr4, CR4_PAE | CR4_PGE);
}

/* A port access becomes an ioreq with port, size and direction of the exit's information. */
static void exit_io_becomes_an_ioreq(void **state)
{
	const struct bh_ioreq *slot = (void *)IOREQ_PAGE;

	(void)state;
	guest->regs[REG_RAX] = 0x1122334455667788;
	vmcb->exit_info2 = RIP + 1;
	take_exit(EXIT_IOIO, 0xcf8ull << 16 | 4 << 4, "\xef", 1);
	assert_int_equal(guest->state, VCPU_WAIT_IOREQ);
	assert_int_equal(slot->type, BH_IOREQ_PIO);
	assert_int_equal(slot->dir, BH_IOREQ_WRITE);
	assert_int_equal(slot->addr, 0xcf8);
	assert_int_equal(slot->size, 4);
	assert_int_equal(slot->data, 0x55667788);
	assert_int_equal(guest->ioreq.insn_length, 1);
}

/* OUTS reads memory in the segment of its override. */
static void exit_outs_reads_the_guests_memory(void **state)
{
	const struct bh_ioreq *slot = (void *)IOREQ_PAGE;

	(void)state;
	vmcb->fs.base = 0x4000;
	guest->regs[REG_RSI] = 0x10;
	*(uint8_t *)hpa_ptr(hpa(parts[1].ram.v + 0x4010)) = 0x5a;
	vmcb->exit_info2 = RIP + 2;
	take_exit(EXIT_IOIO, 0x80ull << 16 | 1 << 4 | IOIO_STRING, "\x64\x6e", 2);
	assert_int_equal(slot->data, 0x5a);
	assert_int_equal(slot->size, 1);
}

/* A write to a doorbell page records its queue and goes on behind the instruction; a read is an access. */
static void exit_doorbell_records_the_queue(void **state)
{
	const struct bh_event_page *events = (void *)EVENT_PAGE;

	(void)state;
	guest->part->doorbell_gpa = 0xd0000000;
	guest->part->doorbell_count = 2;
	vmcb->exit_info2 = 0xd0001000 + 3 * BH_DOORBELL_STRIDE;
	for (unsigned i = 0; i < 2; i++) {
		vmcb->rip = RIP;
		take_exit(EXIT_NPF, NPF_WRITE, "\x66\x89\x02\x90\x90\x90\x90\x90", 8); /* mov %ax, (%edx) */
		assert_int_equal(events->doorbell[1][1], 1 << 3);
		assert_int_equal(vmcb->rip, RIP + 3);
	}
	vmcb->rip = RIP;
	take_exit(EXIT_NPF, NPF_WRITE, "\x67\x66\x89\x02\x90\x90\x90\x90", 8);
	assert_int_equal(vmcb->rip, RIP + 4);
	assert_int_equal(guest->state, VCPU_RUNNABLE);
	vmcb->rip = RIP;
	take_exit(EXIT_NPF, 0, "\x66\x8b\x02", 3);
	assert_int_equal(guest->state, VCPU_WAIT_IOREQ);
}

/* A guest that executes where it has no memory is stopped with the address. */
static void exit_fetch_outside_memory_stops(void **state)
{
	(void)state;
	vmcb->exit_info2 = 0xc0000000;
	take_exit(EXIT_NPF, NPF_FETCH, "", 0);
	assert_int_equal(parts[1].stop_reason, BH_STOP_FETCH);
	assert_int_equal(parts[1].stop_detail, 0xc0000000);
}

/* So is one whose page tables are not in its memory. */
static void exit_page_table_outside_memory_stops(void **state)
{
	(void)state;
	vmcb->exit_info2 = 0xc0000000;
	take_exit(EXIT_NPF, NPF_WRITE | NPF_GUEST_TABLE, "\x89\x02", 2);
	assert_int_equal(parts[1].stop_reason, BH_STOP_DECODE);
}

/* The control partition's access to what is not its own is an exception there, not our end. */
static void exit_control_cannot_reach_root_mode(void **state)
{
	(void)state;
	guest = parts[0].vcpu[0];
	vmcb = svm_vmcb(guest);
	vmcb->exit_code = EXIT_NPF;
	vmcb->exit_info1 = NPF_WRITE;
	vmcb->exit_info2 = 0x100000;
	svm_exit_handle(guest);
	assert_true(guest->event.valid);
	assert_int_equal(guest->event.vector, EXC_GP);
	assert_int_equal(parts[0].state, BH_PART_RUNNING);
}

/* The nested tables of each partition lead to its own frames, and the check notices when they do not. */
static void npt_isolation_is_checked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(backend_check_isolation(&parts[i]));
	}
	assert_int_equal(backend_map(&parts[1], 0x40000000, parts[2].ram, PAGE_SIZE, PTAB_READ, PTAB_WB), 0);
	assert_false(backend_check_isolation(&parts[1]));
}

static void refuse(uint64_t *regs, struct vmcb *block)
{
	(void)regs;
	block->exit_code = UINT64_MAX;
}

/* A state the CPU refuses to enter stops that partition. */
static void entry_failure_stops_the_partition(void **state)
{
	(void)state;
	svm_fake_enter = refuse;
	cpu_this()->sched->resched = false;
	vcpu_run(guest);
	assert_int_equal(parts[1].stop_reason, BH_STOP_ENTRY_FAILED);
}

/* An NMI ends the guest's run, comes to root mode right after it, and is no fault there. */
static void nmi_of_a_guest_is_handed_on(void **state)
{
	struct trap_frame frame = {.vector = EXC_NMI};

	(void)state;
	cpu_this()->guest_nmi = true;
	trap_handle(&frame);
	assert_false(cpu_this()->guest_nmi);
	take_exit(EXIT_NMI, 0, "", 0);
	assert_true(parts[0].vcpu[0]->requests & VCPU_REQ_NMI);
}

/* An emulator: it runs the guest without the shadow it was entered with, and an interrupt of ours comes. */
static void forget_shadow(uint64_t *regs, struct vmcb *entered)
{
	(void)regs;
	entered->int_state = 0;
	entered->exit_code = EXIT_INTR;
}

/* The shadow of STI lasts until an instruction was executed, whatever the CPU says; HLT behind
 * it is done with when an interrupt waits. */
static void svm_shadow_outlives_an_exit_without_progress(void **state)
{
	(void)state;
	svm_fake_enter = forget_shadow;
	put_code("\xf4", 1);
	vmcb->rflags |= RFLAGS_IF;
	vmcb->int_state = INTERRUPT_SHADOW;
	assert_true(backend->enter(guest, 0, 1000));
	assert_true(vmcb->int_state & INTERRUPT_SHADOW);
	assert_true(guest->irq_check);
	guest->lapic.svr = 0x1ff;
	vlapic_raise(guest, 0x41, false);
	backend->inject(guest);
	assert_int_equal(vmcb->rip, RIP + 1);
	assert_int_equal(vmcb->event_inj & 0xff, 0x41);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_unknown_stops_the_partition_only),
		TEST(exit_shutdown_stops_with_a_record),
		TEST(exit_cpuid_applies_the_allow_list),
		TEST(exit_at_another_instruction_is_ud),
		TEST(exit_walks_again_when_the_page_has_moved),
		TEST(exit_uses_the_saved_next_rip),
		TEST(exit_steps_over_the_instruction),
		TEST(exit_msr_follows_the_list),
		TEST(exit_efer_hides_svme),
		TEST(exit_svm_instruction_is_ud),
		TEST(exit_vmmcall_asks_for_the_privilege),
		TEST(exit_intr_opens_interrupts_once),
		TEST(exit_intr_ends_the_slice),
		TEST(inject_waits_for_the_interrupt_flag),
		TEST(inject_respects_the_shadow),
		TEST(inject_keeps_an_nmi_until_iret),
		TEST(inject_repeats_an_interrupted_delivery),
		TEST(inject_leaves_software_interrupts_to_the_guest),
		TEST(inject_gives_no_error_code_in_real_mode),
		TEST(exit_cr8_is_the_task_priority),
		TEST(exit_cr4_follows_cpuid),
		TEST(exit_io_becomes_an_ioreq),
		TEST(exit_outs_reads_the_guests_memory),
		TEST(exit_doorbell_records_the_queue),
		TEST(exit_fetch_outside_memory_stops),
		TEST(exit_page_table_outside_memory_stops),
		TEST(exit_control_cannot_reach_root_mode),
		TEST(npt_isolation_is_checked),
		TEST(entry_failure_stops_the_partition),
		TEST(nmi_of_a_guest_is_handed_on),
		TEST(svm_shadow_outlives_an_exit_without_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
