/* SPDX-License-Identifier: Apache-2.0 */
/** Root mode's own page tables. Everything is mapped at its physical address:
 *
 *    page 0              -          BIOS data; a NULL pointer faults
 *    RAM                 RW, NX     partitions' RAM too: root mode zeroes it and copies from it
 *    image text          R, X
 *    image rodata        R, NX
 *    guards of stacks    -
 *    screen              RW, NX     uncached, until the control partition starts
 *
 *  Source: SDM 3A, "4-Level Paging and 5-Level Paging". */
#include "mem/hspace.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "mem/frames.h"
#include "mem/image.h"
#include "mem/ptab.h"

#define PTE_P	 BIT(0)
#define PTE_W	 BIT(1)
#define PTE_PCD	 BIT(4)
#define PTE_PWT	 BIT(3)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PTE_NX	 BIT(63)

static uint64_t attributes(unsigned prot, unsigned memtype)
{
	return PTE_P | PTE_A | PTE_D | (prot & PTAB_WRITE ? PTE_W : 0) |
	       (prot & PTAB_EXECUTE ? 0 : PTE_NX) | (memtype == PTAB_UC ? PTE_PCD | PTE_PWT : 0);
}

static struct ptab_format format = {
	.levels = 4,
	.max_leaf_level = 2,
	.present = PTE_P,
	.table = PTE_P | PTE_W | PTE_A,
	.leaf = attributes,
};

static struct ptab space;

static int map_same(uint64_t base, uint64_t end, unsigned prot)
{
	return base < end ? ptab_map(&space, base, base, end - base, prot, PTAB_WB) : 0;
}

static int map_ram(void)
{
	uint64_t base = 0, size;
	unsigned owner;
	int rc = 0;

	for (; !rc && frame_run_next(&base, &size, &owner); base += size) {
		if (owner != FRAME_ABSENT) {
			rc = map_same(base, base + size, PTAB_READ | PTAB_WRITE);
		}
	}
	return rc;
}

/** Whole pages of the screen's memory. */
static uint64_t screen_pages(uint64_t *ret_base)
{
	const struct boot_info *info = boot_get();
	uint64_t size = boot_screen_size(info);

	*ret_base = ALIGN_DOWN(info->screen.base, PAGE_SIZE);
	return size ? ALIGN_UP(info->screen.base + size, PAGE_SIZE) - *ret_base : 0;
}

static int map_screen(void)
{
	uint64_t base, size = screen_pages(&base);

	return size ? hspace_map_device(hpa(base), size) : 0;
}

int hspace_unmap_screen(void)
{
	uint64_t base, size = screen_pages(&base);
	int rc = size ? ptab_unmap(&space, base, size) : 0;

	insn_write_cr3(insn_read_cr3());
	return rc;
}

static int unmap_guards(void)
{
	int rc = ptab_unmap(&space, 0, PAGE_SIZE);

	for (unsigned i = 0; i < CPU_MAX && !rc; i++) {
		const uint8_t *guards[] = {cpu_stacks[i].guard_main, cpu_stacks[i].guard_df,
					   cpu_stacks[i].guard_nmi, cpu_stacks[i].guard_mc};

		for (unsigned g = 0; g < ARRAY_SIZE(guards) && !rc; g++) {
			rc = ptab_unmap(&space, ptr_hpa(guards[g]).v, PAGE_SIZE);
		}
	}
	return rc;
}

static int check_leaf(void *ctx, uint64_t va, uint64_t entry, unsigned level)
{
	unsigned *leaves = ctx;

	(*leaves)++;
	if ((entry & PTE_W) && !(entry & PTE_NX)) {
		log_error("hspace", "%016lx (level %u) is writable and executable", va, level);
		return -BH_CORRUPT;
	}
	return 0;
}

int hspace_check_wx(unsigned *ret_leaves)
{
	unsigned leaves = 0;
	int rc = ptab_walk(&space, check_leaf, &leaves);

	if (rc) {
		return rc;
	}
	*ret_leaves = leaves;
	return 0;
}

static int build(void)
{
	struct image_layout image = image_layout();
	int rc;

	if (cpuid_has(0x80000001u, CPUID_EDX, CPUID_X1_EDX_1G)) {
		format.max_leaf_level = 3;
	}
	rc = ptab_init(&space, &format);
	rc = rc ? rc : map_ram();
	rc = rc ? rc : map_same(image.text, image.text_end, PTAB_READ | PTAB_EXECUTE);
	rc = rc ? rc : map_same(image.rodata, image.rodata_end, PTAB_READ);
	rc = rc ? rc : map_screen();
	return rc ? rc : unmap_guards();
}

int hspace_init(void)
{
	unsigned leaves;
	int rc = build();

	if (rc) {
		boot_error = "no frames left for root mode's own page tables";
		return rc;
	}
	rc = hspace_check_wx(&leaves);
	if (rc) {
		boot_error = "root mode's page tables break W^X";
		return rc;
	}
	rc = cpu_protect();
	if (rc) {
		return rc;
	}
	insn_write_cr3(space.root.v);
	log_info("hspace", "W^X holds, %u leaves", leaves);
	return 0;
}

int hspace_map_device(hpa_t base, uint64_t size)
{
	return ptab_map(&space, base.v, base.v, size, PTAB_READ | PTAB_WRITE, PTAB_UC);
}

uint64_t hspace_cr3(void)
{
	return space.root.v;
}
