/* SPDX-License-Identifier: Apache-2.0 */
/** The patterns that tell partitions apart where colour does not: small tiles of coverage, made
 * once at start. */
#ifndef BH_PATTERN_H
#define BH_PATTERN_H

#include <stdint.h>

#include "ui/proto/switcher.h"

#define PATTERN_SIZE   16 /* pixels, each way */
#define PATTERN_SHADES 17 /* 0 = ground .. 16 = ink */

void pattern_init(void);

/** PATTERN_SIZE shades of the pixel row y (any). Before pattern_init() all are ground. */
const uint8_t *pattern_row(enum switcher_pattern pattern, uint32_t y);

#endif
