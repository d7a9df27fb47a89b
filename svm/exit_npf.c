/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses to guest-physical memory that is not there. Source: APM 2, "Nested versus Guest Page
 *  Faults, Fault Ordering". */
#include "svm/svm.h"

/* A doorbell's page has no memory: a write there rings, and is over. */
static bool ring(struct vcpu *vcpu, uint64_t gpa)
{
	unsigned length = exit_is_doorbell(vcpu, gpa) ? fetch_access_length(vcpu) : 0;

	if (length == 0) {
		return false; /* refused where any other access is */
	}
	exit_doorbell(vcpu, gpa);
	count_add(&vcpu->stats.exits[BH_EXIT_MMIO], -1ull);
	count_add(&vcpu->stats.exits[BH_EXIT_DOORBELL], 1);
	vmcb_advance(vcpu, length);
	return true;
}

enum exit_result exit_npf(struct vcpu *vcpu)
{
	uint64_t gpa = svm_vmcb(vcpu)->exit_info2, info = svm_vmcb(vcpu)->exit_info1;

	if ((info & NPF_WRITE) && !(info & NPF_GUEST_TABLE) && !vcpu->event.valid && ring(vcpu, gpa)) {
		return EXIT_RESUME;
	}
	return exit_memory(vcpu, gpa, info & NPF_FETCH, info & NPF_GUEST_TABLE);
}
