/* SPDX-License-Identifier: Apache-2.0 */
/** The table of device kinds. */
#include "virtio_type.h"

#include <stddef.h>
#include <string.h>

static const struct virtio_type types[] = {
	{"net", 1, 0x020000, 2, 256, 12},
	{"blk", 2, 0x018000, 1, 128, 60}, /* to the end of the write-zeroes fields */
	{"console", 3, 0x078000, 2, 64, 12},
	{"rng", 4, 0x00ff00, 1, 8, 0},
	{"gpu", 16, 0x038000, 2, 64, 16},
	{"input-keyboard", 18, 0x090000, 2, 64, 136},
	{"input-tablet", 18, 0x098000, 2, 64, 136},
};

const struct virtio_type *virtio_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			return &types[i];
		}
	}
	return NULL;
}
