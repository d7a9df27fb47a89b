/* SPDX-License-Identifier: Apache-2.0 */
/** Start information of the control partition, and the loader that reads it, in one block of the
 *  partition's low memory:
 *
 *    block            start info, module list, memory map, strings
 *    block + LOADER   loader (position independent), its data and its stack
 *    block + RSDP     copy of the ACPI root pointer, a page that the kernel's map says to keep */
#include "boot/pvh.h"

#include "acpi/acpi.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/control.h"

#define LOW_FROM    0x2000ull /* BIOS data below */
#define LOW_TO	    0xa0000ull
#define INFO_SIZE   0x4000ull
#define LOADER_SIZE 0x10000ull
#define RSDP_OFFSET (INFO_SIZE + LOADER_SIZE)
#define BLOCK_SIZE  (RSDP_OFFSET + PAGE_SIZE)
#define MAP_MAX	    256u
#define TEXT_MAX    (BOOT_STRINGS_MAX + BOOT_MODULE_MAX * 20u + 20u)

/** Loader image from partitions/loader; entry at its first byte. */
extern const uint8_t loader_blob[], loader_blob_end[];

struct block {
	struct pvh_start_info info;
	struct pvh_module modules[BOOT_MODULE_MAX];
	struct pvh_mem map[MAP_MAX];
	char text[TEXT_MAX];
};
_Static_assert(sizeof(struct block) <= INFO_SIZE, "start information block");

struct writer {
	struct block *block;
	size_t text_used;
};

uint64_t pvh_find_low(const struct boot_info *info, uint64_t size)
{
	for (uint64_t at = LOW_FROM; at + size <= LOW_TO; at += PAGE_SIZE) {
		if (frame_range_owned(hpa(at), size, BH_PART_CONTROL) &&
		    !boot_module_at(info, at, size)) {
			return at;
		}
	}
	return 0;
}

/** Fits by TEXT_MAX: the strings of the boot record, and one role each. The kernel finds every CPU of the
 * machine in the MADT, and would wait long for those that it does not get. */
static uint64_t add_text(struct writer *w, const struct boot_module *m)
{
	char *at = w->block->text + w->text_used, limit[20] = "";
	size_t room = sizeof(w->block->text) - w->text_used;
	unsigned count = control_vcpu_count();

	if (strcmp(m->role, "kernel") == 0 && count < acpi_get()->cpu_found) {
		fmt_snprintf(limit, sizeof(limit), " nr_cpus=%u", count);
	}
	w->text_used += fmt_snprintf(at, room, m->cmdline[0] ? "%s %s%s" : "%s%s%s", m->role,
				     m->cmdline, limit) +
			1;
	return ptr_hpa(at).v;
}

static void add_module(struct writer *w, const struct boot_module *m)
{
	struct pvh_start_info *info = &w->block->info;

	w->block->modules[info->module_count++] = (struct pvh_module){
		.base = m->base,
		.size = m->size,
		.cmdline = add_text(w, m),
	};
}

/** The kernel comes first, then the others in order; the policy stays with root mode. */
static void add_modules(struct writer *w, const struct boot_info *info)
{
	const struct boot_module *kernel = boot_module(info, "kernel");

	if (kernel) {
		add_module(w, kernel);
	}
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->modules[i];

		if (m != kernel && strcmp(m->role, "policy") != 0) {
			add_module(w, m);
		}
	}
}

static int add_region(struct writer *w, uint64_t base, uint64_t size, uint32_t type)
{
	struct pvh_start_info *info = &w->block->info;
	uint32_t at = info->memmap_count;

	if (at == MAP_MAX) {
		boot_error = "the memory map of the control partition has too many regions";
		return BH_FAIL(BH_NOMEM);
	}
	for (; at && w->block->map[at - 1].base > base; at--) {
		w->block->map[at] = w->block->map[at - 1];
	}
	w->block->map[at] = (struct pvh_mem){.base = base, .size = size, .type = type};
	info->memmap_count++;
	return 0;
}

/** RAM of the partition, but for the page that the kernel must leave alone. */
static int add_own(struct writer *w, uint64_t base, uint64_t size)
{
	uint64_t page = ptr_hpa(w->block).v + RSDP_OFFSET, after = page + PAGE_SIZE;
	int rc;

	if (page < base || page >= base + size) {
		return add_region(w, base, size, BOOT_MEM_RAM);
	}
	rc = add_region(w, base, page - base, BOOT_MEM_RAM); /* the block lies before the page */
	rc = rc ? rc : add_region(w, page, PAGE_SIZE, BOOT_MEM_ACPI);
	if (!rc && after < base + size) {
		rc = add_region(w, after, base + size - after, BOOT_MEM_RAM);
	}
	return rc;
}

/** RAM by owner, so that what is not the partition's own is reserved; all else as the firmware
 * says. */
static int add_map(struct writer *w, const struct boot_info *info)
{
	uint64_t base = 0, size;
	unsigned owner;
	int rc = 0;

	for (; !rc && frame_run_next(&base, &size, &owner); base += size) {
		if (owner == FRAME_PART0 + BH_PART_CONTROL) {
			rc = add_own(w, base, size);
		} else if (owner != FRAME_ABSENT) {
			rc = add_region(w, base, size, BOOT_MEM_RESERVED);
		}
	}
	for (uint32_t i = 0; !rc && i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		if (m->type != BOOT_MEM_RAM) {
			/* GRUB has numbers of its own for what only UEFI knows */
			rc = add_region(w, m->base, m->size,
					m->type <= BOOT_MEM_BAD ? m->type : BOOT_MEM_RESERVED);
		}
	}
	return rc;
}

int pvh_write(const struct boot_info *info, gpa_t *ret_start_info, gpa_t *ret_loader_entry)
{
	size_t loader_size = (size_t)(loader_blob_end - loader_blob);
	uint64_t at = pvh_find_low(info, BLOCK_SIZE);
	struct writer w = {.block = hpa_ptr(hpa(at))};
	int rc;

	BH_CHECK(loader_size < LOADER_SIZE / 2);
	if (!at) {
		boot_error = "no room for the loader in the RAM below 640 KiB";
		return BH_FAIL(BH_NOMEM);
	}
	memset(w.block, 0, BLOCK_SIZE);
	w.block->info.magic = PVH_MAGIC;
	w.block->info.version = PVH_VERSION;
	w.block->info.modlist = ptr_hpa(w.block->modules).v;
	w.block->info.memmap = ptr_hpa(w.block->map).v;
	w.block->info.rsdp = acpi_get()->rsdp;
	if (info->rsdp_size) { /* UEFI keeps it where only the boot loader finds it */
		memcpy(hpa_ptr(hpa(at + RSDP_OFFSET)), info->rsdp, sizeof(info->rsdp));
		w.block->info.rsdp = at + RSDP_OFFSET;
	}
	add_modules(&w, info);
	rc = add_map(&w, info);
	if (rc) {
		return rc;
	}
	memcpy(hpa_ptr(hpa(at + INFO_SIZE)), loader_blob, loader_size);
	*ret_start_info = gpa(at);
	*ret_loader_entry = gpa(at + INFO_SIZE);
	return 0;
}
