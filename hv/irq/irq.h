/* SPDX-License-Identifier: Apache-2.0 */
/** Where an external interrupt of the host goes. Implemented in part/route.c. */
#ifndef BH_IRQ_IRQ_H
#define BH_IRQ_IRQ_H

/** An interrupt (vector 32..255) that root mode took or that ended a guest's run. Interrupts are
 * off. */
void irq_handle(unsigned vector);

#endif
