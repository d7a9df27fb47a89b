/* SPDX-License-Identifier: Apache-2.0 */
/** The local APIC of a vcpu: x2APIC registers by MSR, the same by MMIO while in xAPIC mode.
 *
 *  Source: SDM 3A, "Advanced Programmable Interrupt Controller (APIC)", "Extended XAPIC (x2APIC)".
 *  Not there: thermal, performance and CMCI vectors deliver nothing (their LVT entries can be written).
 */
#ifndef BH_PART_VLAPIC_H
#define BH_PART_VLAPIC_H

#include "lib/types.h"

struct vcpu;

struct vlapic {
	uint64_t irr[4], tmr[4]; /* 256 bits each; atomic */
	uint64_t isr[4]; /* from here on of the CPU it is on */
	uint64_t phys[4];  /* control: vectors that are also in service in the physical local APIC */
	uint64_t base;     /* IA32_APIC_BASE */
	uint32_t tpr, svr, ldr;
	uint32_t esr, esr_next; /* as read, and gathered for the next write */
	uint32_t icr_high; /* xAPIC only */
	uint64_t icr;
	uint32_t lvt[6];   /* timer, thermal, perf, lint0, lint1, error */
	uint32_t timer_initial, timer_divide;
	uint64_t deadline;     /* host TSC of the next timer interrupt, 0: none */
	uint64_t tsc_deadline; /* IA32_TSC_DEADLINE as the guest wrote it */
};

#define VLAPIC_MMIO 0xfee00000ull

void vlapic_reset(struct vlapic *lapic, uint32_t id, bool x2apic);

/** Register access by x2APIC MSR number (0x800..0x8ff). -BH_INVAL: the guest gets #GP. */
int vlapic_read_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *ret_value);
int vlapic_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/** Register access by offset in the xAPIC page; wrong ones read 0. */
uint32_t vlapic_read_mmio(struct vcpu *vcpu, uint32_t offset);
void vlapic_write_mmio(struct vcpu *vcpu, uint32_t offset, uint32_t value);

/** IA32_APIC_BASE: mode changes the manual forbids return -BH_INVAL. */
int vlapic_write_base(struct vcpu *vcpu, uint64_t value);

void vlapic_write_tsc_deadline(struct vcpu *vcpu, uint64_t guest_tsc);

/** Sets the vector in IRR and asks the vcpu to look. Context: any CPU, as for vcpu_request. */
void vlapic_raise(struct vcpu *vcpu, unsigned vector, bool level);

/** An MSI of the partition's devices: address and data as in SDM 3A, "Message Signalled Interrupts". */
int vlapic_msi(struct vcpu *vcpu0, uint64_t address, uint32_t data);

/** Highest vector that may be delivered now (priority above TPR and ISR), or -1. */
int vlapic_pending(const struct vlapic *lapic);

/** Moves the vector from IRR to ISR: it is being delivered. */
void vlapic_accept(struct vlapic *lapic, unsigned vector);

/** The deadline has passed: raises the timer vector, arms the next period. */
void vlapic_timer_expire(struct vcpu *vcpu, uint64_t now);

#endif
