/* SPDX-License-Identifier: Apache-2.0 */
/** What decode_insn makes of the instructions that touch device memory, and what it refuses. */
#include "part/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define DECODE(bits, ret, ...)                                                                     \
	decode_insn((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), bits,  \
		    ret)

/* MOV r32, m32 loads four bytes into the register of the ModR/M byte. */
static void decode_reads_load(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x8b, 0x47, 0x14), 0); /* mov 0x14(%rdi), %eax */
	assert_int_equal(insn.op, DECODE_LOAD);
	assert_int_equal(insn.size, 4);
	assert_int_equal(insn.reg, 0);
	assert_int_equal(insn.reg_size, 4);
	assert_int_equal(insn.length, 3);
}

/* REX.R selects the upper registers, REX.W makes the access 8 bytes. */
static void decode_reads_rex(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x4c, 0x89, 0x00), 0); /* mov %r8, (%rax) */
	assert_int_equal(insn.op, DECODE_STORE);
	assert_int_equal(insn.size, 8);
	assert_int_equal(insn.reg, 8);
}

/* Without REX the byte registers 4..7 are AH, CH, DH, BH; with REX they are SPL, BPL, SIL, DIL. */
static void decode_tells_high_byte_registers(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x88, 0x20), 0); /* mov %ah, (%rax) */
	assert_true(insn.reg_high);
	assert_int_equal(insn.reg, 0);
	assert_int_equal(DECODE(64, &insn, 0x40, 0x88, 0x20), 0); /* mov %spl, (%rax) */
	assert_false(insn.reg_high);
	assert_int_equal(insn.reg, 4);
}

/* MOVZX and MOVSX read less than they write. */
static void decode_reads_extending_loads(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x0f, 0xb7, 0x50, 0x10),
			 0); /* movzwl 0x10(%rax), %edx */
	assert_int_equal(insn.size, 2);
	assert_int_equal(insn.reg_size, 4);
	assert_int_equal(insn.reg, 2);
	assert_false(insn.sign_extend);
	assert_int_equal(DECODE(64, &insn, 0x48, 0x0f, 0xbe, 0x00), 0); /* movsbq (%rax), %rax */
	assert_true(insn.sign_extend);
	assert_int_equal(insn.reg_size, 8);
}

/* An immediate is sign-extended to the operand size, and its bytes count. */
static void decode_reads_immediates(void **state)
{
	struct decode_insn insn;

	(void)state;
	/* movq $-1, 0x8(%rax,%rbx,4) */
	assert_int_equal(DECODE(64, &insn, 0x48, 0xc7, 0x44, 0x98, 0x08, 0xff, 0xff, 0xff, 0xff),
			 0);
	assert_int_equal(insn.length, 9);
	assert_int_equal(insn.size, 8);
	assert_true(insn.has_imm);
	assert_true(insn.imm == UINT64_MAX);
}

/* 16-bit code has 16-bit operands and addresses unless prefixed. */
static void decode_follows_code_size(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(16, &insn, 0x89, 0x06, 0x34, 0x12), 0); /* mov %ax, 0x1234 */
	assert_int_equal(insn.size, 2);
	assert_int_equal(insn.length, 4);
	assert_int_equal(DECODE(16, &insn, 0x66, 0x67, 0x89, 0x03), 0); /* mov %eax, (%ebx) */
	assert_int_equal(insn.size, 4);
	assert_int_equal(insn.length, 4);
}

/* RIP-relative and absolute addresses carry four bytes of displacement. */
static void decode_skips_displacements(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x8b, 0x05, 1, 2, 3, 4), 0); /* mov x(%rip), %eax */
	assert_int_equal(insn.length, 6);
	assert_int_equal(DECODE(64, &insn, 0x8b, 0x04, 0x25, 1, 2, 3, 4), 0); /* mov x, %eax */
	assert_int_equal(insn.length, 7);
}

/* Register operands, forms that are not listed and cut-off bytes are refused. */
static void decode_refuses_the_rest(void **state)
{
	struct decode_insn insn;

	(void)state;
	assert_int_equal(DECODE(64, &insn, 0x8b, 0xc0), -BH_NOSUPP);	   /* mov %eax, %eax */
	assert_int_equal(DECODE(64, &insn, 0x0f, 0x11, 0x00), -BH_NOSUPP); /* movups */
	assert_int_equal(DECODE(64, &insn, 0xff, 0x00), -BH_NOSUPP);	   /* incl (%rax) */
	assert_int_equal(DECODE(64, &insn, 0x8b), -BH_NOSUPP);
	assert_int_equal(DECODE(64, &insn, 0x66, 0x66, 0x66, 0x66), -BH_NOSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_reads_load),
		cmocka_unit_test(decode_reads_rex),
		cmocka_unit_test(decode_tells_high_byte_registers),
		cmocka_unit_test(decode_reads_extending_loads),
		cmocka_unit_test(decode_reads_immediates),
		cmocka_unit_test(decode_follows_code_size),
		cmocka_unit_test(decode_skips_displacements),
		cmocka_unit_test(decode_refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
