/* SPDX-License-Identifier: Apache-2.0 */
/** Colours as 0xRRGGBB, their mixtures, and which text colour is readable on which ground
 * (WCAG 2.1, "Contrast (Minimum)": 4.5 to 1).
 */
#ifndef BH_COLOUR_H
#define BH_COLOUR_H

#include <stdint.h>

#define COLOUR_WHITE 0xffffffu
#define COLOUR_INK   0x10141au /* all but black: text on light grounds */

/** ink over ground; cover 0 = ground, 255 = ink. */
uint32_t colour_mix(uint32_t ground, uint32_t ink, uint32_t cover);

/** Contrast ratio in hundredths: 100 (none) to 2100. */
uint32_t colour_contrast(uint32_t a, uint32_t b);

/** COLOUR_WHITE or COLOUR_INK, whichever is easier to read on ground. Never below 4.3 to 1; the
 * switcher darkens or lightens nothing, so definitions choose colours that pass 4.5. */
uint32_t colour_text_on(uint32_t ground);

#endif
