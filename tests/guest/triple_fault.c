/* SPDX-License-Identifier: Apache-2.0 */
/** A triple fault stops this partition, and it says so.
 *  expect: stopped triple-fault */
#include "guest.h"

int guest_main(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
	return 2;
}
