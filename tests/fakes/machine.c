/* SPDX-License-Identifier: Apache-2.0 */
/** RAM at fixed addresses, and what the linker script gives root mode on the target. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct image_layout machine_image = {
	.text = 0x100000,
	.text_end = 0x110000,
	.rodata = 0x110000,
	.rodata_end = 0x118000,
	.data = 0x118000,
	.end = 0x200000,
};

/* The tables that the linker script bounds: one fixup pair, a loader of 256 bytes. */
__asm__(".pushsection .rodata\n"
	".globl link_fixup_start, link_fixup_end, loader_blob, loader_blob_end, trap_stubs\n"
	".balign 16\n"
	"link_fixup_start: .quad 0x100010, 0x100020\n"
	"link_fixup_end:\n"
	"loader_blob: .fill 256, 1, 0xfa\n"
	"loader_blob_end:\n"
	".balign 16\n"
	"trap_stubs: .fill 4096, 1, 0x90\n"
	".popsection");

struct image_layout image_layout(void)
{
	return machine_image;
}

void machine_map_ram(uint64_t base, uint64_t size)
{
	void *at = mmap((void *)base, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

	if (at != (void *)base) {
		abort();
	}
}

void machine_unmap_ram(uint64_t base, uint64_t size)
{
	munmap((void *)base, size);
}

bool machine_lookup(const struct ptab *pt, uint64_t va, uint64_t *ret_entry, unsigned *ret_level)
{
	const uint64_t *table = hpa_ptr(pt->root);
	unsigned level = pt->fmt->levels;
	uint64_t entry;

	for (;; level--) {
		entry = table[va / ptab_level_size(level) % 512];
		if (!(entry & pt->fmt->present) || ptab_is_leaf(entry, level)) {
			break;
		}
		table = hpa_ptr(hpa(ptab_addr(entry, level)));
	}
	*ret_entry = entry;
	*ret_level = level;
	return (entry & pt->fmt->present) && va < ptab_level_size(pt->fmt->levels + 1);
}

void machine_boot_info(struct boot_info *ret, uint64_t top)
{
	memset(ret, 0, sizeof(*ret));
	ret->map[0] = (struct boot_mem){0x10000, 0x90000, BOOT_MEM_RAM};
	ret->map[1] = (struct boot_mem){0xf0000, 0x10000, BOOT_MEM_RESERVED};
	ret->map[2] = (struct boot_mem){0x100000, top - 0x100000, BOOT_MEM_RAM};
	ret->map_count = 3;
}

void machine_add_module(struct boot_info *info, const char *role, const char *cmdline, uint64_t base,
			uint64_t size)
{
	struct boot_module *m = &info->modules[info->module_count++];

	strncpy(m->role, role, sizeof(m->role) - 1);
	m->cmdline = cmdline;
	m->base = base;
	m->size = size;
}
