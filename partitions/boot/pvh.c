/* SPDX-License-Identifier: Apache-2.0 */
/** PVH: the start info that EBX points to.
 *  Source: Xen docs/misc/pvh.pandoc "x86/HVM direct boot ABI", public/arch-x86/hvm/start_info.h. */
#include <string.h>
#include "formats.h"

#define PVH_MAGIC 0x336ec578u

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
_Static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info, version 1");

struct pvh_module {
	uint64_t addr, size, cmdline, reserved;
};

struct pvh_map {
	uint64_t addr, size;
	uint32_t type, reserved;
};

static int modules_load(const struct image_request *rq, struct window *w,
			struct pvh_start_info *info)
{
	uint64_t initrd, list;
	int err = image_load_initrd(rq, w, UINT64_MAX, &initrd);

	if (err != 0 || initrd == 0) {
		return err;
	}
	err = window_data(w, sizeof(struct pvh_module), &list);
	if (err != 0) {
		return err;
	}
	const struct pvh_module module = { .addr = initrd, .size = rq->initrd_size };

	memcpy(window_at(w, list), &module, sizeof(module));
	info->module_count = 1;
	info->modlist = list;
	return 0;
}

int pvh_load(const struct image_request *rq, const struct elf_image *elf, struct window *w,
	     struct bh_vcpu_start *ret_start)
{
	struct pvh_start_info info = { .magic = PVH_MAGIC, .version = 1 };
	struct window_map_entry map[WINDOW_MAP_COUNT];
	struct pvh_map pvh_map[WINDOW_MAP_COUNT];
	char word[IMAGE_WORD_MAX];
	uint64_t info_gpa;

	if (!elf_contains(elf, elf->pvh_entry) || elf->pvh_entry > UINT32_MAX) {
		return -BH_INVAL;
	}
	int err = elf_load(elf, w);

	if (err != 0) {
		return err;
	}
	if ((err = window_data(w, sizeof(info), &info_gpa)) != 0 ||
	    (err = window_data(w, sizeof(pvh_map), &info.memmap)) != 0 ||
	    (err = window_string(w, image_tsc_word(rq, word), rq->cmdline, &info.cmdline)) != 0 ||
	    (err = modules_load(rq, w, &info)) != 0) {
		return err;
	}
	window_map(w, map);
	for (uint32_t i = 0; i < WINDOW_MAP_COUNT; i++) {
		pvh_map[i] = (struct pvh_map){ map[i].addr, map[i].size, map[i].type, 0 };
	}
	info.memmap_count = WINDOW_MAP_COUNT;
	info.rsdp = rq->acpi_rsdp_gpa;
	memcpy(window_at(w, info.memmap), pvh_map, sizeof(pvh_map));
	memcpy(window_at(w, info_gpa), &info, sizeof(info));
	*ret_start = (struct bh_vcpu_start){
		.mode = BH_VCPU_FLAT32,
		.rip = elf->pvh_entry,
		.rbx = info_gpa,
	};
	return 0;
}
