/* SPDX-License-Identifier: Apache-2.0 */
/** The local APIC of the host: x2APIC mode where the CPU has it, else the xAPIC page; the timer in
 *  TSC-deadline mode where the CPU has it, else one-shot, measured against the TSC. Source: SDM 3A, "Advanced
 *  Programmable Interrupt Controller (APIC)"; APM 2, "Advanced Programmable Interrupt Controller (APIC)". */
#ifndef BH_IRQ_LAPIC_H
#define BH_IRQ_LAPIC_H

#include "lib/types.h"

/* Above all that an operating system gives to devices. */
#define IRQ_VECTOR_DEVICE   0xf0u /* and 7 more: part/device.h */
#define IRQ_VECTOR_IOMMU    0xfcu /* an IOMMU has recorded a fault */
#define IRQ_VECTOR_KICK	    0xfdu /* part/sched.h: look again at what others ask of you */
#define IRQ_VECTOR_TIMER    0xfeu
#define IRQ_VECTOR_SPURIOUS 0xffu

/** Logs what is missing by name. Error: -BH_NOSUPP. Nothing is switched on. */
BH_MUST_CHECK int lapic_check(void);

/** Once, before the first lapic_init: chooses the modes; maps the xAPIC page (the control partition does not
 *  see it). Needs hspace_init. Error: -BH_NOMEM. */
BH_MUST_CHECK int lapic_setup(void);

/** Switches this CPU's on: LINT0 ExtINT but masked, LINT1 NMI, timer stopped, all else masked. */
void lapic_init(void);

/** Once, on the first CPU, after tsc_init: how fast the one-shot timer counts. */
void lapic_timer_measure(void);

void lapic_eoi(void);
/** The vector is in service. */
bool lapic_isr_test(unsigned vector);
uint32_t lapic_id(void);
/** The PIC's way in: follows LINT0 of the control partition, whose PIC it is. */
void lapic_lint0_mask(bool masked);

/** Interrupts of one CPU for another, by APIC id; sent when the call returns. SDM 3A, "Issuing
 *  Interprocessor Interrupts". */
void lapic_send_ipi(uint32_t apic_id, unsigned vector);
void lapic_send_init(uint32_t apic_id);
/** The CPU starts in real mode at page << 12. */
void lapic_send_sipi(uint32_t apic_id, unsigned page);
/** An NMI to every CPU but this one. */
void lapic_send_nmi_others(void);

/** IRQ_VECTOR_TIMER fires on this CPU when the TSC reaches the deadline, or somewhat earlier (at once if it
 *  has passed; 0 counts as 1). The same deadline again costs nothing. */
void lapic_timer_arm(uint64_t tsc_deadline);
void lapic_timer_stop(void);
/** IRQ_VECTOR_TIMER came: it is acknowledged, and the timer is not armed any more. */
void lapic_timer_done(void);

#endif
