/* SPDX-License-Identifier: Apache-2.0 */
/** RAM and image of the machine in host tests. Root mode's pointers are physical addresses, so the fake
 *  RAM lies at its physical address in the test's own address space. */
#ifndef BH_TESTS_FAKES_MACHINE_H
#define BH_TESTS_FAKES_MACHINE_H

#include "lib/boot_info.h"
#include "mem/image.h"
#include "mem/ptab.h"

/** Image of 1 MiB at 1 MiB; tests may change it before frames_init. */
extern struct image_layout machine_image;

/** (Re)creates zeroed RAM at [base, base + size), which must not be below 64 KiB. */
void machine_map_ram(uint64_t base, uint64_t size);
void machine_unmap_ram(uint64_t base, uint64_t size);

/** Walks as the hardware does: the entry that decides va, a leaf or the first that is not present, and its
 *  level. Returns whether it is a present leaf. */
bool machine_lookup(const struct ptab *pt, uint64_t va, uint64_t *ret_entry, unsigned *ret_level);

/** A boot record with RAM [64 KiB, 640 KiB) and [1 MiB, top), and no module. */
void machine_boot_info(struct boot_info *ret, uint64_t top);
/** Adds a module; the bytes are not touched. */
void machine_add_module(struct boot_info *info, const char *role, const char *cmdline, uint64_t base,
			uint64_t size);

#endif
