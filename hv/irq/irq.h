/* SPDX-License-Identifier: Apache-2.0 */
/** Where an external interrupt of the host goes. */
#ifndef BH_IRQ_IRQ_H
#define BH_IRQ_IRQ_H

#include "cpu/trap.h" /* irq_handle, which part/route.c implements */

#endif
