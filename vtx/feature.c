/* SPDX-License-Identifier: Apache-2.0 */
/** The feature gate: every VT-x capability we need, by its manual name, before anything is switched on.
 *  Source: SDM 3D, "VMX Capability Reporting Facility". */
#include "cpu/cpuid.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "vtx/vmx.h"

#define TAG "vtx"

struct need {
	uint32_t bit;
	const char *name;
};

static const struct need need_pin[] = {
	{PIN_EXTINT_EXITING, "external-interrupt exiting"},
	{PIN_NMI_EXITING, "NMI exiting"},
	{PIN_PREEMPTION_TIMER, "activate VMX-preemption timer"},
	{0, NULL},
};
static const struct need need_proc[] = {
	{PROC_INTR_WINDOW, "interrupt-window exiting"},
	{PROC_TSC_OFFSETTING, "use TSC offsetting"},
	{PROC_HLT, "HLT exiting"},
	{PROC_MWAIT, "MWAIT exiting"},
	{PROC_RDPMC, "RDPMC exiting"},
	{PROC_CR8_LOAD, "CR8-load exiting"},
	{PROC_CR8_STORE, "CR8-store exiting"},
	{PROC_IO_BITMAPS, "use I/O bitmaps"},
	{PROC_MSR_BITMAPS, "use MSR bitmaps"},
	{PROC_MONITOR, "MONITOR exiting"},
	{PROC_SECONDARY, "activate secondary controls"},
	{0, NULL},
};
static const struct need need_proc2[] = {
	{PROC2_EPT, "enable EPT"},
	{PROC2_RDTSCP, "enable RDTSCP"},
	{PROC2_VPID, "enable VPID"},
	{PROC2_UNRESTRICTED, "unrestricted guest"},
	{0, NULL},
};
static const struct need want_proc2[] = {
	{PROC2_INVPCID, "enable INVPCID"},
	{0, NULL},
};
static const struct need need_exit[] = {
	{EXIT_SAVE_DEBUG, "save debug controls"},
	{EXIT_HOST_64, "host address-space size"},
	{EXIT_ACK_INTR, "acknowledge interrupt on exit"},
	{EXIT_SAVE_PAT, "save IA32_PAT"},
	{EXIT_LOAD_PAT, "load IA32_PAT"},
	{EXIT_SAVE_EFER, "save IA32_EFER"},
	{EXIT_LOAD_EFER, "load IA32_EFER"},
	{0, NULL},
};
static const struct need need_entry[] = {
	{ENTRY_LOAD_DEBUG, "load debug controls"},
	{ENTRY_IA32E, "IA-32e mode guest"},
	{ENTRY_LOAD_PAT, "load IA32_PAT on entry"},
	{ENTRY_LOAD_EFER, "load IA32_EFER on entry"},
	{0, NULL},
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
static uint32_t choose(uint64_t capability, const struct need *need, const struct need *want)
{
	uint32_t may = (uint32_t)(capability >> 32), value = (uint32_t)capability;

	for (; need->bit; need++) {
		if (!(may & need->bit)) {
			missing(need->name);
		}
		value |= need->bit;
	}
	for (; want && want->bit; want++) {
		value |= may & want->bit;
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
	f->controls.pin = choose(insn_rdmsr(MSR_IA32_VMX_TRUE_PINBASED_CTLS), need_pin, NULL);
	f->controls.proc = choose(insn_rdmsr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS), need_proc, NULL);
	f->controls.proc &= ~PROC_INTR_WINDOW;
	may = (uint32_t)(insn_rdmsr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS) >> 32);
	if (may & PROC_SECONDARY) {
		proc2 = insn_rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2);
	}
	f->controls.proc2 = choose(proc2, need_proc2, want_proc2);
	f->controls.exit = choose(insn_rdmsr(MSR_IA32_VMX_TRUE_EXIT_CTLS), need_exit, NULL);
	f->controls.entry = choose(insn_rdmsr(MSR_IA32_VMX_TRUE_ENTRY_CTLS), need_entry, NULL);
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
		missing("VMX outside SMX operation (IA32_FEATURE_CONTROL is locked by firmware: enable "
			"virtualization in its setup)");
	}
	check_controls(ret);
	return missing_count ? -BH_NOSUPP : 0;
}
