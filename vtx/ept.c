/* SPDX-License-Identifier: Apache-2.0 */
/** EPT entries. Source: SDM 3C, "The Extended Page Table Mechanism (EPT)". */
#include "vtx/vmx.h"

#define EPT_READ     BIT(0)
#define EPT_WRITE    BIT(1)
#define EPT_EXECUTE  BIT(2)
#define EPT_MEMTYPE  3 /* shift */
#define EPT_LARGE    BIT(7)
#define EPT_ADDR     0x000ffffffffff000ull
#define EPT_ALL	     (EPT_READ | EPT_WRITE | EPT_EXECUTE)

_Static_assert(PTAB_READ == EPT_READ && PTAB_WRITE == EPT_WRITE && PTAB_EXECUTE == EPT_EXECUTE,
	       "protection bits are EPT's");

static uint64_t ept_leaf(uint64_t pa, unsigned level, unsigned prot, unsigned memtype)
{
	return pa | prot | (uint64_t)memtype << EPT_MEMTYPE | (level > 1 ? EPT_LARGE : 0);
}

static uint64_t ept_table(uint64_t pa)
{
	return pa | EPT_ALL;
}

/* A doorbell entry is write-only: not present for us, a misconfiguration for the CPU. */
static bool ept_present(uint64_t entry)
{
	return entry & (EPT_READ | EPT_EXECUTE);
}

static bool ept_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (entry & EPT_LARGE);
}

static uint64_t ept_addr(uint64_t entry, unsigned level)
{
	uint64_t addr = entry & EPT_ADDR;

	return ept_is_leaf(entry, level) ? addr & ~(ptab_level_size(level) - 1) : addr;
}

struct ptab_format ept_format = {
	.levels = 4,
	.max_leaf_level = 2,
	.leaf = ept_leaf,
	.table = ept_table,
	.present = ept_present,
	.is_leaf = ept_is_leaf,
	.addr = ept_addr,
};

/* SDM 3C, "Extended-Page-Table Pointer (EPTP)": write-back tables, walk of 4 levels. */
uint64_t ept_pointer(const struct ptab *ept)
{
	return ept->root.v | (4 - 1) << 3 | PTAB_WB;
}
