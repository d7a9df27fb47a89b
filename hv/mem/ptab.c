/* SPDX-License-Identifier: Apache-2.0 */
/** Page tables of any format with 512 entries of 8 bytes.
 *
 *  Every change runs twice over the range: the first pass makes the tables it needs (splitting
 * large pages keeps their translation), the second writes leaves and cannot fail. Recursion is
 * bounded by the number of levels. */
#include "mem/ptab.h"

#include "mem/frames.h"

#define ENTRIES 512u

enum pass { PASS_PREPARE, PASS_COMMIT };

struct change {
	struct ptab *pt;
	enum pass pass;
	bool unmap;
	uint64_t attributes;
};

static void wrote(const struct ptab *pt, const void *at, size_t size)
{
	if (pt->fmt->wrote) {
		pt->fmt->wrote(at, size);
	}
}

static void store(const struct ptab *pt, uint64_t *slot, uint64_t entry)
{
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
	wrote(pt, slot, sizeof(*slot));
}

int ptab_init(struct ptab *pt, const struct ptab_format *fmt)
{
	int rc = frame_alloc(&pt->root);

	pt->fmt = fmt;
	pt->retired = hpa(0);
	if (!rc) {
		wrote(pt, hpa_ptr(pt->root), PAGE_SIZE);
	}
	return rc;
}

static bool is_table(const struct ptab *pt, uint64_t entry, unsigned level)
{
	return (entry & pt->fmt->present) && !ptab_is_leaf(entry, level);
}

static uint64_t *table_at(uint64_t entry)
{
	return hpa_ptr(hpa(entry & PTAB_ADDR));
}

/** The table is out, but may still be walked: the link in its first entry is an address of a page, which
 * no format takes for present. */
static void retire(struct ptab *pt, uint64_t *table)
{
	store(pt, &table[0], pt->retired.v);
	pt->retired = ptr_hpa(table);
}

hpa_t ptab_take_retired(struct ptab *pt)
{
	hpa_t list = pt->retired;

	pt->retired = hpa(0);
	return list;
}

void ptab_free_retired(hpa_t list)
{
	while (list.v) {
		hpa_t next = hpa(*(const uint64_t *)hpa_ptr(list));

		frame_free(list);
		list = next;
	}
}

/** Takes out the table that holds entries of `level`, and all below it. */
static void retire_all(struct ptab *pt, uint64_t *table, unsigned level)
{
	for (unsigned i = 0; level > 1 && i < ENTRIES; i++) {
		if (is_table(pt, table[i], level)) {
			retire_all(pt, table_at(table[i]), level - 1);
		}
	}
	retire(pt, table);
}

void ptab_fini(struct ptab *pt)
{
	retire_all(pt, hpa_ptr(pt->root), pt->fmt->levels);
	pt->root = hpa(0);
	ptab_free_retired(ptab_take_retired(pt));
}

/** Makes *slot, an entry of `level` that is no table, point at a table with the same translation.
 */
static int grow(const struct ptab *pt, uint64_t *slot, unsigned level)
{
	uint64_t entry = *slot;
	uint64_t *table;
	hpa_t frame;
	int rc = frame_alloc(&frame);

	if (rc) {
		return rc;
	}
	table = hpa_ptr(frame);
	for (unsigned i = 0; i < ENTRIES && (entry & pt->fmt->present); i++) {
		table[i] =
			(level == 2 ? entry & ~PTAB_LARGE : entry) + i * ptab_level_size(level - 1);
	}
	wrote(pt, hpa_ptr(frame), PAGE_SIZE);
	store(pt, slot, frame.v | pt->fmt->table);
	return 0;
}

static bool is_empty(const uint64_t *table)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (table[i]) {
			return false;
		}
	}
	return true;
}

/** The change covers all that *slot maps: writes the leaf, or 0. */
static void write_leaf(const struct change *c, uint64_t *slot, unsigned level, uint64_t pa)
{
	uint64_t old = *slot, leaf = pa | c->attributes | (level > 1 ? PTAB_LARGE : 0);

	store(c->pt, slot, c->unmap ? 0 : leaf);
	if (is_table(c->pt, old, level)) {
		retire_all(c->pt, table_at(old), level - 1);
	}
}

