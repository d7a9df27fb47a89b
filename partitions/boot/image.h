/* SPDX-License-Identifier: Apache-2.0 */
/** Puts a boot image into the RAM of a partition and says how its first vcpu starts.
 *
 *  Formats, by content: multiboot 1 (ELF32, ELF64), ELF with a PVH entry (Debian's vmlinux), Linux
 *  bzImage (32-bit boot protocol). No libc: the environment gives memcpy, memset, memmove, memcmp and
 *  strlen. `file`, `initrd` and `cmdline` are untrusted: whatever they hold, nothing outside `ram` is
 *  written and nothing outside them is read.
 *
 *  What lies where in guest-physical memory afterwards: boot structures in [IMAGE_DATA_GPA,
 *  IMAGE_DATA_END), the image where its headers say, the initrd at the top of RAM, 0xa0000..0x100000
 *  left alone (reserved in the memory map that the guest gets; ACPI tables have their place there).
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include "abi/err.h"
#include "abi/part.h"

#define IMAGE_DATA_GPA    0x6000ull
#define IMAGE_DATA_END    0x10000ull
#define IMAGE_CMDLINE_MAX 4095u /* bytes without the final 0 */
#define IMAGE_RAM_MAX     0xc0000000ull

/** Loads `file` (size bytes) with an optional initrd (NULL, 0) and command line (0-terminated,
 *  may be NULL) into ram[0, ram_size), which the guest sees from address 0 on. acpi_rsdp_gpa is
 *  passed on to Linux, 0 = none; so is tsc_khz, 0 = unknown, as the first word of its command
 *  line: on a CPU that is not Intel's Linux looks for the rate nowhere else but in timers that a
 *  guest does not have. ram_size in bytes, 2 MiB..IMAGE_RAM_MAX, multiple of 4 KiB. Returns 0;
 *  -BH_INVAL (not an image of a known format, or malformed); -BH_RANGE (does not fit into this
 *  RAM); -BH_NOSUPP (needs something that we do not offer). *ret_start is untouched on failure,
 *  RAM is not. Source: Multiboot Specification 0.6.96 "Machine state"; Xen "x86/HVM direct boot
 *  ABI"; Linux Documentation/arch/x86/boot.rst "32-bit Boot Protocol". */
int image_load(const void *file, size_t size, const void *initrd, size_t initrd_size,
	       const char *cmdline, void *ram, uint64_t ram_size, uint64_t acpi_rsdp_gpa,
	       uint32_t tsc_khz, struct bh_vcpu_start *ret_start);

#endif
