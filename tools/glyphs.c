/* SPDX-License-Identifier: Apache-2.0 */
/** Makes the letters of root mode's screen (hv/dbg/screen.h) from a font of the build machine: a C
 * file on standard output with 8x16 dots for each printable ASCII character. Usage: glyphs FONT.ttf
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <ft2build.h>
#include FT_FREETYPE_H

#define WIDTH	 8
#define HEIGHT	 16
#define PIXELS	 13 /* makes a cell of DejaVu Sans Mono 8 wide and 16 high */
#define BASELINE 12

static void fail(const char *what)
{
	fprintf(stderr, "glyphs: %s\n", what);
	exit(1);
}

/** Sets the dots of a rendered glyph; what leaves the cell is cut off. */
static void take(const FT_GlyphSlot slot, uint8_t *cell)
{
	const FT_Bitmap *from = &slot->bitmap;

	for (int y = 0; y < (int)from->rows; y++) {
		for (int x = 0; x < (int)from->width; x++) {
			int to_x = x + slot->bitmap_left, to_y = y + BASELINE - slot->bitmap_top;
			int on = from->buffer[y * from->pitch + x / 8] & (0x80 >> x % 8);

			if (on && to_x >= 0 && to_x < WIDTH && to_y >= 0 && to_y < HEIGHT) {
				cell[to_y] |= (uint8_t)(0x80 >> to_x);
			}
		}
	}
}

int main(int argc, char **argv)
{
	FT_Library library = NULL;
	FT_Face face = NULL;

	if (argc != 2 || FT_Init_FreeType(&library)) {
		fail("usage: glyphs FONT.ttf");
	}
	if (FT_New_Face(library, argv[1], 0, &face) || FT_Set_Pixel_Sizes(face, 0, PIXELS)) {
		fail("cannot read the font; install the package fonts-dejavu-core");
	}
	printf("/* Made by tools/glyphs.c. */\n#include \"dbg/screen.h\"\n\n"
	       "const uint8_t screen_glyphs['~' - ' ' + 1][16] = {\n");
	for (int c = ' '; c <= '~'; c++) {
		uint8_t cell[HEIGHT] = {0};

		if (FT_Load_Char(face, (FT_ULong)c, FT_LOAD_RENDER | FT_LOAD_TARGET_MONO)) {
			fail("the font lacks a character");
		}
		take(face->glyph, cell);
		printf("\t{");
		for (int y = 0; y < HEIGHT; y++) {
			printf("0x%02x%s", cell[y], y + 1 < HEIGHT ? ", " : "},\n");
		}
	}
	printf("};\n");
	return 0;
}
