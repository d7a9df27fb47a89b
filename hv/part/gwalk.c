/* SPDX-License-Identifier: Apache-2.0 */
/** Guest page walk in the three paging modes. */
#include "part/gwalk.h"

#include "cpu/msr.h"
#include "lib/string.h"

#define ENTRY_PRESENT 1ull
#define ENTRY_LARGE   BIT(7)
#define ADDR_MASK     0x000ffffffffff000ull

static int read_entry(const struct part *part, uint64_t gpa, unsigned size, uint64_t *ret)
{
	const void *at = part_memory(part, gpa, size);

	*ret = at ? load_le(at, size) : 0;
	return *ret & ENTRY_PRESENT ? 0 : -BH_RANGE;
}

static int walk(const struct part *part, uint64_t table, unsigned levels, unsigned index_bits,
		unsigned entry_size, bool large_ok, uint64_t linear, uint64_t *ret_gpa)
{
	for (unsigned level = levels; level > 0; level--) {
		unsigned shift = 12 + index_bits * (level - 1);
		uint64_t index = (linear >> shift) & (BIT(index_bits) - 1);
		uint64_t entry;

		if (read_entry(part, table + index * entry_size, entry_size, &entry) != 0) {
			return -BH_RANGE;
		}
		if (level == 1 || (level <= 3 && large_ok && (entry & ENTRY_LARGE) && level < 4)) {
			uint64_t size_mask = BIT(shift) - 1;

			*ret_gpa = (entry & ADDR_MASK & ~size_mask) | (linear & size_mask);
			return 0;
		}
		table = entry & ADDR_MASK;
	}
	return -BH_RANGE;
}

int gwalk_translate(const struct part *part, const struct backend_mode *mode, uint64_t linear,
		    uint64_t *ret_gpa)
{
	if (!(mode->cr0 & CR0_PG)) {
		*ret_gpa = linear & 0xffffffff;
		return 0;
	}
	if (mode->efer & EFER_LMA) {
		return walk(part, mode->cr3 & ADDR_MASK, 4, 9, 8, true, linear, ret_gpa);
	}
	linear &= 0xffffffff;
	if (mode->cr4 & CR4_PAE) {
		uint64_t pdpte;

		if (read_entry(part, (mode->cr3 & 0xffffffe0) + (linear >> 30) * 8, 8, &pdpte) !=
		    0) {
			return -BH_RANGE;
		}
		return walk(part, pdpte & ADDR_MASK, 2, 9, 8, true, linear, ret_gpa);
	}
	return walk(part, mode->cr3 & 0xfffff000, 2, 10, 4, mode->cr4 & CR4_PSE, linear, ret_gpa);
}

size_t gwalk_copy_in(struct part *part, const struct backend_mode *mode, uint64_t linear, void *dst,
		     size_t size)
{
	size_t done = 0;

	while (done < size) {
		uint64_t at = linear + done, gpa;
		size_t in_page = PAGE_SIZE - (at & (PAGE_SIZE - 1));
		size_t take = MIN(in_page, size - done);

		if (gwalk_translate(part, mode, at, &gpa) != 0 ||
		    part_copy_in(part, gpa, (uint8_t *)dst + done, take) != 0) {
			break;
		}
		done += take;
	}
	return done;
}
