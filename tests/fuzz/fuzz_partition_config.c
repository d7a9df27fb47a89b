/* SPDX-License-Identifier: Apache-2.0 */
/** Recipes of images from any bytes: what is taken is in range, what is refused says where. */
#include <stdlib.h>
#include <string.h>
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CONFIG_ERROR_SIZE] = "";
	struct config config = {.id = 1};

	if (config_parse("x.json", (const char *)data, size, &config, error)) {
		if (strncmp(error, "x.json:", 7)) {
			abort();
		}
		return 0;
	}
	if (config.kernel[0] != '/' || (config.initrd[0] && config.initrd[0] != '/') ||
	    config.id != 1) {
		abort();
	}
	return 0;
}
