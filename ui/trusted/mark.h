/* SPDX-License-Identifier: Apache-2.0 */
/** Small signs for the states of a partition: they differ in form, not only in colour. */
#ifndef BH_MARK_H
#define BH_MARK_H

#include "ui/trusted/canvas.h"

#define MARK_SIZE 10 /* pixels, each way */

/** Running: disc; starting: ring; paused: two bars; stopped: hollow square; failed:
 * triangle. (x, y) = upper left corner. */
void mark_draw(struct canvas *canvas, int32_t x, int32_t y, enum switcher_state state,
	       uint32_t ground, uint32_t ink);

#endif
