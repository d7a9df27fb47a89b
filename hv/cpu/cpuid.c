/* SPDX-License-Identifier: Apache-2.0 */
/** Questions to CPUID that know which leaves exist. */
#include "cpu/cpuid.h"

uint32_t cpuid_read(uint32_t leaf, uint32_t sub, enum cpuid_reg reg)
{
	struct cpuid_regs r;

	insn_cpuid(leaf & 0x80000000u, 0, &r);
	if (r.eax < leaf || (r.eax ^ leaf) & 0x80000000u) {
		return 0;
	}
	insn_cpuid(leaf, sub, &r);
	return ((const uint32_t *)&r)[reg];
}
