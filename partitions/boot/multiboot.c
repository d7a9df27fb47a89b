/* SPDX-License-Identifier: Apache-2.0 */
/** Multiboot 1: header search and the information structure that EBX points to.
 *  Source: Multiboot Specification 0.6.96, "Header layout", "Boot information format". */
#include <string.h>
#include "formats.h"

#define MB_HEADER_MAGIC  0x1badb002u
#define MB_LOADER_MAGIC  0x2badb002u
#define MB_SEARCH        8192u
#define MB_HEADER_ALIGN  0x1u /* modules page aligned: they always are */
#define MB_HEADER_MEMORY 0x2u /* memory fields: always given */
#define MB_HEADER_MUST   0xffffu

#define MB_INFO_MEMORY  (1u << 0)
#define MB_INFO_CMDLINE (1u << 2)
#define MB_INFO_MODULES (1u << 3)
#define MB_INFO_MAP     (1u << 6)
#define MB_INFO_LOADER  (1u << 9)

struct mb_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint8_t video[38];
	uint8_t pad[6];
};
_Static_assert(sizeof(struct mb_info) == 116, "multiboot info");
_Static_assert(offsetof(struct mb_info, mmap_length) == 44, "multiboot info");

struct mb_module {
	uint32_t start, end, string, reserved;
};

struct mb_map {
	uint32_t size; /* of the rest of the entry */
	uint64_t addr, length;
	uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct mb_map) == 24, "multiboot map entry");

/* Offset of the header flags, or 0 when there is no header. */
static size_t header_find(const struct image_request *rq)
{
	size_t end = rq->size < MB_SEARCH ? rq->size : MB_SEARCH;

	for (size_t at = 0; at + 12 <= end; at += 4) {
		uint32_t words[3];

		memcpy(words, rq->file + at, sizeof(words));
		if (words[0] == MB_HEADER_MAGIC && words[0] + words[1] + words[2] == 0) {
			return at + 4;
		}
	}
	return 0;
}

bool multiboot_check(const struct image_request *rq)
{
	return header_find(rq) != 0;
}

static int modules_load(const struct image_request *rq, struct window *w, struct mb_info *info)
{
	uint64_t initrd, list, string;
	int err = image_load_initrd(rq, w, UINT64_MAX, &initrd);

	if (err != 0 || initrd == 0) {
		return err;
	}
	err = window_string(w, NULL, "", &string);
	if (err != 0) {
		return err;
	}
	err = window_data(w, sizeof(struct mb_module), &list);
	if (err != 0) {
		return err;
	}
	const struct mb_module module = {
		.start = (uint32_t)initrd,
		.end = (uint32_t)(initrd + rq->initrd_size),
		.string = (uint32_t)string,
	};

	memcpy(window_at(w, list), &module, sizeof(module));
	info->flags |= MB_INFO_MODULES;
	info->mods_count = 1;
	info->mods_addr = (uint32_t)list;
	return 0;
}

int multiboot_load(const struct image_request *rq, const struct elf_image *elf, struct window *w,
		   struct bh_vcpu_start *ret_start)
{
	struct window_map_entry map[WINDOW_MAP_COUNT];
	struct mb_map mb_map[WINDOW_MAP_COUNT];
	uint64_t info_gpa, map_gpa, cmdline, loader;
	struct mb_info info = { 0 };
	uint32_t flags;

	memcpy(&flags, rq->file + header_find(rq), sizeof(flags));
	if ((flags & MB_HEADER_MUST & ~(MB_HEADER_ALIGN | MB_HEADER_MEMORY)) != 0) {
		return -BH_NOSUPP;
	}
	int err = elf_load(elf, w);

	if (err != 0) {
		return err;
	}
	if (!elf_contains(elf, elf->entry)) {
		return -BH_INVAL;
	}
	if ((err = window_data(w, sizeof(info), &info_gpa)) != 0 ||
	    (err = window_data(w, sizeof(mb_map), &map_gpa)) != 0 ||
	    (err = window_string(w, "guest", rq->cmdline, &cmdline)) != 0 ||
	    (err = window_string(w, NULL, "bulkhead", &loader)) != 0 ||
	    (err = modules_load(rq, w, &info)) != 0) {
		return err;
	}
	window_map(w, map);
	for (uint32_t i = 0; i < WINDOW_MAP_COUNT; i++) {
		mb_map[i] = (struct mb_map){
			.size = sizeof(struct mb_map) - sizeof(uint32_t),
			.addr = map[i].addr,
			.length = map[i].size,
			.type = map[i].type,
		};
	}
	info.flags |= MB_INFO_MEMORY | MB_INFO_CMDLINE | MB_INFO_MAP | MB_INFO_LOADER;
	info.mem_lower = (uint32_t)(map[0].size >> 10);
	info.mem_upper = (uint32_t)(map[2].size >> 10);
	info.cmdline = (uint32_t)cmdline;
	info.mmap_length = sizeof(mb_map);
	info.mmap_addr = (uint32_t)map_gpa;
	info.boot_loader_name = (uint32_t)loader;
	memcpy(window_at(w, map_gpa), mb_map, sizeof(mb_map));
	memcpy(window_at(w, info_gpa), &info, sizeof(info));
	*ret_start = (struct bh_vcpu_start){
		.mode = BH_VCPU_FLAT32,
		.rip = elf->entry,
		.rax = MB_LOADER_MAGIC,
		.rbx = info_gpa,
	};
	return 0;
}
