/* SPDX-License-Identifier: Apache-2.0 */
/** Glyph atlases by FreeType; see font.h. */
#include "font.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H

static const struct {
	const char *file;
	uint32_t pixels;
} roles[FONT_ROLES] = {
	[FONT_TITLE] = {"DejaVuSans-Bold.ttf", 16},
	[FONT_TEXT] = {"DejaVuSans.ttf", 13},
	[FONT_HEADING] = {"DejaVuSans-Bold.ttf", 30},
	[FONT_BODY] = {"DejaVuSans.ttf", 16},
};

static int16_t round_26_6(FT_Pos value)
{
	return (int16_t)((value + 32) >> 6);
}

static int load_glyph(struct font *font, FT_Face face, unsigned char c, struct font_glyph *glyph)
{
	if (FT_Load_Char(face, c, FT_LOAD_RENDER | FT_LOAD_TARGET_LIGHT)) {
		return -1;
	}
	const FT_GlyphSlot slot = face->glyph;
	const FT_Bitmap *bitmap = &slot->bitmap;
	size_t size = (size_t)bitmap->width * bitmap->rows;
	uint8_t *atlas = realloc(font->atlas, font->atlas_size + size + 1);

	if (!atlas) {
		return -1;
	}
	font->atlas = atlas;
	*glyph = (struct font_glyph){
		.left = (int16_t)slot->bitmap_left,
		.top = (int16_t)slot->bitmap_top,
		.width = (uint16_t)bitmap->width,
		.height = (uint16_t)bitmap->rows,
		.advance = round_26_6(slot->advance.x),
		.offset = (uint32_t)font->atlas_size,
	};
	for (unsigned row = 0; row < bitmap->rows; row++) {
		memcpy(atlas + font->atlas_size + (size_t)row * bitmap->width,
		       bitmap->buffer + (ptrdiff_t)row * bitmap->pitch, bitmap->width);
	}
	font->atlas_size += size;
	return 0;
}

static int load_font(struct font *font, FT_Face face, uint32_t pixels)
{
	if (FT_Set_Pixel_Sizes(face, 0, pixels)) {
		return -1;
	}
	for (int c = FONT_FIRST; c <= FONT_LAST; c++) {
		if (load_glyph(font, face, (unsigned char)c, &font->glyphs[c - FONT_FIRST]) < 0) {
			return -1;
		}
	}
	font->ascent = font_glyph(font, 'H')->top;
	return 0;
}

int font_set_load(struct font_set *set, const char *dir)
{
	FT_Library library;
	int result = 0;

	memset(set, 0, sizeof(*set));
	if (FT_Init_FreeType(&library)) {
		fprintf(stderr, "bulkhead-switcher: FreeType does not start\n");
		return -1;
	}
	for (unsigned i = 0; i < FONT_ROLES && result == 0; i++) {
		char path[512];
		FT_Face face;

		snprintf(path, sizeof(path), "%s/%s", dir, roles[i].file);
		if (FT_New_Face(library, path, 0, &face)) {
			fprintf(stderr,
				"bulkhead-switcher: no font %s (package fonts-dejavu-core)\n",
				path);
			result = -1;
			break;
		}
		result = load_font(&set->fonts[i], face, roles[i].pixels);
		if (result < 0) {
			fprintf(stderr, "bulkhead-switcher: font %s is broken\n", path);
		}
		FT_Done_Face(face);
	}
	FT_Done_FreeType(library);
	if (result < 0) {
		font_set_free(set);
	}
	return result;
}

void font_set_free(struct font_set *set)
{
	for (unsigned i = 0; i < FONT_ROLES; i++) {
		free(set->fonts[i].atlas);
	}
	memset(set, 0, sizeof(*set));
}

const struct font_glyph *font_glyph(const struct font *font, char c)
{
	return &font->glyphs[(c < FONT_FIRST || c > FONT_LAST ? '?' : c) - FONT_FIRST];
}

void font_advances(const struct font *font, uint8_t ret_advance[FONT_GLYPHS])
{
	for (int i = 0; i < FONT_GLYPHS; i++) {
		int16_t advance = font->glyphs[i].advance;

		ret_advance[i] = (uint8_t)(advance < 0		 ? 0
					   : advance > UINT8_MAX ? UINT8_MAX
								 : advance);
	}
}

int32_t font_width(const struct font *font, const char *text)
{
	int32_t width = 0;

	for (; *text; text++) {
		width += font_glyph(font, *text)->advance;
	}
	return width;
}
