/* SPDX-License-Identifier: Apache-2.0 */
/** Signs for states; see mark.h. */
#include "mark.h"

void mark_draw(struct canvas *canvas, int32_t x, int32_t y, enum switcher_state state,
	       uint32_t ground, uint32_t ink)
{
	struct rect box = {x, y, MARK_SIZE, MARK_SIZE};
	struct rect hole = {x + 2, y + 2, MARK_SIZE - 4, MARK_SIZE - 4};

	switch (state) {
	case SWITCHER_RUNNING:
		canvas_round(canvas, (struct rect){x + 1, y + 1, 8, 8}, 4, ink);
		break;
	case SWITCHER_STARTING:
		canvas_round(canvas, box, 5, ink);
		canvas_round(canvas, hole, 3, ground);
		break;
	case SWITCHER_PAUSED:
		canvas_fill(canvas, (struct rect){x + 1, y + 1, 3, 8}, ink);
		canvas_fill(canvas, (struct rect){x + 6, y + 1, 3, 8}, ink);
		break;
	case SWITCHER_STOPPED:
		canvas_round(canvas, (struct rect){x + 1, y + 1, 8, 8}, 1, ink);
		canvas_fill(canvas, (struct rect){x + 3, y + 3, 4, 4}, ground);
		break;
	case SWITCHER_FAILED: {
		struct canvas_point points[] = {{x * 16 + 80, y * 16 + 4},
						{x * 16 + 158, y * 16 + 152},
						{x * 16 + 2, y * 16 + 152}};

		canvas_polygon(canvas, points, 3, ink);
		canvas_fill(canvas, (struct rect){x + 4, y + 4, 2, 3}, ground);
		canvas_fill(canvas, (struct rect){x + 4, y + 8, 2, 1}, ground);
		break;
	}
	}
}
