/* SPDX-License-Identifier: Apache-2.0 */
/** The feature gate: every AMD-V capability we need, by its manual name, before anything is switched on.
 *  Source: APM 2, "Enabling SVM", APM 3, "Obtaining Processor Information Via the CPUID Instruction". */
#include "cpu/cpuid.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "svm/svm.h"

#define TAG "svm"

#define LEAF_SVM	0x8000000au
#define SVM_EDX_NP	BIT(0)
#define SVM_EDX_SVML	BIT(2)
#define SVM_EDX_NRIPS	BIT(3)
#define ASIDS_NEEDED	2u /* root mode's, and one to hand out */

/* Bits of CR4 that guests are not offered, by the leaf that says that the CPU has them: UMIP, PKU, SHSTK,
 * LA57. */
#define HIDDEN_7_ECX (BIT(2) | BIT(3) | BIT(7) | BIT(16))
#define HIDDEN_7_EDX BIT(20) /* IBT */

static unsigned missing_count;

static void missing(const char *name)
{
	log_error(TAG, "missing: %s", name);
	missing_count++;
}

static void check_disabled(void)
{
	uint64_t vm_cr;

	if (insn_rdmsr_safe(MSR_VM_CR, &vm_cr) != 0 || !(vm_cr & VM_CR_SVMDIS)) {
		return;
	}
	missing(cpuid_has(LEAF_SVM, CPUID_EDX, SVM_EDX_SVML)
			? "SVM (VM_CR.SVMDIS is set and locked by firmware: enable SVM in its setup)"
			: "SVM (VM_CR.SVMDIS is set by firmware: enable SVM in its setup, or update it)");
}

int svm_features_check(struct svm_features *ret)
{
	memset(ret, 0, sizeof(*ret));
	missing_count = 0;
	if (!cpuid_has(1, CPUID_ECX, CPUID_1_ECX_XSAVE)) {
		missing("XSAVE (CPUID.00000001H:ECX.XSAVE)");
	}
	if (!cpuid_has(0x80000001, CPUID_ECX, CPUID_X1_ECX_SVM)) {
		missing("SVM (CPUID.80000001H:ECX.SVM)");
		return -BH_NOSUPP;
	}
	check_disabled();
	if (!cpuid_has(LEAF_SVM, CPUID_EDX, SVM_EDX_NP)) {
		missing("nested paging (CPUID.8000000AH:EDX.NP)");
	}
	ret->asid_count = cpuid_read(LEAF_SVM, 0, CPUID_EBX);
	if (ret->asid_count < ASIDS_NEEDED) {
		missing("address space identifiers (CPUID.8000000AH:EBX.NASID is less than 2)");
	}
	ret->next_rip = cpuid_has(LEAF_SVM, CPUID_EDX, SVM_EDX_NRIPS);
	ret->pages_1g = cpuid_has(0x80000001, CPUID_EDX, CPUID_X1_EDX_1G);
	ret->cr4_exits = (cpuid_read(7, 0, CPUID_ECX) & HIDDEN_7_ECX) ||
			 (cpuid_read(7, 0, CPUID_EDX) & HIDDEN_7_EDX);
	return missing_count ? -BH_NOSUPP : 0;
}
