/* SPDX-License-Identifier: Apache-2.0 */
/** Guests' pixels on the screen: in their place and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/trusted/blit.h"

#define WIDTH  64
#define HEIGHT 48
#define STRIP  8
#define MARK   0x5a5a5a5au

static uint32_t screen[HEIGHT][WIDTH], surface[100][100];
static struct canvas canvas = {(uint8_t *)screen, WIDTH, HEIGHT, WIDTH * 4};

static int setup(void **state)
{
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < WIDTH; x++) {
			screen[y][x] = MARK;
		}
	}
	for (unsigned y = 0; y < 100; y++) {
		for (unsigned x = 0; x < 100; x++) {
			surface[y][x] = y << 8 | x;
		}
	}
	return 0;
}

static struct blit_source source(int32_t columns, int32_t rows, const struct blit_cursor *cursor)
{
	return (struct blit_source){
		.pixels = (const uint8_t *)surface,
		.stride = sizeof(surface[0]),
		.rows = rows,
		.columns = columns,
		.cursor = cursor,
	};
}

static void expect_outside_untouched(struct rect inside)
{
	for (int32_t y = 0; y < HEIGHT; y++) {
		for (int32_t x = 0; x < WIDTH; x++) {
			if (!rect_contains(inside, (struct rect){x, y, 1, 1})) {
				assert_int_equal(screen[y][x], MARK);
			}
		}
	}
}

/* A rectangle is copied from its place on the surface to its place on the screen. */
static void blit_surface_copies_rectangle(void **state)
{
	struct rect place = {4, STRIP, 40, 30}, r = {10, 12, 5, 6};
	struct blit_source s = source(40, 30, NULL);

	assert_int_equal(blit_surface(&canvas, r, place, &s), 5 * 6 * 4);
	assert_int_equal(screen[12][10], (12 - STRIP) << 8 | 6);
	assert_int_equal(screen[17][14], (17 - STRIP) << 8 | 10);
	expect_outside_untouched(r);
}

/* Whatever rectangle is asked for, rows of the strip are not written. */
static void blit_surface_never_leaves_place(void **state)
{
	struct rect place = {0, STRIP, WIDTH, HEIGHT - STRIP};
	struct blit_source s = source(100, 100, NULL);

	blit_surface(&canvas, (struct rect){-1000, -1000, 5000, 5000}, place, &s);
	expect_outside_untouched(place);
	assert_int_equal(screen[STRIP][0], 0);
	assert_int_equal(screen[HEIGHT - 1][WIDTH - 1], (HEIGHT - 1 - STRIP) << 8 | (WIDTH - 1));
}

/* Memory past the mapped rows and columns is not read. */
static void blit_surface_stops_at_mapped_rows(void **state)
{
	struct rect place = {0, STRIP, WIDTH, HEIGHT - STRIP};
	struct blit_source s = source(20, 10, NULL);

	assert_int_equal(blit_surface(&canvas, place, place, &s), 20 * 10 * 4);
	expect_outside_untouched((struct rect){0, STRIP, 20, 10});
}

/* The cursor is mixed in on the way and cut at every edge of the place. */
static void blit_surface_mixes_cursor_inside_place(void **state)
{
	static struct blit_cursor cursor;
	struct rect place = {0, STRIP, WIDTH, HEIGHT - STRIP};

	for (unsigned i = 0; i < MESSAGE_CURSOR_SIZE * MESSAGE_CURSOR_SIZE; i++) {
		cursor.pixels[i] = 0xff123456;
	}
	for (int32_t y = -70; y < 70; y += 7) {
		for (int32_t x = -70; x < 90; x += 11) {
			struct blit_source s = source(100, 100, &cursor);

			setup(NULL);
			cursor.x = x;
			cursor.y = y;
			blit_surface(&canvas, place, place, &s);
			expect_outside_untouched(place);
			for (int32_t py = 0; py < place.h; py++) {
				for (int32_t px = 0; px < place.w; px++) {
					bool in = px >= x && px < x + 64 && py >= y && py < y + 64;
					uint32_t want = in ? 0x123456 : (uint32_t)(py << 8 | px);

					assert_int_equal(screen[py + STRIP][px] & 0xffffff, want);
				}
			}
		}
	}
}

/* A cursor that claims more colour than its alpha allows saturates, it does not spill into the next
 * channel. */
static void blit_surface_saturates_cursor(void **state)
{
	static struct blit_cursor cursor;
	struct rect place = {0, STRIP, 4, 4};
	struct blit_source s = source(4, 4, &cursor);

	surface[0][0] = 0xffffff;
	cursor.pixels[0] = 0x00ff0180;
	blit_surface(&canvas, place, place, &s);
	assert_int_equal(screen[STRIP][0] >> 16 & 0xff, 0xff);
	assert_int_equal(screen[STRIP][0] & 0xff, 0xff);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blit_surface_copies_rectangle),
		TEST(blit_surface_never_leaves_place),
		TEST(blit_surface_stops_at_mapped_rows),
		TEST(blit_surface_mixes_cursor_inside_place),
		TEST(blit_surface_saturates_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
