/* SPDX-License-Identifier: Apache-2.0 */
/** A developer's window by SDL2. Its host can read and forge everything in it; its title says so.
 */
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

#include <SDL.h>
#include <linux/input-event-codes.h>

#include "sdl_keys.h"

#define RECTS_MAX 32u

struct output {
	SDL_Window *window;
	SDL_Surface *surface;
	struct canvas canvas;
};

static int complain(const char *what)
{
	fprintf(stderr, "bulkhead-switcher: %s: %s\n", what, SDL_GetError());
	return -1;
}

static int open_window(struct output *o, const struct output_config *config)
{
	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
	SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
	if (SDL_Init(SDL_INIT_VIDEO) < 0) {
		return complain("SDL");
	}
	o->window = SDL_CreateWindow("Bulkhead - developer build, not trusted", 0, 0,
				     config->width ? config->width : 1024,
				     config->height ? config->height : 768, SDL_WINDOW_SHOWN);
	if (!o->window) {
		return complain("window");
	}
	o->surface = SDL_GetWindowSurface(o->window);
	if (!o->surface) {
		return complain("window surface");
	}
	uint32_t format = o->surface->format->format;

	if (format != SDL_PIXELFORMAT_RGB888 && format != SDL_PIXELFORMAT_ARGB8888) {
		fprintf(stderr, "bulkhead-switcher: the window is not XRGB8888\n");
		return -1;
	}
	SDL_SetWindowKeyboardGrab(o->window, SDL_TRUE);
	SDL_ShowCursor(SDL_DISABLE);
	o->canvas = (struct canvas){o->surface->pixels, o->surface->w, o->surface->h,
				    (uint32_t)o->surface->pitch};
	return 0;
}

struct output *output_open(const struct output_config *config)
{
	struct output *o = calloc(1, sizeof(*o));

	if (o && open_window(o, config) < 0) {
		output_close(o);
		return NULL;
	}
	return o;
}

void output_close(struct output *o)
{
	if (o->window) {
		SDL_DestroyWindow(o->window);
	}
	SDL_Quit();
	free(o);
}

struct canvas *output_canvas(struct output *o)
{
	return &o->canvas;
}

int output_present(struct output *o, const struct rect *rects, unsigned count)
{
	SDL_Rect list[RECTS_MAX];

	count = count < RECTS_MAX ? count : RECTS_MAX;
	for (unsigned i = 0; i < count; i++) {
		list[i] = (SDL_Rect){rects[i].x, rects[i].y, rects[i].w, rects[i].h};
	}
	return SDL_UpdateWindowSurfaceRects(o->window, list, (int)count);
}

static uint16_t button_code(uint8_t button)
{
	switch (button) {
	case SDL_BUTTON_LEFT:
		return BTN_LEFT;
	case SDL_BUTTON_RIGHT:
		return BTN_RIGHT;
	case SDL_BUTTON_MIDDLE:
		return BTN_MIDDLE;
	case SDL_BUTTON_X1:
		return BTN_SIDE;
	default:
		return BTN_EXTRA;
	}
}

static void pass_event(struct output *o, const SDL_Event *e, output_input_fn *input, void *context)
{
	struct rect all = {0, 0, o->canvas.width, o->canvas.height};
	uint16_t code = 0;

	switch (e->type) {
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		code = sdl_keys_code(e->key.keysym.scancode);
		if (!e->key.repeat && code) {
			input(context, EV_KEY, code, e->type == SDL_KEYDOWN);
		}
		break;
	case SDL_MOUSEMOTION:
		input(context, EV_ABS, ABS_X, e->motion.x);
		input(context, EV_ABS, ABS_Y, e->motion.y);
		input(context, EV_SYN, SYN_REPORT, 0);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		input(context, EV_KEY, button_code(e->button.button),
		      e->type == SDL_MOUSEBUTTONDOWN);
		break;
	case SDL_MOUSEWHEEL:
		input(context, EV_REL, REL_WHEEL, e->wheel.y);
		input(context, EV_SYN, SYN_REPORT, 0);
		break;
	case SDL_WINDOWEVENT:
		if (e->window.event == SDL_WINDOWEVENT_EXPOSED) {
			output_present(o, &all, 1);
		}
		break;
	default:
		break;
	}
}

int output_poll(struct output *o, output_input_fn *input, void *context)
{
	SDL_Event event;

	while (SDL_PollEvent(&event)) {
		if (event.type == SDL_QUIT) {
			return -1;
		}
		pass_event(o, &event, input, context);
	}
	return 0;
}

int output_poll_interval(const struct output *o)
{
	return 3;
}

const char *output_name(const struct output *o)
{
	return "sdl, developer build, not trusted";
}

int output_fd(const struct output *o)
{
	return -1;
}

bool output_trusted(const struct output *o)
{
	return false;
}
