/* SPDX-License-Identifier: Apache-2.0 */
/** A loop with interrupts off does not keep the control partition from ending it.
 *  timeout: 2
 *  clock: host
 *  expect: stopped timeout */
#include "guest.h"

int guest_main(void)
{
	for (;;) {
		__asm__ volatile("cli\n\tpause");
	}
}
