/* SPDX-License-Identifier: Apache-2.0 */
/** Dispatch of hypercalls (abi/hypercall.h). Decode and validate first, then act. */
#ifndef BH_PART_HYPERCALL_H
#define BH_PART_HYPERCALL_H

#include "part/vcpu.h"

/** Number and arguments are in the registers; the result goes to RAX. Context: running vcpu, CPL 0. */
void hypercall_handle(struct vcpu *vcpu);

#endif
