/* SPDX-License-Identifier: Apache-2.0 */
/** The feature gate: every VT-x capability we need, by its manual name, before anything is switched
 * on. Source: SDM 3D, "VMX Capability Reporting Facility". */
#include "cpu/cpuid.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "vtx/vmx.h"

#define TAG "vtx"

/* The control words, and what IA32_VMX_EPT_VPID_CAP says. */
enum word { PIN, PROC, PROC2, EXIT, ENTRY, EPT };

static const struct {
	enum word word;
	uint64_t bit;
	const char *name;
} needs[] = {
	{PIN, BIT(0), "external-interrupt exiting"},
	{PIN, BIT(3), "NMI exiting"},
	{PIN, BIT(5), "virtual NMIs"},
	{PIN, BIT(6), "activate VMX-preemption timer"},
	{PROC, PROC_INTR_WINDOW, "interrupt-window exiting"},
	{PROC, PROC_NMI_WINDOW, "NMI-window exiting"},
	{PROC, BIT(3), "use TSC offsetting"},
	{PROC, BIT(7), "HLT exiting"},
	{PROC, BIT(10), "MWAIT exiting"},
	{PROC, BIT(11), "RDPMC exiting"},
	{PROC, BIT(19), "CR8-load exiting"},
	{PROC, BIT(20), "CR8-store exiting"},
	{PROC, BIT(25), "use I/O bitmaps"},
	{PROC, BIT(28), "use MSR bitmaps"},
	{PROC, BIT(29), "MONITOR exiting"},
	{PROC, PROC_SECONDARY, "activate secondary controls"},
	{PROC2, PROC2_EPT, "enable EPT"},
	{PROC2, BIT(3), "enable RDTSCP"},
	{PROC2, PROC2_VPID, "enable VPID"},
	{PROC2, BIT(7), "unrestricted guest"},
	{EXIT, BIT(2), "save debug controls"},
	{EXIT, BIT(9), "host address-space size"},
	{EXIT, BIT(15), "acknowledge interrupt on exit"},
	{EXIT, BIT(18), "save IA32_PAT"},
	{EXIT, BIT(19), "load IA32_PAT"},
	{EXIT, BIT(20), "save IA32_EFER"},
	{EXIT, BIT(21), "load IA32_EFER"},
	{ENTRY, BIT(2), "load debug controls"},
	{ENTRY, ENTRY_IA32E, "IA-32e mode guest"},
	{ENTRY, BIT(14), "load IA32_PAT on entry"},
	{ENTRY, BIT(15), "load IA32_EFER on entry"},
	{EPT, BIT(6), "EPT page-walk length 4"},
	{EPT, BIT(14), "EPT write-back memory type"},
	{EPT, BIT(16), "EPT 2-MByte pages"},
	{EPT, BIT(20), "INVEPT"},
	{EPT, BIT(25), "single-context INVEPT"},
	{EPT, BIT(32), "INVVPID"},
	{EPT, BIT(41), "single-context INVVPID"},
};
#define EPT_CAP_1G BIT(17)

static unsigned missing_count;

static void missing(const char *name)
{
	log_error(TAG, "missing: %s", name);
	missing_count++;
}

/* Names what `may` lacks of that word, and returns what is needed of it. */
static uint64_t require(enum word word, uint64_t may)
{
	uint64_t needed = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].word == word) {
			needed |= needs[i].bit;
			if (!(may & needs[i].bit)) {
				missing(needs[i].name);
			}
		}
	}
	return needed;
}

/* High half of a capability MSR: bits that may be 1; low half: bits that must be 1. */
static uint32_t choose(enum word word, uint64_t capability)
{
	return (uint32_t)(require(word, capability >> 32) | capability);
}

static void check_controls(struct vmx_features *f)
{
	uint64_t basic = insn_rdmsr(MSR_IA32_VMX_BASIC), proc2 = 0, cap;

	if (!(basic & BIT(55))) {
		missing("default1 controls can be 0 (IA32_VMX_BASIC bit 55)");
		return;
	}
	if ((basic >> 50 & 0xf) != PTAB_WB) {
		missing("write-back VMCS memory type (IA32_VMX_BASIC bits 53:50)");
	}
	f->revision = (uint32_t)basic & 0x7fffffff;
	f->controls.pin = choose(PIN, insn_rdmsr(MSR_IA32_VMX_TRUE_PINBASED_CTLS));
	f->controls.proc = choose(PROC, insn_rdmsr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS));
	f->controls.proc &= ~PROC_INTR_WINDOW;
	if (insn_rdmsr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS) >> 32 & PROC_SECONDARY) {
		proc2 = insn_rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2);
	}
	f->controls.proc2 = choose(PROC2, proc2) | (proc2 >> 32 & PROC2_INVPCID);
	f->controls.exit = choose(EXIT, insn_rdmsr(MSR_IA32_VMX_TRUE_EXIT_CTLS));
	f->controls.entry = choose(ENTRY, insn_rdmsr(MSR_IA32_VMX_TRUE_ENTRY_CTLS));
	f->controls.entry &= ~ENTRY_IA32E;
	if (proc2 >> 32 & (PROC2_EPT | PROC2_VPID)) {
		cap = insn_rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);
		(void)require(EPT, cap);
		f->ept_leaf_max = cap & EPT_CAP_1G ? 3 : 2;
	}
	f->timer_shift = insn_rdmsr(MSR_IA32_VMX_MISC) & 0x1f;
	f->cr0_fixed0 = insn_rdmsr(MSR_IA32_VMX_CR0_FIXED0);
	f->cr0_fixed1 = insn_rdmsr(MSR_IA32_VMX_CR0_FIXED1);
	f->cr4_fixed0 = insn_rdmsr(MSR_IA32_VMX_CR4_FIXED0);
}

int vmx_features_check(struct vmx_features *ret)
{
	struct cpuid_regs regs;
	uint64_t control;

	memset(ret, 0, sizeof(*ret));
	missing_count = 0;
	insn_cpuid(1, 0, &regs);
	if (!(regs.ecx & CPUID_1_ECX_XSAVE)) {
		missing("XSAVE (CPUID.1:ECX.XSAVE)");
	}
	if (!(regs.ecx & CPUID_1_ECX_VMX)) {
		missing("VMX (CPUID.1:ECX.VMX)");
		return -BH_NOSUPP;
	}
	control = insn_rdmsr(MSR_IA32_FEATURE_CONTROL);
	if ((control & FEATURE_CONTROL_LOCK) && !(control & FEATURE_CONTROL_VMX_OUTSIDE_SMX)) {
		missing("VMX outside SMX operation (IA32_FEATURE_CONTROL is locked by firmware: "
			"enable virtualization in its setup)");
	}
	check_controls(ret);
	return missing_count ? -BH_NOSUPP : 0;
}
