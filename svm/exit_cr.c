/* SPDX-License-Identifier: Apache-2.0 */
/** MOV to and from CR8, which is our virtual APIC's task priority, and MOV to CR4 on a CPU with bits that
 *  guests must not set. Source: APM 2, "Control Registers", APM 3, "MOV CRn". */
#include "cpu/msr.h"
#include "part/part.h"
#include "part/vcpuid.h"
#include "svm/svm.h"

struct mov_cr {
	unsigned reg;
	unsigned length;
};

/* The register operand: no CPU without decode assists says it. */
static bool decode_mov(struct vcpu *vcpu, bool write, struct mov_cr *ret)
{
	uint8_t bytes[16];
	size_t size = fetch_bytes(vcpu, bytes);
	struct decode_prefixes prefixes;
	unsigned at = decode_prefixes(bytes, size, vmcb_bits(svm_vmcb(vcpu)), &prefixes);

	if (at + 3 > MIN(size, DECODE_INSN_MAX) || bytes[at] != 0x0f ||
	    bytes[at + 1] != (write ? 0x22 : 0x20)) {
		return false;
	}
	ret->reg = (bytes[at + 2] & 7) | (prefixes.rex & 1) << 3;
	ret->length = at + 3;
	return true;
}

enum exit_result exit_mov_cr8(struct vcpu *vcpu)
{
	bool write = svm_vmcb(vcpu)->exit_code == EXIT_CR8_WRITE;
	struct mov_cr mov;

	if (!decode_mov(vcpu, write, &mov)) {
		return exit_ud(vcpu);
	}
	if (exit_cr8(vcpu, mov.reg, write) == EXIT_SKIP) {
		vmcb_advance(vcpu, mov.length);
	}
	return EXIT_RESUME;
}

static bool cr4_check(const struct vmcb *vmcb, uint64_t value)
{
	bool long_mode = vmcb->efer & EFER_LMA;

	if ((value & ~vcpuid_cr4_allowed()) || (long_mode && !(value & CR4_PAE))) {
		return false;
	}
	return !(value & ~vmcb->cr4 & CR4_PCIDE) || (long_mode && !(vmcb->cr3 & (PAGE_SIZE - 1)));
}

enum exit_result exit_mov_cr4(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);
	struct mov_cr mov;

	if (!decode_mov(vcpu, true, &mov)) {
		return exit_ud(vcpu);
	}
	if (!cr4_check(vmcb, vcpu_reg_read(vcpu, mov.reg))) {
		return exit_gp(vcpu);
	}
	vmcb->cr4 = vcpu_reg_read(vcpu, mov.reg);
	svm_vcpu(vcpu)->generation = 0; /* a write of CR4 may flush translations: a new ASID has none */
	vmcb_advance(vcpu, mov.length);
	return EXIT_RESUME;
}
