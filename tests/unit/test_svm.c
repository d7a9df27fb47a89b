/* SPDX-License-Identifier: Apache-2.0 */
/** AMD-V on a CPU: the feature gate, the choice of the back end, permission maps, ASIDs. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/console.h"
#include "insn_fake.h"
#include "part/sched.h"
#include "svm_fake.h"
#include "vmx_fake.h"

static int setup(void **state)
{
	(void)state;
	svm_fake_reset();
	console_init();
	return 0;
}

static int setup_root(void **state)
{
	(void)state;
	svm_fake_start_root_mode();
	return parts[0].policy == NULL;
}

static int teardown_root(void **state)
{
	(void)state;
	vmx_fake_stop_root_mode();
	return 0;
}

static void assert_missing(const char *name)
{
	assert_int_equal(svm_features_check(&svm_features), -BH_NOSUPP);
	assert_non_null(strstr(insn_fake.console, name));
}

/* A CPU with what we need passes, and nothing more is asked for. */
static void svm_gate_opens_for_the_emulated_laptop(void **state)
{
	(void)state;
	assert_int_equal(svm_features_check(&svm_features), 0);
	assert_int_equal(svm_features.asid_count, 16);
	assert_false(svm_features.next_rip);
	assert_false(svm_features.cr4_exits);
}

/* Each missing capability is named as the manual names it. */
static void svm_gate_names_what_is_missing(void **state)
{
	(void)state;
	insn_fake_set_cpuid(0x8000000a, 0, 1, 1, 0, 0);
	assert_missing("nested paging (CPUID.8000000AH:EDX.NP)");
	assert_missing("CPUID.8000000AH:EBX.NASID");
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, (uint32_t)CPUID_X1_EDX_NX);
	assert_missing("SVM (CPUID.80000001H:ECX.SVM)");
}

/* Firmware that has switched SVM off is told apart from a CPU without it, and a lock from a switch. */
static void svm_gate_says_what_firmware_did(void **state)
{
	(void)state;
	insn_fake_set_msr(MSR_VM_CR, VM_CR_SVMDIS);
	assert_missing("VM_CR.SVMDIS is set by firmware");
	insn_fake_set_cpuid(0x8000000a, 0, 1, 16, 0, 1 | 4);
	assert_missing("VM_CR.SVMDIS is set and locked by firmware: enable SVM in its setup");
}

/* A CPU with a CR4 bit that guests are not offered has its CR4 writes looked at. */
static void svm_gate_finds_hidden_cr4_bits(void **state)
{
	(void)state;
	insn_fake_set_cpuid(7, 0, 0, 0, 4, 0); /* UMIP */
	assert_int_equal(svm_features_check(&svm_features), 0);
	assert_true(svm_features.cr4_exits);
}

/* The vendor decides which back end runs, whatever else the CPU claims. */
static void svm_is_chosen_by_the_vendor(void **state)
{
	(void)state;
	assert_int_equal(backend_choose(), 0);
	assert_ptr_equal(backend, &svm_backend);
	insn_fake_set_cpuid(0, 0, 0xd, 0x756e6547, 0x6c65746e, 0x49656e69);
	(void)!backend_choose();
	assert_ptr_equal(backend, &vtx_backend);
}

/* SVM is on, with a save area, and an INIT is redirected. */
static void svm_cpu_init_switches_it_on(void **state)
{
	(void)state;
	assert_true(insn_rdmsr(MSR_IA32_EFER) & EFER_SVME);
	assert_true(insn_rdmsr(MSR_VM_HSAVE_PA) != 0);
	assert_true(insn_rdmsr(MSR_VM_CR) & VM_CR_R_INIT);
}

static unsigned msr_bits(uint32_t bit)
{
	const uint8_t *map = hpa_ptr(svm_features.msr_map);

	return map[bit / 8] >> bit % 8 & 3;
}

