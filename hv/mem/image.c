/* SPDX-License-Identifier: Apache-2.0 */
/** Addresses of boot/link.ld as values. Built for the target alone. */
#include "mem/image.h"

extern const char link_text_start[], link_text_end[], link_rodata_start[], link_rodata_end[];
extern const char link_data_start[], link_image_end[];

struct image_layout image_layout(void)
{
	return (struct image_layout){
		.text = (uintptr_t)link_text_start,
		.text_end = (uintptr_t)link_text_end,
		.rodata = (uintptr_t)link_rodata_start,
		.rodata_end = (uintptr_t)link_rodata_end,
		.data = (uintptr_t)link_data_start,
		.end = (uintptr_t)link_image_end,
	};
}
