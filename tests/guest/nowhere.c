/* SPDX-License-Identifier: Apache-2.0 */
/** A jump to where there is no memory stops this partition.
 *  expect: stopped fetch */
#include "guest.h"

int guest_main(void)
{
	void (*nowhere)(void) = (void (*)(void))(guest_ram_size() + 0x1000000);

	nowhere();
	return 2;
}
