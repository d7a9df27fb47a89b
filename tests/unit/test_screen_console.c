/* SPDX-License-Identifier: Apache-2.0 */
/** Early messages on the screen: where the dots go, and that none goes beside it. */
#include "dbg/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dbg/console.h"
#include "insn_fake.h"

#define WIDTH  320u
#define HEIGHT 200u
#define PITCH  (WIDTH * 4 + 64)

/* One line more than the screen on both sides. */
static uint8_t memory[(HEIGHT + 2) * PITCH];
static struct boot_screen dots, text;

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	memset(memory, 0x55, sizeof(memory));
	dots = (struct boot_screen){.base = (uintptr_t)memory + PITCH,
				    .pitch = PITCH,
				    .width = WIDTH,
				    .height = HEIGHT,
				    .depth = 32};
	text = (struct boot_screen){.base = (uintptr_t)memory + PITCH,
				    .pitch = 160,
				    .width = 80,
				    .height = 25,
				    .depth = 16,
				    .text = true};
	return 0;
}

static void say(const char *what)
{
	screen_write(what, strlen(what));
}

/* Whether the dot is lit; any other value than black and white fails. */
static bool lit(unsigned x, unsigned y)
{
	uint32_t dot;

	memcpy(&dot, memory + (y + 1) * PITCH + x * 4, 4);
	assert_true(dot == 0 || dot == ~0u);
	return dot;
}

static void expect_letter(char c, unsigned column, unsigned row)
{
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 8; x++) {
			bool wanted = screen_glyphs[c - ' '][y] & (0x80 >> x);

			assert_int_equal(lit(column * 8 + x, row * 16 + y), wanted);
		}
	}
}

static void expect_untouched(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		assert_int_equal(memory[i], 0x55);
	}
}

/* Letters lie beside each other, LF begins a line, and nothing beside the lines is written. */
static void screen_draws_letters(void **state)
{
	(void)state;
	screen_init(&dots);
	say("Bo\nk");
	expect_letter('B', 0, 0);
	expect_letter('o', 1, 0);
	expect_letter('k', 0, 1);
	expect_letter(' ', 2, 0);
	expect_untouched(0, PITCH);
	for (unsigned y = 1; y <= HEIGHT; y++) {
		expect_untouched(y * PITCH + WIDTH * 4, (y + 1) * PITCH);
	}
	expect_untouched((HEIGHT + 1) * PITCH, sizeof(memory));
}

/* A line that is too long goes on in the next; after the last line comes the first, after it a gap.
 */
static void screen_wraps(void **state)
{
	(void)state;
	screen_init(&dots); /* 40 columns, 12 rows */
	for (unsigned i = 0; i < 40; i++) {
		say("#");
	}
	say("x");
	expect_letter('x', 0, 1);
	for (unsigned i = 0; i < 10; i++) {
		say("\nold");
	}
	say("\nnew");
	expect_letter('n', 0, 0);
	expect_letter(' ', 3, 0);
	expect_letter(' ', 0, 1);
	expect_letter('o', 0, 2);
	expect_untouched(0, PITCH);
}

/* A line of full width that ends with LF takes one row. */
static void screen_ends_full_lines_once(void **state)
{
	(void)state;
	screen_init(&dots);
	for (unsigned i = 0; i < 40; i++) {
		say("#");
	}
	say("\ny");
	expect_letter('y', 0, 1);
}

/* What is not printable ASCII leaves no trace. */
static void screen_skips_other_bytes(void **state)
{
	(void)state;
	screen_init(&dots);
	say("\x80\xff\x01\r\ta");
	expect_letter('a', 0, 0);
	expect_letter(' ', 1, 0);
}

/* Large screens get larger letters. */
static void screen_scales(void **state)
{
	static uint8_t large[2400 * 320 * 2];

	(void)state;
	dots = (struct boot_screen){
		.base = (uintptr_t)large, .pitch = 640, .width = 320, .height = 2400, .depth = 16};
	screen_init(&dots);
	say("H");
	for (unsigned y = 0; y < 48; y++) {
		for (unsigned x = 0; x < 24; x++) {
			uint16_t dot;

			memcpy(&dot, large + y * 640 + x * 2, 2);
			assert_int_equal(dot == 0xffff,
					 !!(screen_glyphs['H' - ' '][y / 3] & (0x80 >> x / 3)));
		}
	}
}

/* VGA text memory takes characters. */
static void screen_writes_vga_text(void **state)
{
	(void)state;
	screen_init(&text);
	say("ab\nc");
	assert_memory_equal(memory + PITCH,
			    "a\x07"
			    "b\x07\0\0",
			    6);
	assert_memory_equal(memory + PITCH + 160, "c\x07\0\0", 4);
	expect_untouched(0, PITCH);
	expect_untouched(PITCH + 25 * 160, sizeof(memory));
}

/* Once the control partition owns the screen, not even an error is written to it. */
static void screen_is_left_alone_after_release(void **state)
{
	(void)state;
	console_init();
	screen_init(&dots);
	console_release();
	memset(memory, 0x55, sizeof(memory));
	console_write("error\n", 6, true);
	expect_untouched(0, sizeof(memory));
}

/* Without a screen nothing is written. */
static void screen_may_be_missing(void **state)
{
	(void)state;
	dots.depth = 0;
	screen_init(&dots);
	say("lost\n");
	expect_untouched(0, sizeof(memory));
}

#define T(name) cmocka_unit_test_setup(name, prepare)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(screen_draws_letters),
		T(screen_wraps),
		T(screen_ends_full_lines_once),
		T(screen_skips_other_bytes),
		T(screen_scales),
		T(screen_writes_vga_text),
		T(screen_is_left_alone_after_release),
		T(screen_may_be_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
