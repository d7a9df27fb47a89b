/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-XTS: the standard's numbers, by each library and by the one that is chosen. */
#include "xts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const libraries[] = {"gcrypt", "openssl", NULL};
#define LIBRARY_COUNT 3u

/* IEEE 1619-2007, annex B, "XTS-AES applied for a data unit of 512 bytes", vector 10: key digits of
 * e and pi, unit number ff. */
static const uint8_t key10[XTS_KEY_SIZE] = {
	0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60, 0x28, 0x74,
	0x71, 0x35, 0x26, 0x62, 0x49, 0x77, 0x57, 0x24, 0x70, 0x93, 0x69, 0x99, 0x59,
	0x57, 0x49, 0x66, 0x96, 0x76, 0x27, 0x31, 0x41, 0x59, 0x26, 0x53, 0x58, 0x97,
	0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95, 0x02, 0x88, 0x41, 0x97,
	0x16, 0x93, 0x99, 0x37, 0x51, 0x05, 0x82, 0x09, 0x74, 0x94, 0x45, 0x92,
};
static const uint8_t begin10[16] = {0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86,
				    0xe4, 0x83, 0x6c, 0x99, 0xe3, 0x70, 0xcf, 0x9b};

/* Each library gives the ciphertext of the standard. */
static void encrypt_gives_the_numbers_of_the_standard(void **state)
{
	uint8_t plain[512], out[512];
	struct xts *xts;

	for (unsigned i = 0; i < sizeof(plain); i++) {
		plain[i] = (uint8_t)i;
	}
	for (unsigned i = 0; i < LIBRARY_COUNT; i++) {
		assert_int_equal(xts_open(libraries[i], key10, &xts), 0);
		assert_int_equal(xts->ops->encrypt(xts, out, plain, 512, 512, 0xff), 0);
		assert_memory_equal(out, begin10, sizeof(begin10));
		assert_int_equal(xts->ops->decrypt(xts, out, out, 512, 512, 0xff), 0);
		assert_memory_equal(out, plain, sizeof(plain));
		xts_close(xts);
	}
}

/* A run is its sectors one by one: the tweak grows by 8 with each 4 KiB. */
static void run_equals_single_sectors(void **state)
{
	static uint8_t plain[8 * 4096], one[8 * 4096], run[8 * 4096];
	struct xts *xts;

	for (unsigned i = 0; i < sizeof(plain); i++) {
		plain[i] = (uint8_t)(i * 31 + i / 256);
	}
	for (unsigned i = 0; i < LIBRARY_COUNT; i++) {
		assert_int_equal(xts_open(libraries[i], key10, &xts), 0);
		assert_int_equal(
			xts->ops->encrypt(xts, run, plain, sizeof(plain), 4096, 1ull << 40), 0);
		for (unsigned s = 0; s < 8; s++) {
			assert_int_equal(xts->ops->encrypt(xts, one + s * 4096, plain + s * 4096,
							   4096, 4096, (1ull << 40) + 8 * s),
					 0);
		}
		assert_memory_equal(run, one, sizeof(run));
		assert_int_equal(xts->ops->decrypt(xts, one, run, sizeof(run), 4096, 1ull << 40),
				 0);
		assert_memory_equal(one, plain, sizeof(one));
		xts_close(xts);
	}
}

/* Libraries agree, in 512-byte and in 4 KiB sectors. */
static void libraries_agree(void **state)
{
	static uint8_t plain[4096], a[4096], b[4096];
	struct xts *x, *y;

	assert_int_equal(xts_open("gcrypt", key10, &x), 0);
	assert_int_equal(xts_open("openssl", key10, &y), 0);
	for (uint32_t sector = 512; sector <= 4096; sector *= 8) {
		assert_int_equal(x->ops->encrypt(x, a, plain, 4096, sector, 77), 0);
		assert_int_equal(y->ops->encrypt(y, b, plain, 4096, sector, 77), 0);
		assert_memory_equal(a, b, sizeof(a));
	}
	xts_close(x);
	xts_close(y);
}

/* An unknown library and a key of equal halves are refused. */
static void open_refuses_bad_key_and_name(void **state)
{
	static const uint8_t weak[XTS_KEY_SIZE];
	struct xts *xts = NULL;

	assert_int_equal(xts_open("none", key10, &xts), -ENOENT);
	assert_int_equal(xts_open(NULL, weak, &xts), -EINVAL);
	assert_null(xts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encrypt_gives_the_numbers_of_the_standard),
		cmocka_unit_test(run_equals_single_sectors),
		cmocka_unit_test(libraries_agree),
		cmocka_unit_test(open_refuses_bad_key_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
