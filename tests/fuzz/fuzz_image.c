/* SPDX-License-Identifier: Apache-2.0 */
/** image_load on any file, with and without an initrd. ASan watches the file and the RAM block; the start
 *  address of an accepted image must lie in RAM. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "image.h"

#define RAM_SIZE (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char initrd[4097] = "initrd";
	uint8_t *ram = malloc(RAM_SIZE);

	if (ram == NULL) {
		abort();
	}
	for (int with = 0; with < 2; with++) {
		struct bh_vcpu_start start;

		if (image_load(data, size, with ? initrd : NULL, with ? sizeof(initrd) : 0, "a b", ram,
			       RAM_SIZE, 0xe0000, 50000, &start) == 0 &&
		    (start.rip >= RAM_SIZE || start.rbx >= RAM_SIZE || start.rsi >= RAM_SIZE)) {
			abort();
		}
	}
	free(ram);
	return 0;
}
