/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the mask of XSAVE components that this CPU has and guests may enable. */
#include "part/xcr0.h"

#include "cpu/insn.h"

uint64_t xcr0_allowed;

int xcr0_init(void)
{
	struct cpuid_regs regs;

	insn_cpuid(0xd, 0, &regs);
	xcr0_allowed = regs.eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
	insn_xsetbv(0, xcr0_allowed);
	insn_cpuid(0xd, 0, &regs);
	return regs.ebx <= PAGE_SIZE ? 0 : -BH_NOSUPP;
}

bool xcr0_check(uint64_t value)
{
	return (value & XCR0_X87) && !(value & ~xcr0_allowed) &&
	       (!(value & XCR0_AVX) || (value & XCR0_SSE));
}
