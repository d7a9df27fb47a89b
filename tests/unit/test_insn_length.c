/* SPDX-License-Identifier: Apache-2.0 */
/** The length of an instruction that is known but for its prefixes. */
#include "svm/insn_length.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct insn_opcode cpuid = {2, 0xa20f}, hlt = {1, 0xf4}, vmmcall = {3, 0xd9010f};

static unsigned length(const char *bytes, size_t size, unsigned bits, const struct insn_opcode *opcode)
{
	return insn_length((const uint8_t *)bytes, size, bits, opcode);
}

/* Without prefixes the length is that of the opcode. */
static void insn_length_is_that_of_the_opcode(void **state)
{
	(void)state;
	assert_int_equal(length("\x0f\xa2\x90", 3, 64, &cpuid), 2);
	assert_int_equal(length("\xf4", 1, 16, &hlt), 1);
	assert_int_equal(length("\x0f\x01\xd9", 3, 32, &vmmcall), 3);
}

/* Every legacy prefix counts, also twice. */
static void insn_length_counts_prefixes(void **state)
{
	(void)state;
	assert_int_equal(length("\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65\xf0\x0f\xa2", 13, 32, &cpuid), 13);
	assert_int_equal(length("\x66\x66\x0f\xa2", 4, 16, &cpuid), 4);
}

/* REX is a prefix in 64-bit mode only; elsewhere it is INC or DEC. */
static void insn_length_knows_rex_in_64_bit_mode(void **state)
{
	(void)state;
	assert_int_equal(length("\x48\x0f\xa2", 3, 64, &cpuid), 3);
	assert_int_equal(length("\x48\x0f\xa2", 3, 32, &cpuid), 0);
}

/* Another instruction has no length here. */
static void insn_length_refuses_another_instruction(void **state)
{
	(void)state;
	assert_int_equal(length("\x0f\xa3\x00", 3, 64, &cpuid), 0);
	assert_int_equal(length("\x90\x0f\xa2", 3, 64, &cpuid), 0);
	assert_int_equal(length("\x0f\x01\xd8", 3, 64, &vmmcall), 0);
}

/* Bytes that are not there, and those behind the 15th, belong to no instruction. */
static void insn_length_ends_with_its_bytes(void **state)
{
	char bytes[17];

	(void)state;
	assert_int_equal(length("\x0f", 1, 64, &cpuid), 0);
	assert_int_equal(length("", 0, 64, &hlt), 0);
	assert_int_equal(length("\x66\x66", 2, 64, &hlt), 0);
	memset(bytes, 0x66, sizeof(bytes));
	memcpy(bytes + 13, "\x0f\xa2", 2);
	assert_int_equal(length(bytes, 16, 64, &cpuid), 15);
	memset(bytes, 0x66, sizeof(bytes));
	memcpy(bytes + 14, "\x0f\xa2", 2);
	assert_int_equal(length(bytes, 16, 64, &cpuid), 0);
}

/* The last override of the segment and the REX right before the opcode are the ones that count. */
static void decode_prefixes_tells_which_count(void **state)
{
	struct decode_prefixes p;

	(void)state;
	assert_int_equal(decode_prefixes((const uint8_t *)"\x2e\x64\x4c\x0f", 4, 64, &p), 3);
	assert_int_equal(p.segment, 0x64);
	assert_int_equal(p.rex, 0x4c);
	assert_int_equal(decode_prefixes((const uint8_t *)"\x4c\x2e\x0f", 3, 64, &p), 2);
	assert_int_equal(p.rex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insn_length_is_that_of_the_opcode),
		cmocka_unit_test(insn_length_counts_prefixes),
		cmocka_unit_test(insn_length_knows_rex_in_64_bit_mode),
		cmocka_unit_test(insn_length_refuses_another_instruction),
		cmocka_unit_test(insn_length_ends_with_its_bytes),
		cmocka_unit_test(decode_prefixes_tells_which_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