/* Every MSR exits on both ways but those on the pass-through list. */
static void svm_msr_map_opens_the_pass_through_list_only(void **state)
{
	unsigned open = 0;

	(void)state;
	for (uint32_t bit = 0; bit < 0x10000; bit += 2) {
		open += msr_bits(bit) != 3;
	}
	assert_int_equal(open, 11);
	assert_int_equal(msr_bits(MSR_IA32_SYSENTER_CS * 2), 0);
	assert_int_equal(msr_bits(0x4000 + (MSR_IA32_FS_BASE & 0x1fff) * 2), 0);
	assert_int_equal(msr_bits(0x4000 + (MSR_IA32_EFER & 0x1fff) * 2), 3);
}

/* All ports of a guest exit, none of the control partition's. */
static void svm_io_maps_follow_the_partition(void **state)
{
	const uint8_t *map;

	(void)state;
	assert_int_equal(part_create(&parts[1], hpa(VMX_FAKE_ARGS)), 0);
	map = (uint8_t *)(uintptr_t)svm_vmcb(parts[1].vcpu[0])->io_map;
	assert_int_equal(map[0x3f8 / 8], 0xff);
	map = (uint8_t *)(uintptr_t)svm_vmcb(parts[0].vcpu[0])->io_map;
	assert_int_equal(map[0x3f8 / 8], 0);
}

static unsigned runs;
static uint32_t asids[64], flushes[64];

static void note_asid(uint64_t *regs, struct vmcb *vmcb)
{
	(void)regs;
	asids[runs] = vmcb->asid;
	flushes[runs++] = vmcb->tlb_control;
	vmcb->exit_code = EXIT_VINTR;
}

static void run_once(struct vcpu *vcpu)
{
	svm_fake_enter = note_asid;
	assert_true(backend->enter(vcpu, 0, UINT64_MAX));
}

/* A vcpu keeps its ASID while nothing changes, and gets a new one when its tables did. */
static void svm_flush_takes_a_new_asid(void **state)
{
	struct vcpu *vcpu = parts[0].vcpu[0];

	(void)state;
	runs = 0;
	run_once(vcpu);
	run_once(vcpu);
	backend->flush(vcpu);
	run_once(vcpu);
	assert_int_equal(asids[0], asids[1]);
	assert_int_not_equal(asids[1], asids[2]);
	assert_int_equal(flushes[2], 0);
}

/* When all ASIDs were given out everything is flushed, and who has an old one takes a new one. */
static void svm_asids_begin_again_with_a_flush(void **state)
{
	struct vcpu *control = parts[0].vcpu[0], *guest;

	(void)state;
	assert_int_equal(part_create(&parts[1], hpa(VMX_FAKE_ARGS)), 0);
	guest = parts[1].vcpu[0];
	runs = 0;
	run_once(guest);
	for (unsigned i = 0; i < 15; i++) {
		backend->flush(control);
		run_once(control);
	}
	for (unsigned i = 0; i < runs; i++) {
		assert_in_range(asids[i], 1, 15);
	}
	assert_int_equal(flushes[15], TLB_CONTROL_FLUSH_ALL);
	run_once(guest);
	assert_int_not_equal(asids[16], asids[15]);
	assert_int_equal(flushes[16], 0);
}

#define TEST(name)	cmocka_unit_test_setup(name, setup)
#define ROOT_TEST(name) cmocka_unit_test_setup_teardown(name, setup_root, teardown_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(svm_gate_opens_for_the_emulated_laptop),
		TEST(svm_gate_names_what_is_missing),
		TEST(svm_gate_says_what_firmware_did),
		TEST(svm_gate_finds_hidden_cr4_bits),
		TEST(svm_is_chosen_by_the_vendor),
		ROOT_TEST(svm_cpu_init_switches_it_on),
		ROOT_TEST(svm_msr_map_opens_the_pass_through_list_only),
		ROOT_TEST(svm_io_maps_follow_the_partition),
		ROOT_TEST(svm_flush_takes_a_new_asid),
		ROOT_TEST(svm_asids_begin_again_with_a_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
