/* SPDX-License-Identifier: Apache-2.0 */
/** How long an instruction is that is known but for its prefixes: a CPU that does not save the next RIP says
 *  only what it was. Source: APM 3, "Instruction Encoding". */
#ifndef SVM_INSN_LENGTH_H
#define SVM_INSN_LENGTH_H

#include "lib/types.h"

#define INSN_LENGTH_MAX 15u

/** The bytes after the prefixes; size 0: any instruction, its length is not asked for. */
struct insn_opcode {
	uint8_t size;
	uint8_t bytes[3];
};

struct insn_prefixes {
	uint8_t rex;
	uint8_t segment; /* the last override, 0: none */
	bool lock;
	bool rep;
};

/** Reads legacy prefixes and REX. Returns their number, at most size; bits: 16, 32 or 64. */
unsigned insn_prefixes(const uint8_t *bytes, size_t size, unsigned bits, struct insn_prefixes *ret);

/** Length of the instruction at `bytes` if it is this one, else 0. */
unsigned insn_length(const uint8_t *bytes, size_t size, unsigned bits, const struct insn_opcode *opcode);

#endif
