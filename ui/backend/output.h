/* SPDX-License-Identifier: Apache-2.0 */
/** A screen: pixels in memory that the switcher draws into, and a call that says which of them are
 * new. One back end is linked into each binary: libdrm (the product), SDL2 (a developer's window),
 * memory (tests).
 */
#ifndef BH_OUTPUT_H
#define BH_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/core/rect.h"
#include "ui/trusted/canvas.h"

struct output;

struct output_config {
	int32_t width, height; /* wished; 0: what the screen prefers */
	const char *device;    /* /dev/dri/cardN; NULL: the first with a screen */
	int wait_ms;	       /* how long to wait for the device to appear */
};

/** Called for each event of the back end's own devices (a window): evdev type, code, value; EV_ABS
 * in screen pixels. */
typedef void output_input_fn(void *context, uint32_t type, uint32_t code, int32_t value);

/** Returns NULL with a line on stderr when there is no usable screen. */
struct output *output_open(const struct output_config *config);
void output_close(struct output *output);

/** The front buffer; valid until output_close(). Writes may be seen at once. */
struct canvas *output_canvas(struct output *output);

/** These rectangles of the canvas have new pixels; returns when they are handed to the screen.
 *  Returns 0, -1 when the screen is gone. */
int output_present(struct output *output, const struct rect *rects, unsigned count);

/** Events of a window. Returns -1 when the user closed it. Back ends without their own devices do
 * nothing. */
int output_poll(struct output *output, output_input_fn *input, void *context);

/** Milliseconds between calls of output_poll(); -1: never needed. */
int output_poll_interval(const struct output *output);

/** The name for logs: "drm bochs-drm atomic". */
const char *output_name(const struct output *output);

/** The device's fd, for the system-call filter; -1: none. */
int output_fd(const struct output *output);

/** Is this a screen that only the switcher draws on? */
bool output_trusted(const struct output *output);

#endif
