/* SPDX-License-Identifier: Apache-2.0 */
/** The tiles; see pattern.h. Each point of a 4 x 4 grid in a pixel is asked whether it is ink. */
#include "pattern.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static uint8_t tiles[SWITCHER_PATTERN_COUNT][PATTERN_SIZE][PATTERN_SIZE];

/** x, y in eighths of a pixel, 0..127: one tile. */
static bool is_ink(enum switcher_pattern pattern, int x, int y)
{
	switch (pattern) {
	case SWITCHER_PLAIN:
		return false;
	case SWITCHER_STRIPES: /* diagonal, 8 of 16 pixels */
		return (x + y) % 128 < 56;
	case SWITCHER_DOTS: { /* 8 pixels apart, rows shifted by half */
		int dx = abs(x % 128 - (y / 64 % 2 ? 96 : 32)), dy = y % 64 - 32;

		return dx * dx + dy * dy < 21 * 21;
	}
	case SWITCHER_CHECKS: /* 8 x 8 squares */
		return (x / 64 + y / 64) % 2;
	case SWITCHER_WAVES: { /* two waves to a tile */
		double crest = 14.0 * sin(x * 2.0 * 3.14159265358979 / 128.0);
		double distance = fmod(y + crest + 64.0 + 32.0, 64.0) - 32.0;

		return fabs(distance) < 13.0;
	}
	case SWITCHER_BARS: /* upright, 3 of 8 pixels */
		return x % 64 < 24;
	}
	return false;
}

void pattern_init(void)
{
	for (unsigned p = 0; p < SWITCHER_PATTERN_COUNT; p++) {
		for (int y = 0; y < PATTERN_SIZE; y++) {
			for (int x = 0; x < PATTERN_SIZE; x++) {
				uint8_t shade = 0;

				for (int sub = 0; sub < 16; sub++) {
					shade += is_ink((enum switcher_pattern)p,
							x * 8 + sub % 4 * 2 + 1,
							y * 8 + sub / 4 * 2 + 1);
				}
				tiles[p][y][x] = shade;
			}
		}
	}
}

const uint8_t *pattern_row(enum switcher_pattern pattern, uint32_t y)
{
	return tiles[pattern][y % PATTERN_SIZE];
}
