/* SPDX-License-Identifier: Apache-2.0 */
/** The bytes are the guest's and hostile: each is looked at once, none behind `size`. */
#include "svm/insn_length.h"

unsigned insn_length(const uint8_t *bytes, size_t size, unsigned bits, const struct insn_opcode *opcode)
{
	struct decode_prefixes prefixes;
	unsigned at = decode_prefixes(bytes, size, bits, &prefixes), length = at + opcode->size;
	uint32_t word = 0;

	if (length > MIN(size, DECODE_INSN_MAX)) {
		return 0;
	}
	for (unsigned i = 0; i < opcode->size; i++) {
		word |= (uint32_t)bytes[at + i] << (8 * i);
	}
	return insn_opcode_is(opcode, word) ? length : 0;
}