static bool fits_leaf(const struct change *c, unsigned level, uint64_t va, uint64_t pa,
		      uint64_t chunk)
{
	uint64_t span = ptab_level_size(level);

	if (chunk != span) {
		return false;
	}
	return c->unmap || (level <= c->pt->fmt->max_leaf_level && IS_ALIGNED(va | pa, span));
}

static int change_level(const struct change *c, uint64_t *table, unsigned level, uint64_t va,
			uint64_t pa, uint64_t size)
{
	struct ptab *pt = c->pt;
	uint64_t span = ptab_level_size(level);

	while (size) {
		uint64_t chunk = MIN(size, span - (va & (span - 1)));
		uint64_t *slot = &table[va / span % ENTRIES];
		uint64_t *below;
		int rc;

		if (fits_leaf(c, level, va, pa, chunk)) {
			if (c->pass == PASS_COMMIT) {
				write_leaf(c, slot, level, pa);
			}
		} else if (!c->unmap || (*slot & pt->fmt->present)) {
			if (!is_table(pt, *slot, level)) {
				rc = grow(pt, slot, level);
				if (rc) {
					return rc;
				}
			}
			below = table_at(*slot);
			rc = change_level(c, below, level - 1, va, pa, chunk);
			if (rc) {
				return rc;
			}
			if (c->pass == PASS_COMMIT && c->unmap && is_empty(below)) {
				store(pt, slot, 0);
				retire(c->pt, below);
			}
		}
		va += chunk;
		pa += chunk;
		size -= chunk;
	}
	return 0;
}

/** va, pa and size are whole pages, and the range lies in the space of the table. */
static bool range_ok(const struct ptab *pt, uint64_t va, uint64_t pa, uint64_t size)
{
	uint64_t space = ptab_level_size(pt->fmt->levels + 1);

	return size && IS_ALIGNED(va | pa | size, PAGE_SIZE) && size <= space &&
	       va <= space - size && pa + size > pa;
}

static int change_range(struct change *c, uint64_t va, uint64_t pa, uint64_t size)
{
	uint64_t *root = hpa_ptr(c->pt->root);
	int rc;

	if (!range_ok(c->pt, va, pa, size)) {
		return -BH_INVAL;
	}
	c->pass = PASS_PREPARE;
	rc = change_level(c, root, c->pt->fmt->levels, va, pa, size);
	if (rc) {
		return rc;
	}
	c->pass = PASS_COMMIT;
	return change_level(c, root, c->pt->fmt->levels, va, pa, size);
}

int ptab_map(struct ptab *pt, uint64_t va, uint64_t pa, uint64_t size, unsigned prot,
	     unsigned memtype)
{
	struct change c = {.pt = pt, .attributes = pt->fmt->leaf(prot, memtype)};

	return change_range(&c, va, pa, size);
}

int ptab_unmap(struct ptab *pt, uint64_t va, uint64_t size)
{
	struct change c = {.pt = pt, .unmap = true};

	return change_range(&c, va, 0, size);
}

int ptab_set_raw(struct ptab *pt, uint64_t va, uint64_t entry)
{
	uint64_t *table = hpa_ptr(pt->root);
	int rc;

	if (!range_ok(pt, va, 0, PAGE_SIZE)) {
		return -BH_INVAL;
	}
	for (unsigned level = pt->fmt->levels; level > 1; level--) {
		uint64_t *slot = &table[va / ptab_level_size(level) % ENTRIES];

		if (!is_table(pt, *slot, level)) {
			rc = grow(pt, slot, level);
			if (rc) {
				return rc;
			}
		}
		table = table_at(*slot);
	}
	store(pt, &table[va / PAGE_SIZE % ENTRIES], entry);
	return 0;
}

static int walk_level(const struct ptab *pt, const uint64_t *table, unsigned level, uint64_t va,
		      ptab_leaf_fn fn, void *ctx)
{
	int rc = 0;

	for (unsigned i = 0; i < ENTRIES && !rc; i++, va += ptab_level_size(level)) {
		if (is_table(pt, table[i], level)) {
			rc = walk_level(pt, table_at(table[i]), level - 1, va, fn, ctx);
		} else if (table[i] & pt->fmt->present) {
			rc = fn(ctx, va, table[i], level);
		}
	}
	return rc;
}

int ptab_walk(const struct ptab *pt, ptab_leaf_fn fn, void *ctx)
{
	return walk_level(pt, hpa_ptr(pt->root), pt->fmt->levels, 0, fn, ctx);
}
