/* SPDX-License-Identifier: Apache-2.0 */
/** What a kernel finds at its start: command line, memory size, flags; and the exit value arrives.
 *  append: alpha=1 beta
 *  expect: exit 85 */
#include "guest.h"

int guest_main(void)
{
	const char *line = guest_cmdline();
	uint64_t flags;

	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	tap_ok(memcmp(line, "guest alpha=1 beta", 19) == 0, "the command line, after a first word");
	tap_ok(guest_ram_size() > 0, "the memory size");
	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
	tap_equal(flags & RFLAGS_IF, 0, "interrupts are off");
	tap_equal(cpu_read_cr0() & (CR0_CD | CR0_NW), 0, "caches are on");
	return tap_done() == 0 ? 42 : 1;
}
