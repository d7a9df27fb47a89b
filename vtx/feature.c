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

enum word { PIN, PROC, PROC2, EXIT, ENTRY };

static const struct {
	enum word word;
	uint32_t bit;
	const char *name;
} needs[] = {
	{PIN, PIN_EXTINT_EXITING, "external-interrupt exiting"},
	{PIN, PIN_NMI_EXITING, "NMI exiting"},
	{PIN, PIN_VIRTUAL_NMIS, "virtual NMIs"},
	{PIN, PIN_PREEMPTION_TIMER, "activate VMX-preemption timer"},
	{PROC, PROC_INTR_WINDOW, "interrupt-window exiting"},
	{PROC, PROC_NMI_WINDOW, "NMI-window exiting"},
	{PROC, PROC_TSC_OFFSETTING, "use TSC offsetting"},
	{PROC, PROC_HLT, "HLT exiting"},
	{PROC, PROC_MWAIT, "MWAIT exiting"},
	{PROC, PROC_RDPMC, "RDPMC exiting"},
	{PROC, PROC_CR8_LOAD, "CR8-load exiting"},
	{PROC, PROC_CR8_STORE, "CR8-store exiting"},
	{PROC, PROC_IO_BITMAPS, "use I/O bitmaps"},
	{PROC, PROC_MSR_BITMAPS, "use MSR bitmaps"},
	{PROC, PROC_MONITOR, "MONITOR exiting"},
	{PROC, PROC_SECONDARY, "activate secondary controls"},
	{PROC2, PROC2_EPT, "enable EPT"},
	{PROC2, PROC2_RDTSCP, "enable RDTSCP"},
	{PROC2, PROC2_VPID, "enable VPID"},
	{PROC2, PROC2_UNRESTRICTED, "unrestricted guest"},
	{EXIT, EXIT_SAVE_DEBUG, "save debug controls"},
	{EXIT, EXIT_HOST_64, "host address-space size"},
	{EXIT, EXIT_ACK_INTR, "acknowledge interrupt on exit"},
	{EXIT, EXIT_SAVE_PAT, "save IA32_PAT"},
	{EXIT, EXIT_LOAD_PAT, "load IA32_PAT"},
	{EXIT, EXIT_SAVE_EFER, "save IA32_EFER"},
	{EXIT, EXIT_LOAD_EFER, "load IA32_EFER"},
	{ENTRY, ENTRY_LOAD_DEBUG, "load debug controls"},
	{ENTRY, ENTRY_IA32E, "IA-32e mode guest"},
	{ENTRY, ENTRY_LOAD_PAT, "load IA32_PAT on entry"},
	{ENTRY, ENTRY_LOAD_EFER, "load IA32_EFER on entry"},
};

/* IA32_VMX_EPT_VPID_CAP. */
#define EPT_CAP_LEVELS_4      BIT(6)
#define EPT_CAP_WB	      BIT(14)
#define EPT_CAP_2M	      BIT(16)
#define EPT_CAP_1G	      BIT(17)
#define EPT_CAP_INVEPT	      BIT(20)
#define EPT_CAP_INVEPT_SINGLE BIT(25)
#define EPT_CAP_INVVPID	      BIT(32)
#define EPT_CAP_INVVPID_ONE   BIT(41)

static unsigned missing_count;

static void missing(const char *name)
{
	log_error(TAG, "missing: %s", name);
	missing_count++;
}

/* High half of a capability MSR: bits that may be 1; low half: bits that must be 1. */
static uint32_t choose(enum word word, uint64_t capability)
{
	uint32_t may = (uint32_t)(capability >> 32), value = (uint32_t)capability;

	for (unsigned i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].word == word) {
			if (!(may & needs[i].bit)) {
				missing(needs[i].name);
			}
			value |= needs[i].bit;
		}
	}
	return value;
}

static void check_controls(struct vmx_features *f)
{
	uint64_t basic = insn_rdmsr(MSR_IA32_VMX_BASIC), proc2 = 0;
	uint32_t may;

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
	may = (uint32_t)(insn_rdmsr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS) >> 32);
	if (may & PROC_SECONDARY) {
		proc2 = insn_rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2);
	}
	f->controls.proc2 = choose(PROC2, proc2) | (proc2 >> 32 & PROC2_INVPCID);
	f->controls.exit = choose(EXIT, insn_rdmsr(MSR_IA32_VMX_TRUE_EXIT_CTLS));
	f->controls.entry = choose(ENTRY, insn_rdmsr(MSR_IA32_VMX_TRUE_ENTRY_CTLS));
	f->controls.entry &= ~ENTRY_IA32E;
	if (proc2 >> 32 & (PROC2_EPT | PROC2_VPID)) {
		static const struct {
			uint64_t bit;
			const char *name;
		} ept[] = {
			{EPT_CAP_LEVELS_4, "EPT page-walk length 4"},
			{EPT_CAP_WB, "EPT write-back memory type"},
			{EPT_CAP_2M, "EPT 2-MByte pages"},
			{EPT_CAP_INVEPT, "INVEPT"},
			{EPT_CAP_INVEPT_SINGLE, "single-context INVEPT"},
			{EPT_CAP_INVVPID, "INVVPID"},
			{EPT_CAP_INVVPID_ONE, "single-context INVVPID"},
		};
		uint64_t cap = insn_rdmsr(MSR_IA32_VMX_EPT_VPID_CAP);

		for (unsigned i = 0; i < ARRAY_SIZE(ept); i++) {
			if (!(cap & ept[i].bit)) {
				missing(ept[i].name);
			}
		}
		f->ept_leaf_max = cap & EPT_CAP_1G ? 3 : 2;
	}
	f->timer_shift = insn_rdmsr(MSR_IA32_VMX_MISC) & 0x1f;
	f->cr0_fixed0 = insn_rdmsr(MSR_IA32_VMX_CR0_FIXED0);
	f->cr0_fixed1 = insn_rdmsr(MSR_IA32_VMX_CR0_FIXED1);
	f->cr4_fixed0 = insn_rdmsr(MSR_IA32_VMX_CR4_FIXED0);
	f->cr4_fixed1 = insn_rdmsr(MSR_IA32_VMX_CR4_FIXED1);
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
			"enable "
			"virtualization in its setup)");
	}
	check_controls(ret);
	return missing_count ? -BH_NOSUPP : 0;
}
