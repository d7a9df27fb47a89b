/* SPDX-License-Identifier: Apache-2.0 */
/** Where an interrupt of the host goes: the timer to the scheduler, those of assigned devices to their
 *  partitions, every other one to the control partition, which owns all other devices.
 *
 *  The physical local APIC keeps the vector in service until the control partition has ended it in its
 *  virtual one (part/vlapic.c); until then nothing of lower priority can interrupt, as on bare metal. */
#include "irq/irq.h"

#include "cpu/insn.h"
#include "iommu/iommu.h"
#include "irq/lapic.h"
#include "part/device.h"
#include "part/event.h"
#include "part/part.h"
#include "part/sched.h"

void irq_handle(unsigned vector)
{
	struct vcpu *vcpu = parts[BH_PART_CONTROL].vcpu[0];

	if (vector == IRQ_VECTOR_TIMER) {
		lapic_timer_done();
		sched_expire(insn_rdtsc());
		return;
	}
	if (vector == IRQ_VECTOR_SPURIOUS) {
		return;
	}
	if (vector == IRQ_VECTOR_IOMMU) {
		lapic_eoi();
		event_fault(iommu_fault_take());
		return;
	}
	if (device_handle_irq(vector)) {
		return;
	}
	if (!vcpu) {
		lapic_eoi();
		return;
	}
	if (lapic_isr_test(vector)) {
		vcpu->lapic.phys[vector / 64] |= BIT(vector % 64);
		vlapic_raise(vcpu, vector, false);
	} else {
		/* Acknowledged by the PIC: it waits for its own end-of-interrupt, not for ours. */
		vcpu->extint = (uint16_t)(vector + 1);
		vcpu->irq_check = true;
		vcpu_wake(vcpu);
	}
}
