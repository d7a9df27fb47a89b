/* SPDX-License-Identifier: Apache-2.0 */
/** PNG by libpng's simplified interface; see png.h. */
#include "ui/backend/png.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

int png_write(const char *path, const struct canvas *canvas)
{
	png_image image;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	image.width = (uint32_t)canvas->width;
	image.height = (uint32_t)canvas->height;
	/* Memory order B G R X; the fourth byte says nothing, so write RGB rows from a copy without
	 * it. */
	image.format = PNG_FORMAT_BGR;
	size_t pixels = (size_t)canvas->width * (size_t)canvas->height;
	uint8_t *packed = malloc(pixels * 3);

	if (!packed) {
		return -1;
	}
	for (size_t i = 0; i < pixels; i++) {
		size_t x = i % (size_t)canvas->width, y = i / (size_t)canvas->width;

		memcpy(packed + i * 3, canvas->pixels + y * canvas->stride + x * 4, 3);
	}
	int ok = png_image_write_to_file(&image, path, 0, packed, 0, NULL);

	free(packed);
	return ok ? 0 : -1;
}
