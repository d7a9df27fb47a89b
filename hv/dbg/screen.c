/* SPDX-License-Identifier: Apache-2.0 */
/** Text on a linear framebuffer, or in VGA text memory. Nothing is read back from the screen: after
 * the last line comes the first again, with one empty line between new and old. Dots are black or
 * all ones, which is white in every order of colours. */
#include "dbg/screen.h"

#include "lib/string.h"

#define GLYPH_WIDTH  8u
#define GLYPH_HEIGHT 16u
#define SCALE_MAX    4u
#define BYTES_MAX    4u	   /* of one dot */
#define TALL	     1200u /* lines from which on dots are doubled, and so on */
#define TEXT_GREY    0x0700u

static struct boot_screen screen; /* depth 0: none */
static unsigned scale;		  /* 0: VGA text */
static unsigned columns, rows;
static unsigned column, row;

static uint8_t *line_at(uint64_t line)
{
	return hpa_ptr(hpa(screen.base + line * screen.pitch));
}

static void put_text(char c)
{
	((volatile uint16_t *)line_at(row))[column] = (uint16_t)(TEXT_GREY | (uint8_t)c);
}

static void put_dots(char c)
{
	const uint8_t *glyph = screen_glyphs[c - ' '];
	uint8_t dots[GLYPH_WIDTH * SCALE_MAX * BYTES_MAX];
	unsigned bytes = screen.depth / 8 * scale; /* of one dot of the glyph */

	for (unsigned y = 0; y < GLYPH_HEIGHT * scale; y++) {
		uint8_t *line = line_at((uint64_t)row * GLYPH_HEIGHT * scale + y);

		for (unsigned x = 0; x < GLYPH_WIDTH; x++) {
			bool on = glyph[y / scale] & (0x80u >> x);

			memset(dots + x * bytes, on ? 0xff : 0, bytes);
		}
		memcpy(line + column * GLYPH_WIDTH * bytes, dots, GLYPH_WIDTH * bytes);
	}
}

static void clear_row(unsigned which)
{
	unsigned height = scale ? GLYPH_HEIGHT * scale : 1;

	for (unsigned y = 0; y < height; y++) {
		memset(line_at((uint64_t)which * height + y), 0, screen.width * screen.depth / 8);
	}
}

static void next_line(void)
{
	column = 0;
	row = (row + 1) % rows;
	clear_row(row);
	clear_row((row + 1) % rows);
}

void screen_init(const struct boot_screen *from)
{
	screen = *from;
	column = row = 0;
	if (!screen.depth) {
		return;
	}
	scale = screen.text ? 0 : MIN(1 + screen.height / TALL, SCALE_MAX);
	columns = scale ? screen.width / (GLYPH_WIDTH * scale) : screen.width;
	rows = scale ? screen.height / (GLYPH_HEIGHT * scale) : screen.height;
	for (unsigned i = 0; i < rows; i++) {
		clear_row(i);
	}
}

void screen_write(const char *text, size_t size)
{
	for (size_t i = 0; screen.depth && i < size; i++) {
		if (text[i] == '\n' || column == columns) {
			next_line();
		}
		if (text[i] < ' ' || text[i] > '~') {
			continue;
		}
		if (scale) {
			put_dots(text[i]);
		} else {
			put_text(text[i]);
		}
		column++;
	}
}

void screen_release(void)
{
	screen.depth = 0;
}
