/* SPDX-License-Identifier: Apache-2.0 */
/** Linked into bulkheadd-fake with the fake device: the policy of a machine with two partitions. */
#include "bulkhead_dev_fake.h"

static void __attribute__((constructor)) bulkheadd_parts(void)
{
	struct bh_vcpu_stats stats = {.run_tsc = 5000000, .root_tsc = 50000, .switches = 3};

	fake_dev_add_part(1, "desktop", 64u << 20, 1);
	fake_dev_add_part(2, "browser", 32u << 20, 1);
	stats.exits[BH_EXIT_CPUID] = 42;
	fake_dev_set_stats(1, 0, &stats);
	fake_dev_log("boot: root mode is up\n");
}
