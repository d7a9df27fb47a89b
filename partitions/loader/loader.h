/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the loader share. Sources: Xen, "x86/HVM direct boot ABI". */
#ifndef BH_LOADER_LOADER_H
#define BH_LOADER_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#define PHDR_MAX 64u
#define E820_RAM 1u
#define PAGE	 0x1000u
#define PAGE_2M	 0x200000u

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_count, reserved;
};

struct module {
	uint64_t base, size, cmdline, reserved;
};

struct mem {
	uint64_t base, size;
	uint32_t type, reserved;
};

struct segment {
	uint64_t offset, paddr, filesz, memsz;
};

struct kernel {
	struct segment load[PHDR_MAX];
	uint32_t load_count;
	uint32_t low, high; /* bounds of all segments in memory */
	uint32_t entry;	    /* 0: no PVH note seen */
	uint32_t entry64;   /* of the ELF file; 0: not a 64-bit one */
	uint32_t moved_by;  /* how far above their addresses the segments are */
};

/** Says why on COM1 and halts. */
_Noreturn void loader_stop(const char *why);

/** Called by start.S; returns the address to jump to with EBX = info. */
uint32_t loader_main(struct start_info *info);

/** [base, end) lies in usable RAM. */
bool loader_is_ram(const struct start_info *info, uint64_t base, uint64_t end);
/** Start of what is in the way of [base, end): the kernel's own addresses, or a module but for
 * `self`. 0: nothing. */
uint64_t loader_in_the_way(const struct start_info *info, const struct kernel *k, uint32_t self,
			   uint64_t base, uint64_t end);

/** For a kernel whose own addresses are no RAM: where else it can run, with room for linux64_enter
 * behind it. Stops when there is no such place. */
uint32_t linux64_place(const struct start_info *info, const struct kernel *k);

/** Enters a 64-bit Linux that lies moved_by above its addresses. Its module list is that of the
 * other modules. */
_Noreturn void linux64_enter(const struct start_info *info, const struct kernel *k);

#endif
