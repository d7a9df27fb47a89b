/* SPDX-License-Identifier: Apache-2.0 */
/** Damage lists: short, and never smaller than what was added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/core/damage.h"

static bool covers(const struct damage *d, int32_t x, int32_t y)
{
	for (unsigned i = 0; i < d->count; i++) {
		if (rect_contains(d->list[i], (struct rect){x, y, 1, 1})) {
			return true;
		}
	}
	return false;
}

/* What lies in a rectangle of the list adds nothing. */
static void damage_add_keeps_list_when_covered(void **state)
{
	struct damage d = {0};

	damage_add(&d, (struct rect){0, 0, 100, 100});
	damage_add(&d, (struct rect){10, 10, 20, 20});
	assert_int_equal(d.count, 1);
	assert_int_equal(d.list[0].w, 100);
}

/* Two far corners stay two rectangles: the screen between them is not drawn. */
static void damage_add_keeps_far_ones_apart(void **state)
{
	struct damage d = {0};

	damage_add(&d, (struct rect){0, 0, 10, 10});
	damage_add(&d, (struct rect){1000, 700, 10, 10});
	assert_int_equal(d.count, 2);
}

/* Lines that follow each other, as text and scrolling make them, become one. */
static void damage_add_joins_neighbours(void **state)
{
	struct damage d = {0};

	for (int32_t y = 0; y < 736; y += 16) {
		damage_add(&d, (struct rect){0, y, 1024, 16});
	}
	assert_int_equal(d.count, 1);
	assert_int_equal(d.list[0].h, 736);
}

/* Empty rectangles are not kept. */
static void damage_add_ignores_empty(void **state)
{
	struct damage d = {0};

	damage_add(&d, (struct rect){5, 5, 0, 10});
	damage_add(&d, (struct rect){5, 5, 10, -1});
	assert_int_equal(d.count, 0);
}

/* However many are added, the list stays short and covers each of them. */
static void damage_add_covers_all_of_a_flood(void **state)
{
	struct damage d = {0};
	uint32_t seed = 1;

	for (int i = 0; i < 500; i++) {
		seed = seed * 1664525u + 1013904223u;
		int32_t x = (int32_t)(seed >> 16) % 1000, y = (int32_t)(seed >> 8) % 700;

		x = x < 0 ? -x : x;
		y = y < 0 ? -y : y;
		damage_add(&d, (struct rect){x, y, 7, 9});
		assert_true(d.count <= DAMAGE_RECTS_MAX);
		assert_true(covers(&d, x, y));
		assert_true(covers(&d, x + 6, y + 8));
	}
}

/* Intersections do not wrap, whatever the numbers. */
static void rect_intersect_survives_extremes(void **state)
{
	struct rect all = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
	struct rect far = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
	struct rect screen = {0, 32, 1024, 736};

	assert_true(rect_empty(rect_intersect(all, screen)));
	assert_true(rect_empty(rect_intersect(far, screen)));
	struct rect wide = {-1, 0, INT32_MAX, INT32_MAX}, cut = rect_intersect(wide, screen);

	assert_memory_equal(&cut, &screen, sizeof(cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_add_keeps_list_when_covered),
		cmocka_unit_test(damage_add_keeps_far_ones_apart),
		cmocka_unit_test(damage_add_joins_neighbours),
		cmocka_unit_test(damage_add_ignores_empty),
		cmocka_unit_test(damage_add_covers_all_of_a_flood),
		cmocka_unit_test(rect_intersect_survives_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
