/* SPDX-License-Identifier: Apache-2.0 */
/** The local APIC of the host in x2APIC mode. SDM 3A, "Advanced Programmable Interrupt Controller
 * (APIC)". */
#ifndef BH_IRQ_LAPIC_H
#define BH_IRQ_LAPIC_H

#include "lib/types.h"

#define IRQ_VECTOR_TIMER    0xfeu
#define IRQ_VECTOR_SPURIOUS 0xffu

/** Logs each missing CPU feature by name. Error: -BH_NOSUPP. Nothing is switched on. */
BH_MUST_CHECK int lapic_check(void);

/** Switches this CPU to x2APIC mode: LINT0 ExtINT but masked, LINT1 NMI, timer in TSC-deadline mode, all else
 * masked. */
void lapic_init(void);

void lapic_eoi(void);
/** The vector is in service. */
bool lapic_isr_test(unsigned vector);
uint32_t lapic_id(void);
/** The PIC's way in: follows LINT0 of the control partition, whose PIC it is. */
void lapic_lint0_mask(bool masked);

/** IRQ_VECTOR_TIMER fires when the TSC reaches the deadline (at once if it has passed; 0 counts as
 * 1). */
void lapic_timer_arm(uint64_t tsc_deadline);
void lapic_timer_stop(void);

#endif
