/* SPDX-License-Identifier: Apache-2.0 */
/** Partition definitions from any bytes: what is taken is in range, what is refused says where. */
#include <stdlib.h>
#include <string.h>
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[CONFIG_ERROR_SIZE] = "";
	struct config config;

	if (config_parse("x.json", (const char *)data, size, &config, error)) {
		if (strncmp(error, "x.json:", 7)) {
			abort();
		}
		return 0;
	}
	if (!config.name[0] || strchr(config.name, '/') || config.id < 1 || config.id > 15 ||
	    config.order < 1 || config.order > 9 || config.kernel[0] != '/' ||
	    config.disk_count > CONFIG_DISKS_MAX) {
		abort();
	}
	return 0;
}
