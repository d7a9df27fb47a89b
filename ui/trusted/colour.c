/* SPDX-License-Identifier: Apache-2.0 */
/** Mixtures and contrast; see colour.h. Source: WCAG 2.1, "relative luminance" and "contrast
 * ratio". */
#include "colour.h"

#include <math.h>

uint32_t colour_mix(uint32_t ground, uint32_t ink, uint32_t cover)
{
	/* Two channels at a time: a product needs 16 bits, and there are 8 free ones between red
	 * and blue. */
	uint32_t weight = cover + (cover >> 7); /* 0..256 */
	uint32_t rb = ((ink & 0xff00ff) * weight + (ground & 0xff00ff) * (256 - weight)) >> 8;
	uint32_t g = ((ink & 0x00ff00) * weight + (ground & 0x00ff00) * (256 - weight)) >> 8;

	return (rb & 0xff00ff) | (g & 0x00ff00);
}

static double channel(uint32_t value)
{
	double c = value / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t colour)
{
	return 0.2126 * channel(colour >> 16 & 0xff) + 0.7152 * channel(colour >> 8 & 0xff) +
	       0.0722 * channel(colour & 0xff);
}

uint32_t colour_contrast(uint32_t a, uint32_t b)
{
	double la = luminance(a), lb = luminance(b);

	return (uint32_t)(100.0 * (fmax(la, lb) + 0.05) / (fmin(la, lb) + 0.05));
}

uint32_t colour_text_on(uint32_t ground)
{
	return colour_contrast(ground, COLOUR_WHITE) >= colour_contrast(ground, COLOUR_INK)
		       ? COLOUR_WHITE
		       : COLOUR_INK;
}
