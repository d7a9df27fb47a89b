/* SPDX-License-Identifier: Apache-2.0 */
/** Decodes the one instruction whose memory access root mode has to carry out.
 *
 *  Only forms that drivers use on device memory: MOV (88-8B, A0-A3, C6, C7), MOVZX, MOVSX, MOVSXD,
 *  STOS, XCHG, and OR, AND, XOR, TEST and CMP with register or immediate. The effective
 *  address is not computed: the hardware reports it. Source: SDM 2A, "Instruction Format".
 */
#ifndef BH_PART_DECODE_H
#define BH_PART_DECODE_H

#include "lib/types.h"

#define DECODE_INSN_MAX 15u

enum decode_op {
	DECODE_LOAD,  /* register <- memory */
	DECODE_STORE, /* memory <- register or immediate */
	DECODE_OR,    /* memory <- memory op source; sets flags */
	DECODE_AND,
	DECODE_XOR,
	DECODE_TEST, /* flags <- memory op source */
	DECODE_CMP,
	DECODE_XCHG, /* register <-> memory */
};

struct decode_insn {
	enum decode_op op;
	uint8_t length;   /* bytes of the instruction */
	uint8_t size;     /* bytes of the memory access: 1, 2, 4, 8 */
	uint8_t reg;      /* register operand */
	uint8_t reg_size; /* bytes of the register written by a load */
	bool reg_high;    /* AH, CH, DH, BH */
	bool sign_extend;
	bool has_imm; /* the source is imm, not reg */
	bool swapped; /* the register is the first operand, and the destination of OR, AND, XOR */
	bool stos;
	bool rep;
	uint64_t imm;
};

/** What stands before the opcode. Source: SDM 2A, "Instruction Prefixes", "REX Prefixes". */
struct decode_prefixes {
	uint8_t rex;
	uint8_t segment; /* the last override, 0: none */
	bool operand, address, lock, rep;
};

/** Reads legacy prefixes and REX. Returns their number, at most size; bits: 16, 32 or 64. */
unsigned decode_prefixes(const uint8_t *bytes, size_t size, unsigned bits,
			 struct decode_prefixes *ret);

/** bits: 16, 32 or 64, of the code segment. -BH_NOSUPP: a form that is not decoded. */
int decode_insn(const uint8_t *bytes, size_t size, unsigned bits, struct decode_insn *ret_insn)
	BH_MUST_CHECK;

#endif
