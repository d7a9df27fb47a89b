/* SPDX-License-Identifier: Apache-2.0 */
/** Where the pieces of root mode's own image lie. All page aligned. */
#ifndef BH_MEM_IMAGE_H
#define BH_MEM_IMAGE_H

#include "lib/types.h"

struct image_layout {
	uint64_t text, text_end;
	uint64_t rodata, rodata_end;
	uint64_t data, end; /* data and bss; free for frames from `end` on */
};

/** From the linker script; host tests have their own. */
struct image_layout image_layout(void);

#endif
