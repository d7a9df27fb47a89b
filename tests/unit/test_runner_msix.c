/* SPDX-License-Identifier: Apache-2.0 */
/* The MSI-X table and pending bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "msix.h"

static struct msix msix;

static int setup(void **state)
{
	msix_init(&msix, 3);
	return 0;
}

/* After reset every vector is masked and none can be delivered. */
static void msix_starts_masked(void **state)
{
	msix.enabled = true;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(msix_table_read(&msix, 16 * i + 12, 4), 1);
		assert_false(msix_deliverable(&msix, i));
	}
}

/* Entries can be written by 4 and by 8 bytes and read back; the low address bits stay 0. */
static void msix_entries_read_back(void **state)
{
	msix_table_write(&msix, 16, 8, 0x1fee00003ull);
	msix_table_write(&msix, 24, 4, 0x31);
	msix_table_write(&msix, 28, 4, 0xfffffffe);
	assert_true(msix_table_read(&msix, 16, 8) == 0x1fee00000ull);
	assert_int_equal(msix_table_read(&msix, 24, 4), 0x31);
	assert_int_equal(msix_table_read(&msix, 28, 4), 0);
}

/* Accesses outside the table, unaligned, or of 1 and 2 bytes do nothing. */
static void msix_refuses_odd_accesses(void **state)
{
	msix_table_write(&msix, 48, 4, 5);
	msix_table_write(&msix, 12, 1, 0);
	msix_table_write(&msix, 14, 4, 0);
	assert_int_equal(msix_table_read(&msix, 12, 4), 1);
	assert_int_equal(msix_table_read(&msix, 48, 4), 0);
	assert_int_equal(msix_table_read(&msix, 1ull << 40, 4), 0);
	assert_int_equal(msix_pba_read(&msix, 16, 8), 0);
}

/* Enable bit, function mask and vector mask all have to allow a vector. */
static void msix_delivers_only_when_all_allow(void **state)
{
	msix_table_write(&msix, 12, 4, 0);
	assert_false(msix_deliverable(&msix, 0));
	msix.enabled = true;
	assert_true(msix_deliverable(&msix, 0));
	msix.masked = true;
	assert_false(msix_deliverable(&msix, 0));
	assert_false(msix_deliverable(&msix, 3));
	assert_false(msix_deliverable(&msix, MSIX_NO_VECTOR));
}

/* A pending bit shows in the array and is taken once, when its vector can be delivered. */
static void msix_pending_is_taken_once(void **state)
{
	msix.enabled = true;
	msix.pending[2] = true;
	assert_int_equal(msix_pba_read(&msix, 0, 4), 4);
	assert_false(msix_take_pending(&msix, 2));
	msix_table_write(&msix, 32 + 12, 4, 0);
	assert_true(msix_take_pending(&msix, 2));
	assert_false(msix_take_pending(&msix, 2));
	assert_int_equal(msix_pba_read(&msix, 0, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(msix_starts_masked, setup),
		cmocka_unit_test_setup(msix_entries_read_back, setup),
		cmocka_unit_test_setup(msix_refuses_odd_accesses, setup),
		cmocka_unit_test_setup(msix_delivers_only_when_all_allow, setup),
		cmocka_unit_test_setup(msix_pending_is_taken_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
