/* SPDX-License-Identifier: Apache-2.0 */
/** Instruction bytes of any content: the first byte chooses the code size and the instruction looked for. */
#include <stdlib.h>
#include <string.h>

#include "part/decode.h"
#include "svm/insn_length.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned bits[] = {16, 32, 64};
	static const struct insn_opcode opcodes[] = {{2, 0xa20f}, {1, 0xf4}, {3, 0xd9010f}};
	const struct insn_opcode *opcode;
	unsigned length;

	if (size < 1) {
		return 0;
	}
	opcode = &opcodes[data[0] / 3 % 3];
	length = insn_length(data + 1, size - 1, bits[data[0] % 3], opcode);
	/* What it found ends with the opcode, within the bytes and the limit. */
	if (length && (length > size - 1 || length > DECODE_INSN_MAX ||
		       memcmp(data + 1 + length - opcode->size, &opcode->bytes, opcode->size) != 0)) {
		abort();
	}
	return 0;
}
