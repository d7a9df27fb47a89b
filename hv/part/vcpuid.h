/* SPDX-License-Identifier: Apache-2.0 */
/** CPUID as a guest sees it: an allow list. What is not named here reads 0.
 *  Source: SDM 2A, "CPUID—CPU Identification". */
#ifndef BH_PART_VCPUID_H
#define BH_PART_VCPUID_H

#include "cpu/insn.h"
#include "part/vcpu.h"

/** Reads the CPU once. Needs tsc_init and xcr0_init. */
void vcpuid_init(void);

/** cr4: as the guest sees it. Context: the vcpu is on this CPU (its XCR0 is loaded). */
void vcpuid_read(struct vcpu *vcpu, uint64_t cr4, uint32_t leaf, uint32_t sub, struct cpuid_regs *ret);

/** CR4 bits a guest may set, from the same list. */
uint64_t vcpuid_cr4_allowed(void);

#endif
