/* SPDX-License-Identifier: Apache-2.0 */
/** Where an interrupt of the host goes: the timer to the scheduler, those of assigned devices to
 * their partitions, every other one to the control partition, which owns all other devices: CPU i
 * to its vcpu i, which is pinned there and has its APIC id.
 *
 *  The physical local APIC keeps the vector in service until the control partition has ended it in
 * its virtual one (part/vlapic.c); until then nothing of lower priority can interrupt, as on bare
 * metal. */
#include "cpu/insn.h"
#include "cpu/trap.h"
#include "dbg/halt.h"
#include "dbg/log.h"
#include "iommu/iommu.h"
#include "irq/lapic.h"
#include "part/device.h"
#include "part/event.h"
#include "part/kick.h"
#include "part/part.h"
#include "part/sched.h"

_Static_assert(BH_VCPU_MAX >= CPU_MAX, "one vcpu of the control partition for each CPU");

void irq_handle(unsigned vector)
{
	struct cpu *cpu = cpu_this();
	struct vcpu *vcpu = parts[BH_PART_CONTROL].vcpu[cpu->id];

	if (vector == IRQ_VECTOR_KICK) {
		kick_handle();
		return;
	}
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
		vcpu_request(vcpu, VCPU_REQ_IRQ);
	}
}

void irq_nmi(void)
{
	const struct part *control = &parts[BH_PART_CONTROL];
	struct vcpu *vcpu = control->vcpu[cpu_this()->id];

	halt_if_crashed();
	log_error("irq", "NMI on CPU %u: handed to the control partition", cpu_this()->id);
	vcpu_request(vcpu ? vcpu : control->vcpu[0], VCPU_REQ_NMI);
}
