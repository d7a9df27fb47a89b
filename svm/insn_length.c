/* SPDX-License-Identifier: Apache-2.0 */
/** The bytes are the guest's and hostile: each is looked at once, none behind `size`. */
#include "svm/insn_length.h"

unsigned insn_prefixes(const uint8_t *bytes, size_t size, unsigned bits, struct insn_prefixes *ret)
{
	unsigned at = 0;

	*ret = (struct insn_prefixes){0};
	for (; at < size; at++) {
		uint8_t b = bytes[at];

		if (bits == 64 && (b & 0xf0) == 0x40) {
			ret->rex = b; /* counts only right before the opcode */
			continue;
		}
		switch (b) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			ret->segment = b;
			break;
		case 0xf0:
			ret->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			ret->rep = true;
			break;
		case 0x66:
		case 0x67:
			break;
		default:
			return at;
		}
		ret->rex = 0;
	}
	return at;
}

unsigned insn_length(const uint8_t *bytes, size_t size, unsigned bits, const struct insn_opcode *opcode)
{
	struct insn_prefixes prefixes;
	unsigned at = insn_prefixes(bytes, size, bits, &prefixes), length = at + opcode->size;
	uint32_t word = 0;

	if (length > MIN(size, INSN_LENGTH_MAX)) {
		return 0;
	}
	for (unsigned i = 0; i < opcode->size; i++) {
		word |= (uint32_t)bytes[at + i] << (8 * i);
	}
	return insn_opcode_is(opcode, word) ? length : 0;
}
