/* SPDX-License-Identifier: Apache-2.0 */
/** Instruction decoder for accesses to device memory. Input is the guest's and hostile: every byte
 * is bounds-checked, every form that is not listed is refused. */
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

unsigned decode_prefixes(const uint8_t *bytes, size_t size, unsigned bits,
			 struct decode_prefixes *ret)
{
	unsigned at = 0;

	*ret = (struct decode_prefixes){0};
	for (; at < size; at++) {
		uint8_t b = bytes[at];

		if (bits == 64 && (b & 0xf0) == 0x40) {
			ret->rex = b; /* counts only right before the opcode */
			continue;
		}
		switch (b) {
		case 0x66:
			ret->operand = true;
			break;
		case 0x67:
			ret->address = true;
			break;
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
		default:
			return at;
		}
		ret->rex = 0;
	}
	return at;
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

enum {
	FORM_IMM = 1,	  /* immediate of the operand size, at most 4 bytes */
	FORM_IMM8 = 2,	  /* immediate of one byte */
	FORM_SWAPPED = 4, /* register is the first operand */
	FORM_MOFFS = 8,	  /* absolute address, no ModR/M, register A */
	FORM_STOS = 16,	  /* no operand bytes at all, register A */
	FORM_GROUP1 = 32, /* operation in the register field: SDM 2D, "Opcode Extensions" */
	FORM_REG0 = 64,	  /* the register field must be 0 */
	FORM_REG01 = 128, /* or 0 or 1 */
};

/* One-byte opcodes; two in a row where bit 0 selects the operand size. */
static const struct form {
	uint8_t opcode, count, op, flags;
} forms[] = {
	{0x08, 2, DECODE_OR, 0},
	{0x0a, 2, DECODE_OR, FORM_SWAPPED},
	{0x20, 2, DECODE_AND, 0},
	{0x22, 2, DECODE_AND, FORM_SWAPPED},
	{0x30, 2, DECODE_XOR, 0},
	{0x32, 2, DECODE_XOR, FORM_SWAPPED},
	{0x38, 2, DECODE_CMP, 0},
	{0x3a, 2, DECODE_CMP, FORM_SWAPPED},
	{0x63, 1, DECODE_LOAD, 0}, /* MOVSXD; without REX.W a plain load */
	{0x80, 2, 0, FORM_GROUP1 | FORM_IMM},
	{0x83, 1, 0, FORM_GROUP1 | FORM_IMM8},
	{0x84, 2, DECODE_TEST, 0},
	{0x86, 2, DECODE_XCHG, 0},
	{0x88, 2, DECODE_STORE, 0},
	{0x8a, 2, DECODE_LOAD, 0},
	{0xa0, 2, DECODE_LOAD, FORM_MOFFS},
	{0xa2, 2, DECODE_STORE, FORM_MOFFS},
	{0xaa, 2, DECODE_STORE, FORM_STOS},
	{0xc6, 2, DECODE_STORE, FORM_IMM | FORM_REG0},
	{0xf6, 2, DECODE_TEST, FORM_IMM | FORM_REG01},
};

static const struct form *find_form(uint8_t opcode)
{
	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		if ((uint8_t)(opcode - forms[i].opcode) < forms[i].count) {
			return &forms[i];
		}
	}
	return NULL;
}

/* What the register field of ModR/M means besides a register. */
static bool apply_reg_field(struct decode_insn *insn, unsigned flags, unsigned field)
{
	static const uint8_t group1[8] = {[1] = DECODE_OR + 1,
					  [4] = DECODE_AND + 1,
					  [6] = DECODE_XOR + 1,
					  [7] = DECODE_CMP + 1};

	if (flags & FORM_GROUP1) {
		if (!group1[field]) {
			return false;
		}
		insn->op = group1[field] - 1;
	}
	return !((flags & FORM_REG0) && field) && !((flags & FORM_REG01) && field > 1);
}

int decode_insn(const uint8_t *bytes, size_t size, unsigned bits, struct decode_insn *ret_insn)
{
	static const struct form extending = {0, 1, DECODE_LOAD, 0}; /* 0F B6, B7, BE, BF */
	struct cursor c = {.bytes = bytes, .size = MIN(size, DECODE_INSN_MAX)};
	struct decode_prefixes p;
	struct decode_insn insn = {0};
	uint8_t opcode, operand;
	unsigned address_bits;
	const struct form *form;
	bool two_byte;

	c.at = decode_prefixes(bytes, c.size, bits, &p);
	operand = p.rex & 8 ? 8 : (bits == 16) != p.operand ? 2 : 4;
	address_bits = bits == 64 ? 64 : (bits == 16) != p.address ? 16 : 32;
	opcode = next(&c);
	two_byte = opcode == 0x0f;
	if (two_byte) {
		opcode = next(&c);
	}
	form = !two_byte ? find_form(opcode) : (opcode & 0xf6) == 0xb6 ? &extending : NULL;
	if (!form || (opcode == 0x63 && bits != 64)) {
		return -BH_NOSUPP;
	}
	insn.op = form->op;
	insn.rep = p.rep;
	insn.stos = form->flags & FORM_STOS;
	insn.swapped = form->flags & FORM_SWAPPED;
	insn.size = opcode & 1 ? operand : 1;
	if (form->flags & (FORM_MOFFS | FORM_STOS)) {
		next_imm(&c, insn.stos ? 0 : address_bits / 8);
		insn.reg_size = insn.size;
	} else {
		uint8_t modrm = next(&c), reg = (modrm >> 3 & 7) | (p.rex & 4) << 1;

		if (modrm >> 6 == 3 || !apply_reg_field(&insn, form->flags, reg & 7)) {
			return -BH_NOSUPP;
		}
		skip_address(&c, modrm, address_bits);
		if (two_byte || opcode == 0x63) {
			insn.size = opcode == 0x63 ? MIN(operand, 4) : opcode & 1 ? 2 : 1;
			insn.sign_extend = opcode == 0x63 || opcode >= 0xbe;
			insn.reg = reg;
			insn.reg_size = operand;
		} else {
			set_register(&insn, reg, insn.size, p.rex);
		}
	}
	if (form->flags & (FORM_IMM | FORM_IMM8)) {
		unsigned imm_size = form->flags & FORM_IMM8 ? 1 : MIN(insn.size, 4);

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
