/* SPDX-License-Identifier: Apache-2.0 */
/** Port accesses. Source: APM 2, "IOIO Intercepts". */
#include "part/ioreq.h"
#include "part/part.h"
#include "svm/svm.h"

/* The memory operand of INS is at ES:rDI; that of OUTS at DS:rSI, or in the segment of the override. */
static uint64_t operand(struct vcpu *vcpu, bool in, bool *ret_ok)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	const struct {
		uint8_t prefix;
		const struct vmcb_segment *segment;
	} overrides[] = {{0x26, &vmcb->es},
			 {0x2e, &vmcb->cs},
			 {0x36, &vmcb->ss},
			 {0x64, &vmcb->fs},
			 {0x65, &vmcb->gs}};
	const struct vmcb_segment *segment = in ? &vmcb->es : &vmcb->ds;
	unsigned bits = vmcb_bits(vmcb);
	uint64_t offset = vcpu->regs[in ? REG_RDI : REG_RSI];
	struct decode_prefixes prefixes = {0};
	uint8_t bytes[16];

	*ret_ok = true;
	if (!in) {
		size_t size = fetch_bytes(vcpu, bytes);

		*ret_ok = size > 0;
		(void)decode_prefixes(bytes, size, bits, &prefixes);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(overrides); i++) {
		segment = overrides[i].prefix == prefixes.segment ? overrides[i].segment : segment;
	}
	if (bits == 64) {
		return offset + (segment == &vmcb->fs || segment == &vmcb->gs ? segment->base : 0);
	}
	return (segment->base + (bits == 32 ? (uint32_t)offset : (uint16_t)offset)) & 0xffffffff;
}

enum exit_result exit_ioio(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);
	uint64_t info = vmcb->exit_info1;
	struct ioreq_pio pio = {
		.port = (uint16_t)(info >> 16),
		.size = info >> 4 & 7,
		.in = info & IOIO_IN,
		.string = info & IOIO_STRING,
		.rep = (info & IOIO_STRING) && (info & IOIO_REP), /* a prefix of IN counts too */
		.insn_length = (uint8_t)(vmcb->exit_info2 - vmcb->rip),
	};
	bool ok = true;

	if (pio.string) {
		pio.linear = operand(vcpu, pio.in, &ok);
	}
	if (ok) {
		ioreq_pio(vcpu, &pio);
	} else {
		part_stop(vcpu, BH_STOP_FETCH, vmcb->rip);
	}
	return EXIT_RESUME;
}
