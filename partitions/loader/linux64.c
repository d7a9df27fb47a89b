/* SPDX-License-Identifier: Apache-2.0 */
/** Linux at another place than it was linked for. PVH enters it in 32-bit mode, which works at the
 * linked address alone; its 64-bit entry finds out where it is, in steps of 2 MiB. Behind the
 * kernel:
 *
 *    zero page, PML4, PDPT, four page directories: 4 GiB identity map of 2 MiB pages
 *
 *  Sources: Linux, Documentation/arch/x86/boot.rst ("64-bit Boot Protocol") and zero-page.rst; SDM
 * 3A, "Initializing IA-32e Mode". */
#include "loader.h"

#define PLACE_FROM 0x1000000ull
#define PLACE_END  0xffe00000ull
#define EXTRA	   (7 * PAGE)

#define ZERO_ACPI_RSDP	  0x070
#define ZERO_RAMDISK_HIGH 0x0c0
#define ZERO_E820_COUNT	  0x1e8
#define ZERO_BOOT_FLAG	  0x1fe
#define ZERO_HEADER	  0x202
#define ZERO_VERSION	  0x206
#define ZERO_LOADER	  0x210
#define ZERO_LOADFLAGS	  0x211
#define ZERO_RAMDISK	  0x218
#define ZERO_CMDLINE	  0x228
#define ZERO_E820	  0x2d0
#define E820_MAX	  128u
#define HDRS		  0x53726448u
#define VERSION		  0x020fu
#define LOADED_HIGH	  1u

#define PTE_TABLE 3u	/* present, writable */
#define PTE_2M	  0x83u /* and a page */
#define CODE_64	  0x00af9b000000ffffull
#define DATA	  0x00cf93000000ffffull

struct e820 {
	uint64_t base, size;
	uint32_t type;
} __attribute__((packed));

struct table_pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

/** start.S: switches to 64-bit mode and enters with RSI = the zero page. */
_Noreturn void linux64_jump(const struct table_pointer *gdt, uint32_t pml4, uint32_t entry,
			    uint32_t zero_page);

static uint64_t align_2m(uint64_t value)
{
	return (value + PAGE_2M - 1) & ~(uint64_t)(PAGE_2M - 1);
}

uint32_t linux64_place(const struct start_info *info, const struct kernel *k)
{
	uint64_t size = ((uint64_t)k->high - k->low + PAGE - 1) / PAGE * PAGE + EXTRA;

	if (!k->entry64 || k->low % PAGE_2M || k->entry64 < k->low || k->entry64 >= k->high) {
		loader_stop("firmware keeps memory where this kernel must lie, and it cannot lie "
			    "elsewhere");
	}
	for (uint64_t at = PLACE_FROM; at + size <= PLACE_END; at = align_2m(at + 1)) {
		if (loader_is_ram(info, at, at + size) && at > k->low &&
		    !loader_in_the_way(info, k, info->module_count, at, at + size)) {
			return (uint32_t)at;
		}
	}
	loader_stop("kernel does not fit into memory");
}

static void put32(uint8_t *zero_page, uint32_t offset, uint32_t value)
{
	*(uint32_t *)(zero_page + offset) = value;
}

/** Everything else in it is zero. */
static void fill_zero_page(uint8_t *page, const struct start_info *info)
{
	const struct module *ramdisk = (const void *)(uint32_t)info->modlist;
	const struct mem *map = (const void *)(uint32_t)info->memmap;
	struct e820 *e820 = (void *)(page + ZERO_E820);

	put32(page, ZERO_ACPI_RSDP, (uint32_t)info->rsdp);
	*(uint16_t *)(page + ZERO_BOOT_FLAG) = 0xaa55;
	put32(page, ZERO_HEADER, HDRS);
	*(uint16_t *)(page + ZERO_VERSION) = VERSION;
	page[ZERO_LOADER] = 0xff;
	page[ZERO_LOADFLAGS] = LOADED_HIGH;
	put32(page, ZERO_CMDLINE, (uint32_t)info->cmdline);
	if (info->module_count) {
		put32(page, ZERO_RAMDISK, (uint32_t)ramdisk->base);
		put32(page, ZERO_RAMDISK + 4, (uint32_t)ramdisk->size);
	}
	if (info->memmap_count > E820_MAX) {
		loader_stop("the memory map has more than 128 regions");
	}
	for (uint32_t i = 0; i < info->memmap_count; i++) {
		e820[i] = (struct e820){map[i].base, map[i].size, map[i].type};
	}
	page[ZERO_E820_COUNT] = (uint8_t)info->memmap_count;
}

static void fill_tables(uint64_t *pml4)
{
	uint64_t *pdpt = pml4 + PAGE / 8, *pd = pdpt + PAGE / 8;

	pml4[0] = (uint32_t)pdpt | PTE_TABLE;
	for (uint32_t i = 0; i < 4; i++) {
		pdpt[i] = ((uint32_t)pd + i * PAGE) | PTE_TABLE;
	}
	for (uint32_t i = 0; i < 2048; i++) {
		pd[i] = (uint64_t)i * PAGE_2M | PTE_2M;
	}
}

_Noreturn void linux64_enter(const struct start_info *info, const struct kernel *k)
{
	uint32_t behind = (k->high + k->moved_by + PAGE - 1) / PAGE * PAGE;
	uint32_t pml4 = behind + PAGE, entry = k->entry64 + k->moved_by;
	uint64_t gdt[] = {0, 0, CODE_64, DATA};
	struct table_pointer gdtr = {sizeof(gdt) - 1, (uint32_t)gdt};
	uint32_t words = EXTRA / 4, at = behind;

	__asm__ volatile("rep stosl" : "+D"(at), "+c"(words) : "a"(0) : "memory");
	fill_zero_page((uint8_t *)behind, info);
	fill_tables((uint64_t *)pml4);
	linux64_jump(&gdtr, pml4, entry, behind);
}
