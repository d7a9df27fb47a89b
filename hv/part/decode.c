/* SPDX-License-Identifier: Apache-2.0 */
/** Instruction decoder for accesses to device memory. Input is the guest's and hostile: every byte is
 *  bounds-checked, every form that is not listed is refused. */
#include "part/decode.h"

#include "lib/string.h"

struct cursor {
	const uint8_t *bytes;
	size_t size, at;
	bool overrun;
};

static uint8_t next(struct cursor *c)
{
	if (c->at >= c->size) {
		c->overrun = true;
		return 0;
	}
	return c->bytes[c->at++];
}

static uint64_t next_imm(struct cursor *c, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)next(c) << (8 * i);
	}
	return value;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* SDM 2A, "ModR/M and SIB Bytes": skips what belongs to the address. */
static void skip_address(struct cursor *c, uint8_t modrm, unsigned address_bits)
{
	unsigned mod = modrm >> 6, rm = modrm & 7;

	if (address_bits == 16) {
		if (mod == 2 || (mod == 0 && rm == 6)) {
			next_imm(c, 2);
		} else if (mod == 1) {
			next(c);
		}
		return;
	}
	if (rm == 4) {
		uint8_t sib = next(c);

		if (mod == 0 && (sib & 7) == 5) {
			next_imm(c, 4);
		}
	}
	if (mod == 2 || (mod == 0 && rm == 5)) {
		next_imm(c, 4);
	} else if (mod == 1) {
		next(c);
	}
}

struct prefixes {
	bool operand16, address, rep;
	uint8_t rex;
};

static uint8_t read_prefixes(struct cursor *c, unsigned bits, struct prefixes *p)
{
	for (;;) {
		uint8_t b = next(c);

		switch (b) {
		case 0x66:
			p->operand16 = true;
			break;
		case 0x67:
			p->address = true;
			break;
		case 0xf3:
		case 0xf2:
			p->rep = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0xf0:
			break;
		default:
			if (bits == 64 && (b & 0xf0) == 0x40) {
				p->rex = b;
				return next(c);
			}
			return b;
		}
		if (c->overrun) {
			return 0;
		}
	}
}

static void set_register(struct decode_insn *insn, uint8_t reg, uint8_t size, uint8_t rex)
{
	insn->reg = reg;
	insn->reg_size = size;
	if (size == 1 && !rex && reg >= 4) {
		insn->reg = reg - 4;
		insn->reg_high = true;
	}
}

int decode_insn(const uint8_t *bytes, size_t size, unsigned bits, struct decode_insn *ret_insn)
{
	struct cursor c = {.bytes = bytes, .size = MIN(size, DECODE_INSN_MAX)};
	struct prefixes p = {0};
	struct decode_insn insn = {0};
	uint8_t opcode = read_prefixes(&c, bits, &p);
	unsigned operand = (p.rex & 8)			? 8
			   : (bits == 16) != p.operand16 ? 2
							 : 4;
	unsigned address_bits = bits == 64 ? 64
				: (bits == 16) != p.address ? 16
							    : 32;
	unsigned imm_size = 0;
	uint8_t modrm, reg, width;
	bool has_modrm = true, two_byte = opcode == 0x0f;

	if (two_byte) {
		opcode = next(&c);
	}
	width = (uint8_t)((opcode & 1) ? operand : 1);
	insn.rep = p.rep;
	if (two_byte) {
		if ((opcode & 0xf6) != 0xb6) { /* B6 B7 BE BF */
			return -BH_NOSUPP;
		}
		insn.op = DECODE_LOAD;
		insn.size = (opcode & 1) ? 2 : 1;
		insn.sign_extend = opcode >= 0xbe;
	} else {
		insn.size = width;
		switch (opcode) {
		case 0x88:
		case 0x89:
		case 0xa2:
		case 0xa3:
			insn.op = DECODE_STORE;
			break;
		case 0x8a:
		case 0x8b:
		case 0xa0:
		case 0xa1:
			insn.op = DECODE_LOAD;
			break;
		case 0xaa:
		case 0xab:
			insn.op = DECODE_STORE;
			insn.stos = true;
			break;
		case 0xc6:
		case 0xc7:
			insn.op = DECODE_STORE;
			imm_size = MIN(width, 4);
			break;
		case 0x63: /* MOVSXD; without REX.W a plain load */
			if (bits != 64) {
				return -BH_NOSUPP;
			}
			insn.op = DECODE_LOAD;
			insn.size = (uint8_t)MIN(operand, 4);
			insn.sign_extend = true;
			break;
		case 0x86:
		case 0x87:
			insn.op = DECODE_XCHG;
			break;
		case 0x08:
		case 0x09:
		case 0x0a:
		case 0x0b:
			insn.op = DECODE_OR;
			insn.swapped = opcode & 2;
			break;
		case 0x20:
		case 0x21:
		case 0x22:
		case 0x23:
			insn.op = DECODE_AND;
			insn.swapped = opcode & 2;
			break;
		case 0x30:
		case 0x31:
		case 0x32:
		case 0x33:
			insn.op = DECODE_XOR;
			insn.swapped = opcode & 2;
			break;
		case 0x38:
		case 0x39:
			insn.op = DECODE_CMP;
			break;
		case 0x3a:
		case 0x3b:
			insn.op = DECODE_CMP;
			insn.swapped = true;
			break;
		case 0x84:
		case 0x85:
			insn.op = DECODE_TEST;
			break;
		case 0x80:
		case 0x81:
			imm_size = MIN(width, 4);
			break;
		case 0x83:
			imm_size = 1;
			break;
		case 0xf6:
		case 0xf7:
			insn.op = DECODE_TEST;
			imm_size = MIN(width, 4);
			break;
		default:
			return -BH_NOSUPP;
		}
		has_modrm = (opcode & 0xf0) != 0xa0;
	}
	if (has_modrm) {
		modrm = next(&c);
		if (modrm >> 6 == 3) {
			return -BH_NOSUPP;
		}
		reg = (modrm >> 3 & 7) | (p.rex & 4) << 1;
		skip_address(&c, modrm, address_bits);
		switch (two_byte ? 0 : opcode) {
		case 0x80:
		case 0x81:
		case 0x83:
			/* Group 1, SDM 2D "Opcode Extensions". */
			switch (reg & 7) {
			case 1:
				insn.op = DECODE_OR;
				break;
			case 4:
				insn.op = DECODE_AND;
				break;
			case 6:
				insn.op = DECODE_XOR;
				break;
			case 7:
				insn.op = DECODE_CMP;
				break;
			default:
				return -BH_NOSUPP;
			}
			break;
		case 0xc6:
		case 0xc7:
			if (reg & 7) {
				return -BH_NOSUPP;
			}
			break;
		case 0xf6:
		case 0xf7:
			if ((reg & 7) > 1) {
				return -BH_NOSUPP;
			}
			break;
		default:
			break;
		}
		bool extends = two_byte || opcode == 0x63;

		if (extends) {
			insn.reg = reg;
			insn.reg_size = (uint8_t)operand;
		} else {
			set_register(&insn, reg, insn.size, p.rex);
		}
	} else {
		if (!insn.stos) {
			next_imm(&c, address_bits / 8);
		}
		set_register(&insn, 0, insn.size, p.rex);
	}
	if (imm_size) {
		insn.has_imm = true;
		insn.imm = sign_extend(next_imm(&c, imm_size), imm_size);
	}
	if (c.overrun) {
		return -BH_NOSUPP;
	}
	insn.length = (uint8_t)c.at;
	*ret_insn = insn;
	return 0;
}
