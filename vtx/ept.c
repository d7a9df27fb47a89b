/* SPDX-License-Identifier: Apache-2.0 */
/** EPT entries. Source: SDM 3C, "The Extended Page Table Mechanism (EPT)". */
#include "vtx/vmx.h"

#define EPT_READ     BIT(0)
#define EPT_WRITE    BIT(1)
#define EPT_EXECUTE  BIT(2)
#define EPT_MEMTYPE  3 /* shift */

_Static_assert(PTAB_READ == EPT_READ && PTAB_WRITE == EPT_WRITE && PTAB_EXECUTE == EPT_EXECUTE,
	       "protection bits are EPT's");

static uint64_t ept_leaf(unsigned prot, unsigned memtype)
{
	return prot | (uint64_t)memtype << EPT_MEMTYPE;
}

struct ptab_format ept_format = {
	.levels = 4,
	.max_leaf_level = 2,
	/* A doorbell entry is write-only: not present for us, a misconfiguration for the CPU. */
	.present = EPT_READ | EPT_EXECUTE,
	.table = EPT_READ | EPT_WRITE | EPT_EXECUTE,
	.leaf = ept_leaf,
};

/* SDM 3C, "Extended-Page-Table Pointer (EPTP)": write-back tables, walk of 4 levels. */
uint64_t ept_pointer(const struct ptab *ept)
{
	return ept->root.v | (4 - 1) << 3 | PTAB_WB;
}
