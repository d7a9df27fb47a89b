/* SPDX-License-Identifier: Apache-2.0 */
/** The one page-table walker: root mode's own space, nested tables, and later the IOMMU's.
 *
 *  Tables are frames from frame_alloc. The entry format is a parameter. A new table is filled
 * before the entry that points at it is written, so a walker on another CPU sees the old or the new
 * mapping. No TLB is flushed here, and a table that a change took out is kept until the caller knows that no
 * walker of the hardware is in it any more: change, flush, ptab_free_retired.
 *  Locks: the caller's, for all calls on one space; ptab_free_retired needs none. */
#ifndef BH_MEM_PTAB_H
#define BH_MEM_PTAB_H

#include "lib/types.h"

#define PTAB_READ    1u
#define PTAB_WRITE   2u
#define PTAB_EXECUTE 4u

#define PTAB_UC 0u
#define PTAB_WB 6u

/** What all formats have in common: where the address is, and the bit of a leaf above level 1. */
#define PTAB_ADDR  0x000ffffffffff000ull
#define PTAB_LARGE BIT(7)

/** Level 1 maps 4 KiB, 2 maps 2 MiB, 3 maps 1 GiB. */
struct ptab_format {
	unsigned levels;
	unsigned max_leaf_level;
	uint64_t present; /* an entry is when it has one of these bits */
	uint64_t table;   /* of an entry that points at a table */
	uint64_t (*leaf)(unsigned prot, unsigned memtype); /* but the address and PTAB_LARGE */
	void (*wrote)(const void *at, size_t size); /* bytes of a table changed; may be NULL */
};

struct ptab {
	const struct ptab_format *fmt;
	hpa_t root;
	hpa_t retired; /* tables taken out, linked by their first entry; 0: none */
};

/** Takes an empty root table. Error: -BH_NOMEM. */
BH_MUST_CHECK int ptab_init(struct ptab *pt, const struct ptab_format *fmt);
/** Frees all tables. The pages mapped are not touched. */
void ptab_fini(struct ptab *pt);

/** Maps [pa, pa + size) at va with the largest pages that fit; all 4 KiB aligned, size > 0. What
 * was mapped there is replaced. Errors: -BH_INVAL; -BH_NOMEM (tables may have been split, but no
 * translation changed). */
BH_MUST_CHECK int ptab_map(struct ptab *pt, uint64_t va, uint64_t pa, uint64_t size, unsigned prot,
			   unsigned memtype);
/** Removes the translations of [va, va + size); splits large pages at the edges, takes out
 * empty tables. Errors: -BH_INVAL; -BH_NOMEM (no translation changed). */
BH_MUST_CHECK int ptab_unmap(struct ptab *pt, uint64_t va, uint64_t size);
/** Writes one raw entry at the 4 KiB level, present or not. Errors: -BH_INVAL, -BH_NOMEM. */
BH_MUST_CHECK int ptab_set_raw(struct ptab *pt, uint64_t va, uint64_t entry);

/** The tables that changes have taken out, now the caller's to free when nothing walks them any more. */
hpa_t ptab_take_retired(struct ptab *pt);
void ptab_free_retired(hpa_t list);

/** Calls fn for each present leaf in ascending order until it returns non-zero, which is returned.
 */
typedef int (*ptab_leaf_fn)(void *ctx, uint64_t va, uint64_t entry, unsigned level);
int ptab_walk(const struct ptab *pt, ptab_leaf_fn fn, void *ctx);

/** Bytes mapped by a leaf of that level. */
static inline uint64_t ptab_level_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline bool ptab_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || (entry & PTAB_LARGE);
}

/** Of the page or table that the entry points at. */
static inline uint64_t ptab_addr(uint64_t entry, unsigned level)
{
	return entry & PTAB_ADDR &
	       (ptab_is_leaf(entry, level) ? ~(ptab_level_size(level) - 1) : ~0ull);
}

#endif
