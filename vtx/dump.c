/* SPDX-License-Identifier: Apache-2.0 */
/** A VMCS in words, for the log. Counted as debugging, reads only. */
#include "dbg/log.h"
#include "lib/types.h"
#include "vtx/vmx.h"

#define TAG "vmcs"

/* Fields that are written by index, or only read here. */
#define MORE_FIELDS(X)                                                                             \
	X(GUEST_CS_SEL, 0x0802)                                                                    \
	X(EXIT_INSN_INFO, 0x440e)                                                                  \
	X(GUEST_SS_SEL, 0x0804)                                                                    \
	X(GUEST_DS_SEL, 0x0806)                                                                    \
	X(GUEST_FS_SEL, 0x0808)                                                                    \
	X(GUEST_GS_SEL, 0x080a)                                                                    \
	X(GUEST_LDTR_SEL, 0x080c)                                                                  \
	X(GUEST_TR_SEL, 0x080e)                                                                    \
	X(GUEST_PDPTE1, 0x280c)                                                                    \
	X(GUEST_PDPTE2, 0x280e)                                                                    \
	X(GUEST_PDPTE3, 0x2810)                                                                    \
	X(GUEST_CS_LIMIT, 0x4802)                                                                  \
	X(GUEST_SS_LIMIT, 0x4804)                                                                  \
	X(GUEST_DS_LIMIT, 0x4806)                                                                  \
	X(GUEST_FS_LIMIT, 0x4808)                                                                  \
	X(GUEST_GS_LIMIT, 0x480a)                                                                  \
	X(GUEST_LDTR_LIMIT, 0x480c)                                                                \
	X(GUEST_TR_LIMIT, 0x480e)                                                                  \
	X(GUEST_DS_AR, 0x481a)                                                                     \
	X(GUEST_FS_AR, 0x481c)                                                                     \
	X(GUEST_GS_AR, 0x481e)                                                                     \
	X(GUEST_LDTR_AR, 0x4820)                                                                   \
	X(GUEST_TR_AR, 0x4822)                                                                     \
	X(GUEST_SS_BASE, 0x680a)                                                                   \
	X(GUEST_DS_BASE, 0x680c)                                                                   \
	X(GUEST_FS_BASE, 0x680e)                                                                   \
	X(GUEST_GS_BASE, 0x6810)                                                                   \
	X(GUEST_LDTR_BASE, 0x6812)                                                                 \
	X(GUEST_TR_BASE, 0x6814)

/* Reasons that are named here only. */
#define MORE_REASONS(X)                                                                            \
	X(INIT, 3)                                                                                 \
	X(INVLPG, 14)                                                                              \
	X(VMLAUNCH, 20)                                                                            \
	X(VMPTRLD, 21)                                                                             \
	X(VMPTRST, 22)                                                                             \
	X(VMREAD, 23)                                                                              \
	X(VMRESUME, 24)                                                                            \
	X(VMWRITE, 25)                                                                             \
	X(VMXOFF, 26)                                                                              \
	X(MOV_DR, 29)                                                                              \
	X(ENTRY_GUEST_STATE, 33)                                                                   \
	X(ENTRY_MSR_LOAD, 34)                                                                      \
	X(ENTRY_MACHINE_CHECK, 41)

static const struct {
	uint32_t encoding;
	const char *name;
} fields[] = {
#define X(name, encoding) {encoding, #name},
	VMCS_FIELDS(X) MORE_FIELDS(X)
#undef X
};

const char *dump_exit_reason(uint32_t reason)
{
	switch (reason & 0xffff) {
#define X(name, number)                                                                            \
	case number:                                                                               \
		return #name;
		EXIT_REASONS(X)
		MORE_REASONS(X)
#undef X
	default:
		return "unknown";
	}
}

void dump_vmcs(const struct vcpu *vcpu)
{
	uint32_t reason = (uint32_t)vmx_read(VMCS_EXIT_REASON);

	log_error(TAG, "%s vcpu %u: exit %u %s%s", vcpu->part->policy->name, vcpu->id,
		  reason & 0xffff, dump_exit_reason(reason),
		  reason & EXIT_REASON_ENTRY_FAILED ? ", VM entry failed" : "");
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
