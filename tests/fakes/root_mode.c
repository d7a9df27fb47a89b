/* SPDX-License-Identifier: Apache-2.0 */
/** The choice of the fake CPU, and what a guest on it asks. */
#include "root_mode.h"

#include <stdlib.h>
#include <string.h>

#include "part/hypercall.h"
#include "part/vcpu.h"
#include "svm_fake.h"
#include "vmx_fake.h"

void root_mode_start(void)
{
	const char *cpu = getenv("BH_FAKE_CPU");

	if (cpu && strcmp(cpu, "svm") == 0) {
		svm_fake_start_root_mode();
	} else {
		vmx_fake_start_root_mode();
	}
}

void root_mode_stop(void)
{
	vmx_fake_stop_root_mode();
}

int64_t root_mode_call(struct vcpu *vcpu, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	vcpu->regs[REG_RAX] = number;
	vcpu->regs[REG_RDI] = a;
	vcpu->regs[REG_RSI] = b;
	vcpu->regs[REG_RDX] = c;
	hypercall_handle(vcpu);
	return (int64_t)vcpu->regs[REG_RAX];
}
