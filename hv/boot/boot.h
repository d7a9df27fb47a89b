/* SPDX-License-Identifier: Apache-2.0 */
/** The start of root mode: from the boot loader's words to the first vcpu. */
#ifndef BH_BOOT_BOOT_H
#define BH_BOOT_BOOT_H

#include "dbg/halt.h"
#include "lib/boot_info.h"

/** Parses a multiboot2 information structure of `size` bytes, which is a private copy.
 *  Errors: -BH_CORRUPT, -BH_NOMEM (too many modules, regions or text); boot_error says what, *ret
 *  is then filled in part. Source: Multiboot2 specification 2.0, "Boot information format". */
BH_MUST_CHECK int mbi_parse(const void *mbi, size_t size, struct boot_info *ret);

/** Called by entry.S in 64-bit mode on the first CPU's stack. */
BH_NORETURN void boot_main(uint32_t magic, uint64_t mbi, uint64_t tsc);

#endif
