/* SPDX-License-Identifier: Apache-2.0 */
/** Start information of the control partition. Source: Xen, "x86/HVM direct boot ABI"
 * (public/arch-x86/hvm/start_info.h). */
#ifndef BH_BOOT_PVH_H
#define BH_BOOT_PVH_H

#include "lib/types.h"

#define PVH_MAGIC   0x336ec578u
#define PVH_VERSION 1u

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modlist;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_count;
	uint32_t reserved;
};
_Static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info version 1");

struct pvh_module {
	uint64_t base, size, cmdline, reserved;
};

struct pvh_mem {
	uint64_t base, size;
	uint32_t type; /* E820 */
	uint32_t reserved;
};

struct boot_info;

/** RAM of the control partition below 640 KiB that is in no module's way, page aligned; 0: there is none.
 *  Frames must be final. */
uint64_t pvh_find_low(const struct boot_info *info, uint64_t size);

/** Writes the start information and the loader into low memory of the control partition. Frames
 * must be final. Errors: -BH_NOMEM (no room below 640 KiB). */
BH_MUST_CHECK int pvh_write(const struct boot_info *info, gpa_t *ret_start_info,
			    gpa_t *ret_loader_entry);

#endif
