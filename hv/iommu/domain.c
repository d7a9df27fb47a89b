/* SPDX-License-Identifier: Apache-2.0 */
/** Buses without assigned devices share one context table, in which every device is the control
 *  partition's; so hot-plugged and renumbered ones are held too:
 *
 *    root[bus] -> shared: 256 x control's domain       or a copy, in which one device has another
 * entry entry     -> number of the domain, second-level table
 */
#include "iommu/domain.h"

#include "cpu/insn.h"
#include "lib/string.h"
#include "mem/frames.h"

#define CACHE_LINE 64u

#define SL_SNOOP BIT(11)
#define SL_RW	 3u

#define PRESENT	     BIT(0)
#define DOMAIN_SHIFT 8 /* of the upper word; the lower bits are the depth */
#define VERIFY_ID    BIT(18)

_Static_assert(PTAB_READ == 1 && PTAB_WRITE == 2, "protection bits are those of these entries");

/** Root, context and interrupt entries have two words; the unit reads the lower one for PRESENT. */
struct entry {
	uint64_t low, high;
};
#define ENTRIES 256u

hpa_t domain_root, domain_interrupts;
struct ptab domain_space[DOMAIN_COUNT];

static struct domain_limits limits;
static hpa_t shared;

static void wrote(const void *at, size_t size)
{
	for (size_t i = 0; i < size && !limits.coherent; i += CACHE_LINE) {
		insn_clflush((const uint8_t *)at + i);
	}
}

static uint64_t attributes(unsigned prot, unsigned memtype)
{
	return (prot & SL_RW) | (limits.snoop ? SL_SNOOP : 0);
}

static struct ptab_format format = {
	.present = SL_RW,
	.table = SL_RW,
	.leaf = attributes,
	.wrote = wrote,
};

/** Never seen half-written as present. */
static void set_entry(hpa_t table, unsigned index, uint64_t low, uint64_t high)
{
	struct entry *at = (struct entry *)hpa_ptr(table) + index;

	__atomic_store_n(&at->low, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&at->high, high, __ATOMIC_SEQ_CST);
	__atomic_store_n(&at->low, low, __ATOMIC_SEQ_CST);
	wrote(at, sizeof(*at));
}

/** Puts the device into the domain, or nowhere, by its entry in this context table. */
static void set_context(hpa_t table, unsigned index, unsigned domain, bool blocked)
{
	set_entry(table, index, blocked ? 0 : domain_space[domain].root.v | PRESENT,
		  (uint64_t)(domain + 1) << DOMAIN_SHIFT | (limits.levels - 2));
}

int domain_init(const struct domain_limits *wanted)
{
	int err;

	limits = *wanted;
	format.levels = limits.levels;
	format.max_leaf_level = limits.max_leaf;
	memset(domain_space, 0, sizeof(domain_space));
	err = frame_alloc(&domain_root);
	err = err ? err : frame_alloc(&shared);
	err = err ? err : frame_alloc(&domain_interrupts);
	err = err ? err : domain_create(DOMAIN_CONTROL);
	for (unsigned i = 0; i < ENTRIES && !err; i++) {
		set_context(shared, i, DOMAIN_CONTROL, false);
		set_entry(domain_root, i, shared.v | PRESENT, 0);
		set_entry(domain_interrupts, i, 0, 0);
	}
	return err;
}

int domain_create(unsigned domain)
{
	return ptab_init(&domain_space[domain], &format);
}

int domain_set_device(uint16_t source, unsigned domain, bool blocked)
{
	const struct entry *bus = (const struct entry *)hpa_ptr(domain_root) + (source >> 8);
	hpa_t table = hpa(bus->low & PTAB_ADDR);
	int err;

	if (table.v == shared.v) {
		err = frame_alloc(&table);
		if (err) {
			return err;
		}
		memcpy(hpa_ptr(table), hpa_ptr(shared), PAGE_SIZE);
		wrote(hpa_ptr(table), PAGE_SIZE);
		set_entry(domain_root, source >> 8, table.v | PRESENT, 0);
	}
	set_context(table, source & 0xff, domain, blocked);
	return 0;
}

void domain_set_interrupt(unsigned index, uint16_t source, unsigned vector, uint32_t apic_id)
{
	uint64_t low = (uint64_t)(apic_id & 0xff) << 40 | (uint64_t)vector << 16 | PRESENT;

	set_entry(domain_interrupts, index, vector ? low : 0, VERIFY_ID | source);
}
