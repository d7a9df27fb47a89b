/* SPDX-License-Identifier: Apache-2.0 */
/** A VMCB in words, for the log. Counted as debugging, reads only. */
#include "dbg/log.h"
#include "part/part.h"
#include "svm/svm.h"

#define TAG "vmcb"

static const char *exit_name(uint64_t code)
{
	switch (code) {
#define X(name, number)                                                                            \
	case number:                                                                               \
		return #name;
		EXIT_REASONS(X)
#undef X
	default:
		return (uint32_t)code == EXIT_INVALID ? "VMRUN failed" : "unknown";
	}
}

#define FIELDS(X)                                                                                  \
	X(intercept[0])                                                                            \
	X(intercept[1])                                                                            \
	X(exceptions)                                                                              \
	X(cr_read)                                                                                 \
	X(cr_write)                                                                                \
	X(io_map)                                                                                  \
	X(msr_map)                                                                                 \
	X(tsc_offset)                                                                              \
	X(asid)                                                                                    \
	X(int_ctl)                                                                                 \
	X(int_state)                                                                               \
	X(exit_info1)                                                                              \
	X(exit_info2)                                                                              \
	X(exit_int_info)                                                                           \
	X(event_inj)                                                                               \
	X(n_cr3)                                                                                   \
	X(next_rip)                                                                                \
	X(cpl)                                                                                     \
	X(efer)                                                                                    \
	X(cr0)                                                                                     \
	X(cr2)                                                                                     \
	X(cr3)                                                                                     \
	X(cr4)                                                                                     \
	X(dr6)                                                                                     \
	X(dr7)                                                                                     \
	X(rflags)                                                                                  \
	X(rip)                                                                                     \
	X(rsp)                                                                                     \
	X(rax)                                                                                     \
	X(g_pat)

#define SEGMENTS(X) X(es) X(cs) X(ss) X(ds) X(fs) X(gs) X(gdtr) X(ldtr) X(idtr) X(tr)

void dump_vmcb(const struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);

	log_error(TAG, "%s vcpu %u: exit 0x%llx %s", vcpu->part->policy->name, vcpu->id,
		  (unsigned long long)vmcb->exit_code, exit_name(vmcb->exit_code));
#define X(field) log_error(TAG, "%-14s %016llx", #field, (unsigned long long)vmcb->field);
	FIELDS(X)
#undef X
#define X(seg)                                                                                     \
	log_error(TAG, "%-5s %04x attributes %03x limit %08x base %016llx", #seg,                  \
		  vmcb->seg.selector, vmcb->seg.attributes, vmcb->seg.limit,                       \
		  (unsigned long long)vmcb->seg.base);
	SEGMENTS(X)
#undef X
	log_error(TAG, "rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx rbp %llx",
		  (unsigned long long)vcpu->regs[REG_RBX], (unsigned long long)vcpu->regs[REG_RCX],
		  (unsigned long long)vcpu->regs[REG_RDX], (unsigned long long)vcpu->regs[REG_RSI],
		  (unsigned long long)vcpu->regs[REG_RDI], (unsigned long long)vcpu->regs[REG_RBP]);
}
