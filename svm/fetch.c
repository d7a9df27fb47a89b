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

/* From the page that the last walk found. */
static bool hit(const struct vcpu *vcpu, uint64_t linear, uint8_t *ret_bytes)
{
	const struct svm_fetch *fetch = &svm_vcpu(vcpu)->fetch;
	uint64_t offset = linear & (PAGE_SIZE - 1), bytes[2];

	if (((linear & ~(PAGE_SIZE - 1)) | 1) != fetch->page || svm_vmcb(vcpu)->cr3 != fetch->cr3 ||
	    offset > PAGE_SIZE - FETCH_SIZE) {
		return false;
	}
	bytes[0] = load64(fetch->host + offset);
	bytes[1] = load64(fetch->host + offset + 8);
	__builtin_memcpy(ret_bytes, bytes, sizeof(bytes));
	return true;
}

size_t fetch_bytes(struct vcpu *vcpu, uint8_t ret_bytes[FETCH_SIZE])
{
	return walk(vcpu, linear_rip(svm_vmcb(vcpu)), ret_bytes);
}

unsigned fetch_length(struct vcpu *vcpu, const struct insn_opcode *opcode)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	uint64_t linear = linear_rip(vmcb);
	uint8_t bytes[FETCH_SIZE];
	unsigned length = 0, bits = vmcb_bits(vmcb);

	if (svm_features.next_rip && vmcb->next_rip) {
		return (unsigned)(vmcb->next_rip - vmcb->rip);
	}
	if (hit(vcpu, linear, bytes)) {
		length = insn_length(bytes, FETCH_SIZE, bits, opcode);
	}
	return length ? length
		      : insn_length(bytes, walk(vcpu, linear, bytes), bits, opcode);
}

unsigned fetch_access_length(struct vcpu *vcpu)
{
	struct svm_fetch *fetch = &svm_vcpu(vcpu)->fetch;
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	uint64_t linear = linear_rip(vmcb);
	unsigned bits = vmcb_bits(vmcb);
	size_t size = FETCH_SIZE;
	struct decode_insn insn;
	uint8_t bytes[FETCH_SIZE];

	if (hit(vcpu, linear, bytes)) {
		if (load64(bytes) == fetch->doorbell_bytes && bits == fetch->doorbell_bits) {
			return fetch->doorbell_length;
		}
	} else {
		size = walk(vcpu, linear, bytes);
	}
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
