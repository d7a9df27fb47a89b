/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses to guest-physical memory that is not there. Source: APM 2, "Nested versus Guest Page Faults, Fault
 *  Ordering". */
#include "abi/event.h"
#include "dbg/log.h"
#include "part/event.h"
#include "part/ioreq.h"
#include "part/part.h"
#include "svm/svm.h"

#define TAG "svm"

/* The control partition touched what is not its own: its fault, its exception. */
static void refuse_control(struct vcpu *vcpu, uint64_t gpa)
{
	static unsigned lines;

	if (lines++ < 16) {
		log_notice(TAG, "control: access to 0x%llx refused, rip 0x%llx", (unsigned long long)gpa,
			   (unsigned long long)vmcb_rip(vcpu));
	}
	svm_inject_gp(vcpu);
}

/* A doorbell's page has no memory: a write there rings, and is over. */
static bool ring(struct vcpu *vcpu, uint64_t gpa)
{
	const struct part *part = vcpu->part;
	uint64_t offset = gpa - part->doorbell_gpa, index = offset / PAGE_SIZE;
	unsigned queue = (unsigned)(offset & (PAGE_SIZE - 1)) / BH_DOORBELL_STRIDE, length;

	if (index >= part->doorbell_count || queue >= BH_DOORBELL_QUEUE_MAX) {
		return false;
	}
	length = fetch_access_length(vcpu);
	if (length == 0) {
		return false; /* refused where any other access is */
	}
	event_doorbell(part->id, (uint32_t)index, queue);
	vcpu->stats.exits[BH_EXIT_MMIO]--;
	vcpu->stats.exits[BH_EXIT_DOORBELL]++;
	vmcb_advance(vcpu, length);
	return true;
}

enum exit_result exit_npf(struct vcpu *vcpu)
{
	uint64_t gpa = svm_vmcb(vcpu)->exit_info2, info = svm_vmcb(vcpu)->exit_info1;

	if ((info & NPF_WRITE) && !(info & NPF_GUEST_TABLE) && !vcpu->event.valid && ring(vcpu, gpa)) {
		return EXIT_RESUME;
	}
	if (info & NPF_FETCH) {
		part_stop(vcpu, BH_STOP_FETCH, gpa);
	} else if (part_is_control(vcpu->part) && (gpa & ~(PAGE_SIZE - 1)) != VLAPIC_MMIO) {
		refuse_control(vcpu, gpa);
	} else if (vcpu->event.valid || (info & NPF_GUEST_TABLE)) {
		/* Its interrupt table, stack or page table is not in memory. */
		part_stop(vcpu, BH_STOP_DECODE, gpa);
	} else {
		ioreq_mmio(vcpu, gpa);
	}
	return EXIT_RESUME;
}
