/* SPDX-License-Identifier: Apache-2.0 */
/** Surface messages of a hostile GPU back end, one after the other, through decoder, model and
 * blit. The first byte of each record says how many fds came and whether a frame is drawn; then
 * comes the message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ui/core/message.h"
#include "ui/core/model.h"
#include "ui/trusted/blit.h"

#define WIDTH  64
#define HEIGHT 56

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model model;
static struct effects effects;
static uint8_t screen[WIDTH * HEIGHT * 4], memory[SURFACE_SIZE_MAX * 4];
static struct blit_cursor cursor;

static void draw(const struct model_part *part)
{
	struct canvas canvas = {screen, WIDTH, HEIGHT, WIDTH * 4};

	cursor.x = part->cursor.x - (int32_t)part->cursor.hot_x;
	cursor.y = part->cursor.y - (int32_t)part->cursor.hot_y;
	effects.count = 0;
	model_frame(&model, &effects);
	for (unsigned i = 0; i < effects.count; i++) {
		const struct effect *e = &effects.list[i];
		/* Every row of the picture is the same memory: what matters is where it is written.
		 */
		struct blit_source source = {
			.pixels = memory,
			.stride = 0,
			.rows = (int32_t)part->surface_height,
			.columns = (int32_t)part->surface_width,
			.cursor = part->cursor.on ? &cursor : NULL,
		};

		if (e->type == EFFECT_STRIP) {
			continue;
		}
		if (!rect_contains(model_inner(&model), e->rect)) {
			abort();
		}
		if (e->type == EFFECT_BLIT) {
			blit_surface(&canvas, e->rect, model_place(&model, part), &source);
		}
	}
	for (size_t i = 0; i < (size_t)WIDTH * MODEL_STRIP_HEIGHT * 4; i++) {
		if (screen[i]) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct switcher_msg part = {.id = 1, .order = 1, .state = SWITCHER_RUNNING};
	struct surface_msg msg;

	memset(screen, 0, sizeof(screen));
	memset(memory, 0xff, sizeof(memory));
	memset(cursor.pixels, 0xff, sizeof(cursor.pixels));
	model_init(&model, WIDTH, HEIGHT);
	effects.count = 0;
	model_add(&model, &part, &effects);
	model_state(&model, &part, &effects);
	while (size > 0) {
		uint8_t head = data[0];
		size_t take = size - 1 < sizeof(msg) ? size - 1 : sizeof(msg);

		if (message_decode_surface(data + 1, take, head & 3, &msg)) {
			(void)message_surface_end(&msg);
			model_surface(&model, 0, &msg);
		}
		if (head & 4) {
			draw(&model.parts[0]);
		}
		data += 1 + take;
		size -= 1 + take;
	}
	draw(&model.parts[0]);
	return 0;
}
