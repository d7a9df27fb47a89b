/* SPDX-License-Identifier: Apache-2.0 */
/** The bytes of the guest's instruction, and its length. */
#include "lib/string.h"
#include "part/decode.h"
#include "part/gwalk.h"
#include "part/part.h"
#include "svm/svm.h"

#define FETCH_SIZE 16u

static uint64_t load64(const uint8_t *at)
{
	uint64_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t linear_rip(const struct vmcb *vmcb)
{
	return vmcb_bits(vmcb) == 64 ? vmcb->rip : (vmcb->cs.base + vmcb->rip) & 0xffffffff;
}

/* Walks the guest's tables, and remembers where the page is. */
static size_t walk(struct vcpu *vcpu, uint64_t linear, uint8_t *ret_bytes)
{
	struct svm_fetch *fetch = &svm_vcpu(vcpu)->fetch;
	struct backend_mode mode;
	uint64_t gpa;

	vmcb_mode(vcpu, &mode);
	fetch->page = 0;
	if (gwalk_translate(vcpu->part, &mode, linear, &gpa) == 0) {
		fetch->host = part_memory(vcpu->part, gpa & ~(PAGE_SIZE - 1), PAGE_SIZE);
		if (fetch->host) {
			fetch->page = (linear & ~(PAGE_SIZE - 1)) | 1;
			fetch->cr3 = mode.cr3;
		}
	}
	return gwalk_copy_in(vcpu->part, &mode, linear, ret_bytes, FETCH_SIZE);
}

/* Where the instruction is according to the last walk, with FETCH_SIZE bytes behind it; or NULL.
 * In 64-bit mode the base of CS counts for nothing and is 0; where it is not, this finds
 * nothing. */
static const uint8_t *hint(const struct svm_fetch *fetch, const struct vmcb *vmcb)
{
	uint64_t linear = vmcb->cs.base + vmcb->rip, offset = linear & (PAGE_SIZE - 1);

	if ((linear - offset + 1) != fetch->page || vmcb->cr3 != fetch->cr3 ||
	    offset > PAGE_SIZE - FETCH_SIZE) {
		return NULL;
	}
	return fetch->host + offset;
}

size_t fetch_bytes(struct vcpu *vcpu, uint8_t ret_bytes[FETCH_SIZE])
{
	return walk(vcpu, linear_rip(svm_vmcb(vcpu)), ret_bytes);
}

/* Apart, so that the short way saves no registers for it. */
__attribute__((noinline)) static unsigned measure(struct vcpu *vcpu, const struct insn_opcode *opcode)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	uint8_t bytes[FETCH_SIZE];

	if (svm_features.next_rip && vmcb->next_rip) {
		return (unsigned)(vmcb->next_rip - vmcb->rip);
	}
	return insn_length(bytes, walk(vcpu, linear_rip(vmcb), bytes), vmcb_bits(vmcb), opcode);
}

unsigned fetch_length(struct vcpu *vcpu, const struct insn_opcode *opcode)
{
	const struct svm_vcpu *sv = svm_vcpu(vcpu);
	const uint8_t *at = hint(&sv->fetch, sv->vmcb);

	return at && insn_opcode_is(opcode, (uint32_t)load64(at)) ? opcode->size : measure(vcpu, opcode);
}

unsigned fetch_access_length(struct vcpu *vcpu)
{
	struct svm_fetch *fetch = &svm_vcpu(vcpu)->fetch;
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	unsigned bits = vmcb_bits(vmcb);
	const uint8_t *at = hint(fetch, vmcb);
	struct decode_insn insn;
	uint8_t bytes[FETCH_SIZE];
	size_t size;

	if (at && load64(at) == fetch->doorbell_bytes && bits == fetch->doorbell_bits) {
		return fetch->doorbell_length;
	}
	size = walk(vcpu, linear_rip(vmcb), bytes);
	if (decode_insn(bytes, size, bits, &insn) != 0) {
		return 0;
	}
	if (size >= 8 && insn.length <= 8) {
		fetch->doorbell_bytes = load64(bytes);
		fetch->doorbell_bits = (uint8_t)bits;
		fetch->doorbell_length = insn.length;
	}
	return insn.length;
}
