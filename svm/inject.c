/* SPDX-License-Identifier: Apache-2.0 */
/** Events on their way into a guest. Source: APM 2, "Event Injection", "Interrupt and Local APIC
 *  Support". */
#include "cpu/msr.h"
#include "part/part.h"
#include "svm/svm.h"

/* A virtual interrupt of the highest priority that is never delivered: its intercept comes first, when the
 * guest can take an interrupt. */
static void window(struct vmcb *vmcb, bool on)
{
	vmcb->int_ctl = V_INTR_MASKING | (on ? V_IRQ | V_IGN_TPR : 0);
}

static void write_event(struct vcpu *vcpu, unsigned type, unsigned vector)
{
	svm_vmcb(vcpu)->event_inj = EVENT_VALID | type << 8 | vector;
	count_add(&vcpu->stats.injected, 1);
}

static void write_pending(struct vcpu *vcpu, const struct vcpu_event *event)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);

	write_event(vcpu, event->type, event->vector);
	if (event->has_error && (vmcb->cr0 & CR0_PE)) {
		vmcb->event_inj |= EVENT_ERROR_CODE | (uint64_t)event->error << 32;
	}
}

/* STI; HLT with an interrupt that waits: HLT would end at once. Done here, because an emulator may forget the
 * shadow between two runs of the guest, and the interrupt would come before the HLT that it must end. */
static void finish_hlt(struct vcpu *vcpu)
{
	static const struct insn_opcode hlt = {1, 0xf4};
	struct vmcb *vmcb = svm_vmcb(vcpu);

	if ((vmcb->int_state & INTERRUPT_SHADOW) && (vmcb->rflags & RFLAGS_IF) && vmcb->cpl == 0) {
		unsigned length = fetch_length(vcpu, &hlt);

		if (length) {
			vmcb_advance(vcpu, length);
		}
	}
}

/* Without virtual NMIs it is ours to know that the guest is in its handler: its IRET exits. */
static void write_nmi(struct vcpu *vcpu)
{
	write_event(vcpu, EVENT_NMI, EXC_NMI);
	vcpu->nmi = false;
	svm_vcpu(vcpu)->in_nmi = true;
	vmcb_intercept(svm_vmcb(vcpu), EXIT_IRET, true);
}

void svm_inject_nmi_over(struct vcpu *vcpu)
{
	svm_vcpu(vcpu)->in_nmi = false;
	vmcb_intercept(svm_vmcb(vcpu), EXIT_IRET, false);
	vcpu->irq_check = true;
}

void svm_inject_prepare(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);
	bool injected = false;
	int vector;

	if (vcpu->event.valid) {
		write_pending(vcpu, &vcpu->event);
		vcpu->event.valid = false;
		injected = true;
	}
	if (vcpu->nmi && !injected && !svm_vcpu(vcpu)->in_nmi && !(vmcb->int_state & INTERRUPT_SHADOW)) {
		write_nmi(vcpu);
		injected = true;
	}
	/* An NMI that must wait for the next instruction is looked at again at the next exit. */
	vcpu->irq_check = vcpu->nmi && !svm_vcpu(vcpu)->in_nmi;
	vector = vlapic_pending(&vcpu->lapic);
	if (vcpu->extint || vector >= 0) {
		if (!injected) {
			finish_hlt(vcpu);
		}
		if (injected || !(vmcb->rflags & RFLAGS_IF) || (vmcb->int_state & INTERRUPT_SHADOW)) {
			window(vmcb, true);
			return;
		}
		if (vcpu->extint) {
			vector = vcpu->extint - 1;
			vcpu->extint = 0;
		} else {
			vlapic_accept(&vcpu->lapic, (unsigned)vector);
		}
		write_event(vcpu, EVENT_INTR, (unsigned)vector);
	}
	window(vmcb, vcpu->extint || vlapic_pending(&vcpu->lapic) >= 0);
}

void svm_inject_requeue(struct vcpu *vcpu, uint64_t info)
{
	unsigned type = info >> 8 & 7, vector = info & 0xff;

	/* INT n, INT3 and INTO: RIP is still at the instruction, which runs again. */
	if (type == EVENT_SW_INT || (type == EVENT_EXCEPTION && (vector == EXC_BP || vector == EXC_OF))) {
		return;
	}
	vcpu->event = (struct vcpu_event){
		.valid = true,
		.has_error = info & EVENT_ERROR_CODE,
		.vector = (uint8_t)vector,
		.type = (uint8_t)type,
		.error = info & EVENT_ERROR_CODE ? (uint32_t)(info >> 32) : 0,
	};
}
