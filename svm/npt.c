/* SPDX-License-Identifier: Apache-2.0 */
/** Nested page-table entries. Source: APM 2, "Nested Paging", "Page-Translation-Table Entry Fields". */
#include "svm/svm.h"

#define NPT_PRESENT  BIT(0)
#define NPT_WRITE    BIT(1)
#define NPT_USER     BIT(2) /* every guest access is a user access here */
#define NPT_UNCACHED BIT(4) /* PCD alone: UC-, so that the guest's own tables may ask for write combining */
#define NPT_ACCESSED BIT(5)
#define NPT_DIRTY    BIT(6)
#define NPT_NX	     BIT(63)

static uint64_t npt_leaf(unsigned prot, unsigned memtype)
{
	return NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY |
	       (prot & PTAB_WRITE ? NPT_WRITE : 0) | (prot & PTAB_EXECUTE ? 0 : NPT_NX) |
	       (memtype == PTAB_UC ? NPT_UNCACHED : 0);
}

struct ptab_format npt_format = {
	.levels = 4,
	.max_leaf_level = 2,
	.present = NPT_PRESENT,
	.table = NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED,
	.leaf = npt_leaf,
};
