/* SPDX-License-Identifier: Apache-2.0 */
/** Instruction bytes of any content: the first byte chooses the code size. */
#include <stdlib.h>

#include "part/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned bits[] = {16, 32, 64};
	struct decode_insn insn;

	if (size < 1 || decode_insn(data + 1, size - 1, bits[data[0] % 3], &insn) != 0) {
		return 0;
	}
	/* What comes out fits the bytes, the registers and the sizes that the rest relies on. */
	if (insn.length == 0 || insn.length > size - 1 || insn.length > DECODE_INSN_MAX ||
	    insn.reg > 15 || insn.op > DECODE_XCHG || insn.size == 0 || insn.size > 8 ||
	    (insn.size & (insn.size - 1)) != 0 || insn.reg_size > 8) {
		abort();
	}
	return 0;
}
