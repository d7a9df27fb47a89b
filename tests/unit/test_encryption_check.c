/* SPDX-License-Identifier: Apache-2.0 */
/* Plaintext on a disk that should be encrypted is found; ciphertext is not taken for it. */
#include "encryption_check.h"
#include "fakes/memory_layer.h"
#include "luks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE (8u << 20)

static struct memory_layer *memory;
static struct encryption_report report;
static struct why why;

static int setup(void **state)
{
	static const uint8_t key[XTS_KEY_SIZE] = {1, 2, 3};
	struct xts *xts;
	int rc;

	memory = memory_layer_create(SIZE);
	memcpy(memory->bytes, "LUKS\xba\xbe\0\2", 8);
	rc = xts_open(NULL, key, &xts);
	if (rc == 0) {
		uint8_t *data = memory->bytes + LUKS_HEADER_SIZE;

		rc = xts->ops->encrypt(xts, data, data, SIZE / 2, XTS_SECTOR, 0);
		xts_close(xts);
	}
	return rc;
}

static int teardown(void **state)
{
	return layer_close(&memory->layer);
}

/* A header and noise pass, and what was never written is not looked at. */
static void noise_passes(void **state)
{
	assert_int_equal(encryption_check(&memory->layer, false, NULL, &report, &why), 0);
	assert_true(report.has_header);
	assert_int_equal(report.looked_count, SIZE / 2 / 4096);
	assert_int_equal(report.plain_count, 0);
}

/* One sector of text among noise is found and named by its place. */
static void one_plain_sector_is_found(void **state)
{
	memset(memory->bytes + (3u << 20) + 8192, 'a', 4096);
	assert_int_equal(encryption_check(&memory->layer, false, NULL, &report, &why),
			 -EKEYREJECTED);
	assert_int_equal(report.plain_count, 1);
	assert_int_equal(report.first_plain, (3u << 20) + 8192);
	assert_non_null(strstr(why.text, "1 of 1024 sectors"));
}

/* A file system's mark is found where all else is noise. */
static void mark_of_a_file_system_is_found(void **state)
{
	memcpy(memory->bytes + LUKS_HEADER_SIZE + 3, "NTFS    ", 8);
	assert_int_equal(encryption_check(&memory->layer, true, NULL, &report, &why),
			 -EKEYREJECTED);
	assert_string_equal(report.first_plain_is, "NTFS");
}

/* Without header it is not encrypted, even when empty. */
static void missing_header_is_found(void **state)
{
	memset(memory->bytes, 0, SIZE);
	assert_int_equal(encryption_check(&memory->layer, true, NULL, &report, &why),
			 -EKEYREJECTED);
	assert_string_equal(why.text, "the disk has no LUKS2 header");
}

/* A sector that a power cut left half written is noise and zeros, and passes. */
static void torn_sector_passes(void **state)
{
	memset(memory->bytes + LUKS_HEADER_SIZE + 1024, 0, 2048);
	assert_int_equal(encryption_check(&memory->layer, false, NULL, &report, &why), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(noise_passes),
		T(one_plain_sector_is_found),
		T(mark_of_a_file_system_is_found),
		T(missing_header_is_found),
		T(torn_sector_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
