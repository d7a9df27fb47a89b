/* SPDX-License-Identifier: Apache-2.0 */
/** Model-specific registers that exit: an allow list. What is not named gives the guest #GP. */
#ifndef BH_PART_MSR_H
#define BH_PART_MSR_H

#include "part/vcpu.h"

/** -BH_INVAL: inject #GP(0). Context: running vcpu. */
int msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *ret_value) BH_MUST_CHECK;
int msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value) BH_MUST_CHECK;

/** MSRs the guest may access without an exit: the hardware or vcpu_load switches them. Ends with 0. */
extern const uint32_t msr_passthrough[];
/** Of these: writes exit all the same, because the core keeps what was written (backend->free_msrs). */
bool msr_write_exits(uint32_t msr);

#endif
