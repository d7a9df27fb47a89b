/* SPDX-License-Identifier: Apache-2.0 */
/** Buses without assigned devices share one context table, in which every device is the control
 *  partition's; so hot-plugged and renumbered ones are held too:
 *
 *    root[bus] -> shared: 256 x control's domain       or a copy, in which one device has another
 * entry entry     -> domain = partition + 1, second-level table
 */
#include "iommu/domain.h"

#include "abi/types.h"
#include "cpu/insn.h"
#include "dbg/check.h"
#include "lib/string.h"
#include "mem/frames.h"

#define CACHE_LINE 64u

#define SL_SNOOP BIT(11)
#define SL_LARGE BIT(7)
#define SL_RW	 3u
#define SL_ADDR	 0x000ffffffffff000ull

#define PRESENT	     BIT(0)
#define NO_FAULTS    BIT(1)
#define DOMAIN_SHIFT 8 /* of the upper word; the lower bits are the depth */
#define VERIFY_ID    BIT(18)

_Static_assert(PTAB_READ == 1 && PTAB_WRITE == 2,
	       "protection bits are those of second-level entries");

/** Root, context and interrupt entries have two words; the unit reads the lower one for PRESENT. */
struct entry {
	uint64_t low, high;
};
#define ENTRIES 256u

static struct domain_limits limits;
static struct entry *root, *shared, *interrupts;
static struct ptab spaces[BH_PART_MAX];

static void wrote(const void *at, size_t size)
{
	for (size_t i = 0; i < size && !limits.coherent; i += CACHE_LINE) {
		insn_clflush((const uint8_t *)at + i);
	}
}

static uint64_t make_leaf(uint64_t pa, unsigned level, unsigned prot, unsigned memtype)
{
	return pa | (prot & SL_RW) | (limits.snoop ? SL_SNOOP : 0) | (level > 1 ? SL_LARGE : 0);
}

static uint64_t make_table(uint64_t pa)
{
	return pa | SL_RW;
}

static bool is_present(uint64_t entry)
{
	return entry & SL_RW;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || entry & SL_LARGE;
}

static uint64_t entry_addr(uint64_t entry, unsigned level)
{
	return entry & SL_ADDR & (is_leaf(entry, level) ? ~(ptab_level_size(level) - 1) : ~0ull);
}

static struct ptab_format format = {
	.leaf = make_leaf,
	.table = make_table,
	.present = is_present,
	.is_leaf = is_leaf,
	.addr = entry_addr,
	.wrote = wrote,
};

/** Never seen half-written as present. */
static void set_entry(struct entry *at, uint64_t low, uint64_t high)
{
	__atomic_store_n(&at->low, at->low & ~PRESENT, __ATOMIC_SEQ_CST);
	__atomic_store_n(&at->high, high, __ATOMIC_SEQ_CST);
	__atomic_store_n(&at->low, low, __ATOMIC_SEQ_CST);
	wrote(at, sizeof(*at));
}

static int make_entries(struct entry **ret)
{
	hpa_t frame;
	int err = frame_alloc(&frame);

	if (!err) {
		*ret = hpa_ptr(frame);
		wrote(*ret, PAGE_SIZE);
	}
	return err;
}

static uint64_t domain_word(unsigned part)
{
	return (uint64_t)(part + 1) << DOMAIN_SHIFT | (limits.levels - 2);
}

int domain_init(const struct domain_limits *wanted)
{
	int err;

	limits = *wanted;
	format.levels = limits.levels;
	format.max_leaf_level = limits.max_leaf;
	memset(spaces, 0, sizeof(spaces));
	err = make_entries(&root);
	err = err ? err : make_entries(&shared);
	err = err ? err : make_entries(&interrupts);
	err = err ? err : domain_create(BH_PART_CONTROL);
	if (err) {
		return err;
	}
	for (unsigned i = 0; i < ENTRIES; i++) {
		set_entry(&shared[i], spaces[BH_PART_CONTROL].root.v | PRESENT,
			  domain_word(BH_PART_CONTROL));
		set_entry(&root[i], ptr_hpa(shared).v | PRESENT, 0);
	}
	return 0;
}

hpa_t domain_root(void)
{
	return ptr_hpa(root);
}

hpa_t domain_interrupts(void)
{
	return ptr_hpa(interrupts);
}

struct ptab *domain_space(unsigned part)
{
	return spaces[part].root.v ? &spaces[part] : NULL;
}

int domain_create(unsigned part)
{
	return ptab_init(&spaces[part], &format);
}

void domain_destroy(unsigned part)
{
	ptab_fini(&spaces[part]);
}

static struct entry *entry_of(uint16_t source)
{
	struct entry *table = hpa_ptr(hpa(root[source >> 8].low & SL_ADDR));

	return &table[source & 0xff];
}

/** Gives the bus of the device a context table of its own. */
static int own_bus(uint16_t source)
{
	struct entry *at = &root[source >> 8], *table;
	int err;

	if ((at->low & SL_ADDR) != ptr_hpa(shared).v) {
		return 0;
	}
	err = make_entries(&table);
	if (err) {
		return err;
	}
	memcpy(table, shared, PAGE_SIZE);
	wrote(table, PAGE_SIZE);
	set_entry(at, ptr_hpa(table).v | PRESENT, 0);
	return 0;
}

int domain_set_device(uint16_t source, unsigned part, bool blocked)
{
	int err = own_bus(source);

	if (!err) {
		set_entry(entry_of(source), blocked ? 0 : spaces[part].root.v | PRESENT,
			  domain_word(part));
	}
	return err;
}

unsigned domain_part(uint16_t source, bool *ret_blocked)
{
	const struct entry *entry = entry_of(source);

	*ret_blocked = !(entry->low & PRESENT);
	return (unsigned)(entry->high >> DOMAIN_SHIFT) - 1;
}

int domain_silence(uint16_t source)
{
	int err = own_bus(source);
	struct entry *entry = entry_of(source);

	if (!err) {
		set_entry(entry, entry->low | NO_FAULTS, entry->high);
	}
	return err;
}

void domain_set_interrupt(unsigned index, uint16_t source, unsigned vector, uint32_t apic_id)
{
	uint64_t low = (uint64_t)(apic_id & 0xff) << 40 | (uint64_t)vector << 16 | PRESENT;

	set_entry(&interrupts[index], vector ? low : 0, vector ? VERIFY_ID | source : 0);
}
