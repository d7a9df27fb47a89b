/* SPDX-License-Identifier: Apache-2.0 */
/** Boot loader information of any content: refused or parsed within its bounds. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;
	void *copy = malloc(size ? size : 1); /* aligned, and ASan sees the end */

	memcpy(copy, data, size);
	if (mbi_parse(copy, size, &info) == 0) {
		for (uint32_t i = 0; i < info.module_count; i++) {
			if (!info.modules[i].size || !info.modules[i].role[0] ||
			    info.modules[i].cmdline + strlen(info.modules[i].cmdline) >=
				    info.strings + sizeof(info.strings)) {
				abort();
			}
		}
		for (uint32_t i = 1; i < info.map_count; i++) {
			if (info.map[i].base < info.map[i - 1].base) {
				abort();
			}
		}
		for (uint32_t i = 0; info.screen.depth && i < info.map_count; i++) {
			uint64_t end = info.screen.base + boot_screen_size(&info);

			if (!boot_screen_size(&info) || end <= info.screen.base ||
			    (uint64_t)info.screen.width * info.screen.depth / 8 >
				    info.screen.pitch ||
			    (info.map[i].type == BOOT_MEM_RAM && info.map[i].base < end &&
			     info.screen.base < info.map[i].base + info.map[i].size)) {
				abort();
			}
		}
	}
	free(copy);
	return 0;
}
