/* SPDX-License-Identifier: Apache-2.0 */
/** Printable ASCII in one face and size, rendered by FreeType once at start. After font_load() no
 * font file is open and no FreeType code runs: text is table look-up.
 */
#ifndef BH_FONT_H
#define BH_FONT_H

#include <stddef.h>
#include <stdint.h>

#define FONT_FIRST  ' '
#define FONT_LAST   '~'
#define FONT_GLYPHS (FONT_LAST - FONT_FIRST + 1)
#define FONT_DIR    "/usr/share/fonts/truetype/dejavu"

struct font_glyph {
	int16_t left, top;	/* of the picture, from the pen, y upwards */
	uint16_t width, height; /* of the picture */
	int16_t advance;
	uint32_t offset; /* of the picture in the atlas */
};

struct font {
	int32_t ascent; /* pixels above the baseline that capitals take */
	uint8_t *atlas; /* coverage, 0..255 */
	size_t atlas_size;
	struct font_glyph glyphs[FONT_GLYPHS];
};

enum font_role {
	FONT_TITLE,   /* bold, name in the strip */
	FONT_TEXT,    /* regular, tabs and state */
	FONT_HEADING, /* bold, large, panel */
	FONT_BODY,    /* regular, panel */
	FONT_ROLES,
};

struct font_set {
	struct font fonts[FONT_ROLES];
};

/** Loads all roles from the DejaVu files in dir. Returns 0, or -1 with a line on stderr. */
int font_set_load(struct font_set *set, const char *dir);
void font_set_free(struct font_set *set);

/** Glyph of any byte; what is not printable is '?'. */
const struct font_glyph *font_glyph(const struct font *font, char c);

/** Width of each printable letter, from ' ' on. */
void font_advances(const struct font *font, uint8_t ret_advance[FONT_GLYPHS]);

/** Pixels from pen to pen. */
int32_t font_width(const struct font *font, const char *text);

#endif
