/* SPDX-License-Identifier: Apache-2.0 */
/** Nested page-table entries. Source: APM 2, "Nested Paging", "Page-Translation-Table Entry Fields". */
#include "svm/svm.h"

#define NPT_PRESENT  BIT(0)
#define NPT_WRITE    BIT(1)
#define NPT_USER     BIT(2) /* every guest access is a user access here */
#define NPT_UNCACHED BIT(4) /* PCD alone: UC-, so that the guest's own tables may ask for write combining */
#define NPT_ACCESSED BIT(5)
#define NPT_DIRTY    BIT(6)
#define NPT_LARGE    BIT(7)
#define NPT_NX	     BIT(63)
#define NPT_ADDR     0x000ffffffffff000ull

static uint64_t npt_leaf(uint64_t pa, unsigned level, unsigned prot, unsigned memtype)
{
	uint64_t entry = pa | NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY;

	entry |= prot & PTAB_WRITE ? NPT_WRITE : 0;
	entry |= prot & PTAB_EXECUTE ? 0 : NPT_NX;
	entry |= memtype == PTAB_UC ? NPT_UNCACHED : 0;
	return entry | (level > 1 ? NPT_LARGE : 0);
}

static uint64_t npt_table(uint64_t pa)
{
	return pa | NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED;
}

static bool npt_present(uint64_t entry)
{
	return entry & NPT_PRESENT;
}

static bool npt_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (entry & NPT_LARGE);
}

static uint64_t npt_addr(uint64_t entry, unsigned level)
{
	uint64_t addr = entry & NPT_ADDR;

	return npt_is_leaf(entry, level) ? addr & ~(ptab_level_size(level) - 1) : addr;
}

struct ptab_format npt_format = {
	.levels = 4,
	.max_leaf_level = 2,
	.leaf = npt_leaf,
	.table = npt_table,
	.present = npt_present,
	.is_leaf = npt_is_leaf,
	.addr = npt_addr,
};
