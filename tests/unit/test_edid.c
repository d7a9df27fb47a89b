/* SPDX-License-Identifier: Apache-2.0 */
/* The EDID says what a guest's parser reads back. */
#include "edid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Active pixels of the first detailed timing. */
static unsigned timing_width(const uint8_t *edid)
{
	return edid[54 + 2] | (edid[54 + 4] & 0xf0u) << 4;
}

static unsigned timing_height(const uint8_t *edid)
{
	return edid[54 + 5] | (edid[54 + 7] & 0xf0u) << 4;
}

/* Header and checksum are right. */
static void edid_make_is_well_formed(void **state)
{
	static const uint8_t header[8] = {0, 255, 255, 255, 255, 255, 255, 0};
	uint8_t edid[EDID_SIZE];
	unsigned sum = 0;

	assert_true(edid_make(1024, 736, edid));
	assert_memory_equal(edid, header, sizeof(header));
	for (unsigned i = 0; i < EDID_SIZE; i++) {
		sum += edid[i];
	}
	assert_int_equal(sum % 256, 0);
	assert_int_equal(edid[126], 0); /* no extension follows */
}

/* The preferred mode has the size that was asked for, at about 60 Hz. */
static void edid_make_prefers_size(void **state)
{
	static const uint32_t sizes[][2] = {{1024, 736},  {640, 480},  {1920, 1080},
					    {3840, 2160}, {1366, 768}, {333, 777}};
	uint8_t edid[EDID_SIZE];

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned clock, total;

		assert_true(edid_make(sizes[i][0], sizes[i][1], edid));
		assert_int_equal(timing_width(edid), sizes[i][0]);
		assert_int_equal(timing_height(edid), sizes[i][1]);
		clock = (edid[54] | (unsigned)edid[55] << 8) * 10000u;
		total = (sizes[i][0] + (edid[57] | (edid[58] & 15u) << 8)) *
			(sizes[i][1] + (edid[60] | (edid[61] & 15u) << 8));
		assert_in_range(clock / (total / 100), 5900, 6000);
	}
}

/* What the format cannot say is refused. */
static void edid_make_refuses_other_sizes(void **state)
{
	uint8_t edid[EDID_SIZE];

	assert_false(edid_make(0, 768, edid));
	assert_false(edid_make(4096, 768, edid));
	assert_false(edid_make(1024, 8192, edid));
	assert_false(edid_make(4095, 4095, edid)); /* pixel clock */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edid_make_is_well_formed),
		cmocka_unit_test(edid_make_prefers_size),
		cmocka_unit_test(edid_make_refuses_other_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
