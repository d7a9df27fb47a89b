/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses to guest-physical memory that is not there. Source: SDM 3C, "EPT Violations",
 *  "EPT Misconfigurations", "Exit Qualification for EPT Violations". */
#include "abi/event.h"
#include "dbg/log.h"
#include "part/event.h"
#include "part/ioreq.h"
#include "part/part.h"
#include "vtx/vmx.h"

#define TAG "vtx"

#define QUALIFICATION_FETCH BIT(2)

/* The control partition touched what is not its own: its fault, its exception. */
static void refuse_control(struct vcpu *vcpu, uint64_t gpa)
{
	static unsigned lines;

	if (__atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED) < 16) {
		log_notice(TAG, "control: access to 0x%llx refused, rip 0x%llx", (unsigned long long)gpa,
			   (unsigned long long)vmcs_rip(vcpu));
	}
	inject_gp(vcpu);
}

enum exit_result exit_ept_violation(struct vcpu *vcpu)
{
	uint64_t gpa = vmx_read(VMCS_GUEST_PHYS_ADDR);

	if (vmx_read(VMCS_EXIT_QUALIFICATION) & QUALIFICATION_FETCH) {
		part_stop(vcpu, BH_STOP_FETCH, gpa);
	} else if (part_is_control(vcpu->part) && (gpa & ~(PAGE_SIZE - 1)) != VLAPIC_MMIO) {
		refuse_control(vcpu, gpa);
	} else if (vcpu->event.valid) {
		/* Its interrupt table or stack is not in memory. */
		part_stop(vcpu, BH_STOP_DECODE, gpa);
	} else {
		ioreq_mmio(vcpu, gpa);
	}
	return EXIT_RESUME;
}

enum exit_result exit_ept_misconfig(struct vcpu *vcpu)
{
	const struct part *part = vcpu->part;
	uint64_t gpa = vmx_read(VMCS_GUEST_PHYS_ADDR), offset = gpa - part->doorbell_gpa;
	uint64_t index = offset / PAGE_SIZE;
	unsigned queue = (unsigned)(offset & (PAGE_SIZE - 1)) / BH_DOORBELL_STRIDE;

	if (index >= part->doorbell_count || queue >= BH_DOORBELL_QUEUE_MAX) {
		ioreq_mmio(vcpu, gpa);
		return EXIT_RESUME;
	}
	event_doorbell(part->id, (uint32_t)index, queue);
	/* The manual leaves the instruction length open here; every CPU with EPT we know of, and the
	 * emulator, reports it, and Linux' KVM depends on it for the same purpose. */
	return EXIT_SKIP;
}
