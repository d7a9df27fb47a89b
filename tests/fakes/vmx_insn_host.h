/* SPDX-License-Identifier: Apache-2.0 */
/** vtx/insn.h for the host: plain functions, in tests/fakes/vmx_insn.c. */
#ifndef BH_TESTS_FAKES_VMX_INSN_HOST_H
#define BH_TESTS_FAKES_VMX_INSN_HOST_H

#include "lib/types.h"

bool vmx_on(hpa_t region);
bool vmx_clear(hpa_t vmcs);
bool vmx_load(hpa_t vmcs);
uint64_t vmx_read(uint64_t field);
void vmx_write(uint64_t field, uint64_t value);
void vmx_invept(unsigned type, uint64_t eptp);
void vmx_invvpid(unsigned type, uint16_t vpid);

#endif
