/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of an EDID. */
#include "edid.h"

#include <string.h>

#define REFRESH_HZ  60u
#define SIZE_MAX_12 4095u /* sizes have 12 bits in a detailed timing */
/* Dots per inch that the millimetres tell, so that guests do not scale. */
#define DPI 96u

/* Blanking of the timing: constant horizontally; vertically at least 460 us. */
#define H_BLANK	      160u
#define H_SYNC_OFFSET 48u
#define H_SYNC_WIDTH  32u
#define V_SYNC_OFFSET 3u
#define V_SYNC_WIDTH  6u
#define V_BLANK_MIN   16u

enum {
	OFFSET_HEADER = 0,
	OFFSET_MANUFACTURER = 8,
	OFFSET_YEAR = 17,
	OFFSET_VERSION = 18,
	OFFSET_INPUT = 20,
	OFFSET_CM = 21,
	OFFSET_GAMMA = 23,
	OFFSET_FEATURES = 24,
	OFFSET_COLOURS = 25,
	OFFSET_STANDARD_MODES = 38,
	OFFSET_DESCRIPTORS = 54,
	OFFSET_CHECKSUM = 127,
};
#define DESCRIPTOR_SIZE 18u

static uint32_t pixels_to_mm(uint32_t pixels)
{
	return pixels * 254 / (DPI * 10);
}

/* Lines of blanking so that it lasts 460 us or more of a frame of 1/60 s. */
static uint32_t vertical_blank(uint32_t height)
{
	uint32_t lines = height * 276 / (10000 - 276) + 1;

	return lines > V_BLANK_MIN ? lines : V_BLANK_MIN;
}

/* Pixel clock in units of 10 kHz. */
static uint64_t pixel_clock(uint32_t width, uint32_t height)
{
	return (uint64_t)(width + H_BLANK) * (height + vertical_blank(height)) * REFRESH_HZ / 10000;
}

static void put_timing(uint8_t *at, uint32_t width, uint32_t height)
{
	uint32_t clock = (uint32_t)pixel_clock(width, height);
	uint32_t v_blank = vertical_blank(height);
	uint32_t width_mm = pixels_to_mm(width);
	uint32_t height_mm = pixels_to_mm(height);

	at[0] = (uint8_t)clock;
	at[1] = (uint8_t)(clock >> 8);
	at[2] = (uint8_t)width;
	at[3] = (uint8_t)H_BLANK;
	at[4] = (uint8_t)((width >> 8) << 4 | H_BLANK >> 8);
	at[5] = (uint8_t)height;
	at[6] = (uint8_t)v_blank;
	at[7] = (uint8_t)((height >> 8) << 4 | v_blank >> 8);
	at[8] = (uint8_t)H_SYNC_OFFSET;
	at[9] = (uint8_t)H_SYNC_WIDTH;
	at[10] = (uint8_t)(V_SYNC_OFFSET << 4 | V_SYNC_WIDTH);
	at[12] = (uint8_t)width_mm;
	at[13] = (uint8_t)height_mm;
	at[14] = (uint8_t)((width_mm >> 8) << 4 | height_mm >> 8);
	at[17] = 0x1a; /* digital separate sync, horizontal positive, vertical negative */
}

static void put_text(uint8_t *at, uint8_t tag, const char *text)
{
	size_t size = strlen(text);

	at[3] = tag;
	memset(at + 5, ' ', 13);
	memcpy(at + 5, text, size);
	if (size < 13) {
		at[5 + size] = '\n';
	}
}

static void put_range_limits(uint8_t *at)
{
	static const uint8_t limits[DESCRIPTOR_SIZE] = {
		0, 0, 0, 0xfd, 0, 50, 75, 15, 255, 66, 1, '\n', ' ', ' ', ' ', ' ', ' ', ' ',
	};

	memcpy(at, limits, sizeof(limits));
}

bool edid_make(uint32_t width, uint32_t height, uint8_t ret_edid[EDID_SIZE])
{
	static const uint8_t header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
	/* Chromaticity of sRGB. */
	static const uint8_t colours[10] = {0xee, 0x91, 0xa3, 0x54, 0x4c,
					    0x99, 0x26, 0x0f, 0x50, 0x54};
	uint8_t *edid = ret_edid;
	uint8_t sum = 0;

	if (!width || !height || width > SIZE_MAX_12 || height > SIZE_MAX_12 ||
	    pixel_clock(width, height) > UINT16_MAX || !pixel_clock(width, height)) {
		return false;
	}
	memset(edid, 0, EDID_SIZE);
	memcpy(edid + OFFSET_HEADER, header, sizeof(header));
	/* "BLK": five bits a letter, product 1. */
	edid[OFFSET_MANUFACTURER] = 'B' - '@';
	edid[OFFSET_MANUFACTURER] = (uint8_t)(edid[OFFSET_MANUFACTURER] << 2 | ('L' - '@') >> 3);
	edid[OFFSET_MANUFACTURER + 1] = (uint8_t)((('L' - '@') << 5 | ('K' - '@')) & 0xff);
	edid[OFFSET_MANUFACTURER + 2] = 1;
	edid[OFFSET_YEAR] = 2025 - 1990;
	edid[OFFSET_VERSION] = 1;
	edid[OFFSET_VERSION + 1] = 4;
	edid[OFFSET_INPUT] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
	edid[OFFSET_CM] = (uint8_t)((pixels_to_mm(width) + 5) / 10);
	edid[OFFSET_CM + 1] = (uint8_t)((pixels_to_mm(height) + 5) / 10);
	edid[OFFSET_GAMMA] = 220 - 100;
	edid[OFFSET_FEATURES] = 0x06; /* sRGB; the first timing is the preferred and native one */
	memcpy(edid + OFFSET_COLOURS, colours, sizeof(colours));
	memset(edid + OFFSET_STANDARD_MODES, 1, 16); /* none */
	put_timing(edid + OFFSET_DESCRIPTORS, width, height);
	put_range_limits(edid + OFFSET_DESCRIPTORS + DESCRIPTOR_SIZE);
	put_text(edid + OFFSET_DESCRIPTORS + 2 * DESCRIPTOR_SIZE, 0xfc, "Bulkhead");
	put_text(edid + OFFSET_DESCRIPTORS + 3 * DESCRIPTOR_SIZE, 0xff, "0");
	for (unsigned i = 0; i < OFFSET_CHECKSUM; i++) {
		sum = (uint8_t)(sum + edid[i]);
	}
	edid[OFFSET_CHECKSUM] = (uint8_t)(0x100 - sum);
	return true;
}
