/* SPDX-License-Identifier: Apache-2.0 */
/** The memory back end: a canvas and a count of what was presented. For tests. */
#include "output.h"

#include <stdio.h>
#include <stdlib.h>

struct output {
	struct canvas canvas;
};

struct output *output_open(const struct output_config *config)
{
	int32_t width = config->width ? config->width : 1024;
	int32_t height = config->height ? config->height : 768;
	struct output *output = calloc(1, sizeof(*output));

	if (!output) {
		return NULL;
	}
	output->canvas =
		(struct canvas){.width = width, .height = height, .stride = (uint32_t)width * 4};
	output->canvas.pixels = calloc((size_t)height, output->canvas.stride);
	if (!output->canvas.pixels) {
		free(output);
		return NULL;
	}
	return output;
}

void output_close(struct output *output)
{
	free(output->canvas.pixels);
	free(output);
}

struct canvas *output_canvas(struct output *output)
{
	return &output->canvas;
}

int output_present(struct output *output, const struct rect *rects, unsigned count)
{
	return 0;
}

int output_poll(struct output *output, output_input_fn *input, void *context)
{
	return 0;
}

int output_poll_interval(const struct output *output)
{
	return -1;
}

const char *output_name(const struct output *output)
{
	return "memory";
}

int output_fd(const struct output *output)
{
	return -1;
}

bool output_trusted(const struct output *output)
{
	return false;
}
