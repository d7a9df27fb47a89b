/* SPDX-License-Identifier: Apache-2.0 */
/** A VMCS in words, for the log. Counted as debugging, reads only. */
#include "dbg/log.h"
#include "lib/types.h"
#include "vtx/vmx.h"

#define TAG "vmcs"

static const struct {
	uint32_t encoding;
	const char *name;
} fields[] = {
#define X(name, encoding) {encoding, #name},
	VMCS_FIELDS(X)
#undef X
};

const char *dump_exit_reason(uint32_t reason)
{
	switch (reason & 0xffff) {
#define X(name, number)                                                                            \
	case number:                                                                               \
		return #name;
		EXIT_REASONS(X)
#undef X
	default:
		return "unknown";
	}
}

void dump_vmcs(const struct vcpu *vcpu)
{
	uint32_t reason = (uint32_t)vmx_read(VMCS_EXIT_REASON);

	log_error(TAG, "%s vcpu %u: exit %u %s%s", vcpu->part->policy->name, vcpu->id, reason & 0xffff,
		  dump_exit_reason(reason), reason & EXIT_REASON_ENTRY_FAILED ? ", VM entry failed" : "");
	for (unsigned i = 0; i + 1 < ARRAY_SIZE(fields); i += 2) {
		log_error(TAG, "%-22s %016llx  %-22s %016llx", fields[i].name,
			  (unsigned long long)vmx_read(fields[i].encoding), fields[i + 1].name,
			  (unsigned long long)vmx_read(fields[i + 1].encoding));
	}
	log_error(TAG, "rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx rbp %llx",
		  (unsigned long long)vcpu->regs[REG_RAX], (unsigned long long)vcpu->regs[REG_RBX],
		  (unsigned long long)vcpu->regs[REG_RCX], (unsigned long long)vcpu->regs[REG_RDX],
		  (unsigned long long)vcpu->regs[REG_RSI], (unsigned long long)vcpu->regs[REG_RDI],
		  (unsigned long long)vcpu->regs[REG_RBP]);
}
