/* SPDX-License-Identifier: Apache-2.0 */
/** Events on their way into a guest. Source: SDM 3C, "Event Injection", "Information for VM Exits
 * During Event Delivery". */
#include "cpu/msr.h"
#include "vtx/vmx.h"

/* The exits to have when the guest can take an interrupt, or an NMI. */
static void windows(struct vcpu *vcpu, bool interrupt, bool nmi)
{
	struct vmx_vcpu *vv = vcpu->backend;
	uint32_t controls = vv->proc_controls & ~(PROC_INTR_WINDOW | PROC_NMI_WINDOW);

	controls |= interrupt ? PROC_INTR_WINDOW : 0;
	controls |= nmi ? PROC_NMI_WINDOW : 0;

	if (controls != vv->proc_controls) {
		vv->proc_controls = controls;
		vmx_write(VMCS_PROC_CONTROLS, controls);
	}
}

static void write_event(struct vcpu *vcpu, const struct vcpu_event *event)
{
	uint32_t info = INTR_INFO_VALID | (uint32_t)event->type << 8 | event->vector;

	if (event->has_error) {
		/* SDM 3C, "Checks on VMX Controls": no error code outside protected mode. */
		if (vmx_read(VMCS_GUEST_CR0) & CR0_PE) {
			info |= INTR_INFO_ERROR_CODE;
			vmx_write(VMCS_ENTRY_ERROR_CODE, event->error);
		}
	}
	if (event->type == INTR_TYPE_SW_INT || event->type == INTR_TYPE_PRIV_EXC ||
	    event->type == INTR_TYPE_SW_EXC) {
		vmx_write(VMCS_ENTRY_INSN_LENGTH, event->insn_length);
	}
	vmx_write(VMCS_ENTRY_INTR_INFO, info);
	count_add(&vcpu->stats.injected, 1);
}

static bool blocked(uint64_t by)
{
	return vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & by;
}

void inject_prepare(struct vcpu *vcpu)
{
	static const struct vcpu_event nmi = {.vector = EXC_NMI, .type = INTR_TYPE_NMI};
	bool injected = false;
	int vector;

	if (vcpu->event.valid) {
		write_event(vcpu, &vcpu->event);
		vcpu->event.valid = false;
		injected = true;
	}
	if (vcpu->nmi && !injected && !blocked(BLOCKING_STI | BLOCKING_MOVSS | BLOCKING_NMI)) {
		write_event(vcpu, &nmi);
		vcpu->nmi = false;
		injected = true;
	}
	vcpu->irq_check = false;
	vector = vlapic_pending(&vcpu->lapic);
	if (vcpu->extint || vector >= 0) {
		if (injected || !(vmx_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) ||
		    blocked(BLOCKING_STI | BLOCKING_MOVSS)) {
			windows(vcpu, true, vcpu->nmi);
			return;
		}
		if (vcpu->extint) {
			vector = vcpu->extint - 1;
			vcpu->extint = 0;
		} else {
			vlapic_accept(&vcpu->lapic, (unsigned)vector);
		}
		vmx_write(VMCS_ENTRY_INTR_INFO,
			  INTR_INFO_VALID | INTR_TYPE_EXTINT << 8 | (uint32_t)vector);
		count_add(&vcpu->stats.injected, 1);
	}
	windows(vcpu, vcpu->extint || vlapic_pending(&vcpu->lapic) >= 0, vcpu->nmi);
}

void inject_requeue(struct vcpu *vcpu, uint32_t info)
{
	vcpu->event = (struct vcpu_event){
		.valid = true,
		.has_error = info & INTR_INFO_ERROR_CODE,
		.vector = (uint8_t)info,
		.type = (uint8_t)(info >> 8 & 7),
		.error = info & INTR_INFO_ERROR_CODE ? (uint32_t)vmx_read(VMCS_IDT_VECTORING_ERROR)
						     : 0,
		.insn_length = (uint32_t)vmx_read(VMCS_EXIT_INSN_LENGTH),
	};
	if (vcpu->event.type == INTR_TYPE_NMI) {
		vmx_write(VMCS_GUEST_INTERRUPTIBILITY,
			  vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & ~(uint64_t)BLOCKING_NMI);
	}
}
