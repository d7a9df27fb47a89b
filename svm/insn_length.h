/* SPDX-License-Identifier: Apache-2.0 */
/** How long an instruction is that is known but for its prefixes: a CPU that does not save the next RIP says
 *  only what it was. Source: APM 3, "Instruction Encoding". */
#ifndef SVM_INSN_LENGTH_H
#define SVM_INSN_LENGTH_H

#include "part/decode.h"

/** The bytes after the prefixes, at most 3, the first one lowest; size 0: any instruction, its length is not
 *  asked for. */
struct insn_opcode {
	uint8_t size;
	uint32_t bytes;
};

/** The word, read where an instruction begins, is this one without prefixes. */
static inline bool insn_opcode_is(const struct insn_opcode *opcode, uint32_t word)
{
	return ((word ^ opcode->bytes) << (32 - 8 * opcode->size)) == 0;
}

/** Length of the instruction at `bytes` if it is this one, else 0. */
unsigned insn_length(const uint8_t *bytes, size_t size, unsigned bits, const struct insn_opcode *opcode);

#endif
