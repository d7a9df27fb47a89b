/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses to guest-physical memory that is not there. Source: SDM 3C, "EPT Violations",
 *  "EPT Misconfigurations", "Exit Qualification for EPT Violations". */
#include "part/ioreq.h"
#include "vtx/vmx.h"

#define QUALIFICATION_FETCH BIT(2)

enum exit_result exit_ept_violation(struct vcpu *vcpu)
{
	return exit_memory(vcpu, vmx_read(VMCS_GUEST_PHYS_ADDR),
			   vmx_read(VMCS_EXIT_QUALIFICATION) & QUALIFICATION_FETCH, false);
}

/* The manual leaves the instruction length open here; every CPU with EPT we know of, and the
 * emulator, reports it, and Linux' KVM depends on it for the same purpose. */
enum exit_result exit_ept_misconfig(struct vcpu *vcpu)
{
	uint64_t gpa = vmx_read(VMCS_GUEST_PHYS_ADDR);

	if (!exit_is_doorbell(vcpu, gpa)) {
		ioreq_mmio(vcpu, gpa);
		return EXIT_RESUME;
	}
	exit_doorbell(vcpu, gpa);
	return EXIT_SKIP;
}
