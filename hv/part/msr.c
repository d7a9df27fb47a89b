/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the allow list of model-specific registers: passed through, emulated, or #GP. */
#include "part/msr.h"

#include "cpu/insn.h"
#include "cpu/msr.h"
#include "part/backend.h"
#include "part/part.h"

const uint32_t msr_passthrough[] = {
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,   MSR_IA32_STAR,
	MSR_IA32_LSTAR,	      MSR_IA32_CSTAR,	     MSR_IA32_FMASK,	      MSR_IA32_FS_BASE,
	MSR_IA32_GS_BASE,     MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX,      0,
};

/* Where the core keeps it for the vcpu, or -1: nobody has to know of writes. */
static int traced_index(uint32_t msr)
{
	for (unsigned i = backend->free_msrs; backend->switched_msrs[i]; i++) {
		if (backend->switched_msrs[i] == msr) {
			return (int)i;
		}
	}
	return -1;
}

bool msr_write_exits(uint32_t msr)
{
	return traced_index(msr) >= 0;
}

static int write_traced(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	int index = traced_index(msr);

	if (index < 0 || insn_wrmsr_safe(msr, value) != 0) {
		return -BH_INVAL;
	}
	vcpu->switched.msr[index] = value;
	return 0;
}

#define MISC_ENABLE_FAST_STRINGS 0x1ull

static bool is_mtrr(uint32_t msr)
{
	return msr == MSR_IA32_MTRRCAP || msr == MSR_IA32_MTRR_DEF_TYPE ||
	       (msr >= MSR_IA32_MTRR_PHYSBASE0 && msr <= MSR_IA32_MTRR_FIX4K_F8000);
}

/* NULL: the vendor's table does not name it. */
static const struct backend_msr *find_fixed(uint32_t msr)
{
	for (const struct backend_msr *at = backend->fixed_msrs; at && at->msr; at++) {
		if (at->msr == msr) {
			return at;
		}
	}
	return NULL;
}

int msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *ret_value)
{
	if (msr >= MSR_IA32_X2APIC_FIRST && msr <= MSR_IA32_X2APIC_LAST) {
		return vlapic_read_msr(vcpu, msr, ret_value);
	}
	switch (msr) {
	case MSR_IA32_TSC:
		*ret_value = insn_rdtsc() + vcpu->tsc_offset;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*ret_value = vcpu->lapic.tsc_deadline;
		return 0;
	case MSR_IA32_APIC_BASE:
		*ret_value = vcpu->lapic.base;
		return 0;
	case MSR_IA32_EFER:
		*ret_value = backend->read(vcpu, BACKEND_EFER);
		return 0;
	case MSR_IA32_PAT:
		*ret_value = backend->read(vcpu, BACKEND_PAT);
		return 0;
	case MSR_IA32_MISC_ENABLE:
		*ret_value = MISC_ENABLE_FAST_STRINGS;
		return 0;
	case MSR_IA32_BIOS_SIGN_ID:
	case MSR_IA32_DEBUGCTL:
		*ret_value = 0;
		return 0;
	default:
		if (is_mtrr(msr) && part_is_control(vcpu->part)) {
			return insn_rdmsr_safe(msr, ret_value) ? -BH_INVAL : 0;
		}
		if (find_fixed(msr)) {
			*ret_value = find_fixed(msr)->value;
			return 0;
		}
		return -BH_INVAL;
	}
}

/* SDM 3A, "IA32_EFER MSR": long mode is switched while paging is off, and LMA by the CPU alone. */
static int efer_write(struct vcpu *vcpu, uint64_t value)
{
	struct backend_mode mode;

	backend->mode(vcpu, &mode);
	if ((value & ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) ||
	    ((mode.cr0 & CR0_PG) && ((mode.efer ^ value) & EFER_LME))) {
		return -BH_INVAL;
	}
	backend->write(vcpu, BACKEND_EFER, (value & ~(uint64_t)EFER_LMA) | (mode.efer & EFER_LMA));
	return 0;
}

/* SDM 3A, "IA32_PAT MSR": types 2 and 3 are reserved. */
static int pat_write(struct vcpu *vcpu, uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint8_t type = (uint8_t)(value >> i);

		if (type > 7 || type == 2 || type == 3) {
			return -BH_INVAL;
		}
	}
	backend->write(vcpu, BACKEND_PAT, value);
	return 0;
}

int msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (msr >= MSR_IA32_X2APIC_FIRST && msr <= MSR_IA32_X2APIC_LAST) {
		return vlapic_write_msr(vcpu, msr, value);
	}
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
		vlapic_write_tsc_deadline(vcpu, value);
		return 0;
	case MSR_IA32_TSC:
		vcpu->tsc_offset = value - insn_rdtsc();
		backend->write(vcpu, BACKEND_TSC_OFFSET, vcpu->tsc_offset);
		return 0;
	case MSR_IA32_APIC_BASE:
		return vlapic_write_base(vcpu, value);
	case MSR_IA32_EFER:
		return efer_write(vcpu, value);
	case MSR_IA32_PAT:
		return pat_write(vcpu, value);
	case MSR_IA32_MISC_ENABLE:
	case MSR_IA32_BIOS_SIGN_ID:
		return 0; /* taken, without effect */
	case MSR_IA32_DEBUGCTL:
		return value ? -BH_INVAL : 0;
	default:
		return find_fixed(msr) ? 0 : write_traced(vcpu, msr, value);
	}
}
