/* SPDX-License-Identifier: Apache-2.0 */
/** What the boot loader told us, copied and checked, and the order in which root mode starts. */
#ifndef BH_BOOT_BOOT_H
#define BH_BOOT_BOOT_H

#include "lib/types.h"

#define BOOT_MAP_MAX	 64u
#define BOOT_MODULE_MAX	 16u
#define BOOT_CMDLINE_MAX 1024u
#define BOOT_STRINGS_MAX 4096u

/** Memory types of the multiboot2 map; the numbers of E820. */
enum boot_mem_type {
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3,
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5
};

struct boot_mem {
	uint64_t base, size; /* bytes; sorted, no overlap */
	uint32_t type;	     /* enum boot_mem_type */
};

struct boot_module {
	char role[16];	     /* first word of its string */
	const char *cmdline; /* the rest, in boot_info.strings */
	uint64_t base, size; /* bytes */
};

struct boot_info {
	uint64_t tsc_entry; /* TSC at our first instruction */
	uint32_t map_count;
	uint32_t module_count;
	struct boot_mem map[BOOT_MAP_MAX];
	struct boot_module modules[BOOT_MODULE_MAX];
	char cmdline[BOOT_CMDLINE_MAX];
	char strings[BOOT_STRINGS_MAX];
	uint32_t strings_used;
	uint32_t rsdp_size; /* 0: the loader gave none */
	uint8_t rsdp[64];   /* copy from the loader */
};

/** Why mbi_parse or another step refused, in words for a person. */
extern const char *boot_error;

/** Parses a multiboot2 information structure of `size` bytes. *ret is filled wholly or, on error,
 * in part. Errors: -BH_CORRUPT, -BH_NOMEM (too many modules, regions or text); boot_error says
 * what. Source: Multiboot2 specification 2.0, "Boot information format". */
BH_MUST_CHECK int mbi_parse(const void *mbi, size_t size, struct boot_info *ret);

/** The one record of this boot. */
const struct boot_info *boot_get(void);

/** The module with this role, or NULL. */
const struct boot_module *boot_module(const struct boot_info *info, const char *role);

/** Copies the value of `name=value` (or "" for a bare `name`) of root mode's command line. Returns
 * whether it is there. */
bool boot_option(const char *name, char *buf, size_t size);
/** The same as a decimal number; `fallback` if it is absent or malformed. */
uint64_t boot_option_u64(const char *name, uint64_t fallback);

/** Prints "bulkhead: cannot start: <what>; <what to do>" and halts. */
BH_NORETURN void boot_refuse(const char *what, const char *remedy);
/** Prints "bulkhead: halted" and stops this CPU for ever. */
BH_NORETURN void boot_halt(void);

/** Implemented by hv/part and the back end, called in this order after memory and interrupts are
 * up. */
BH_MUST_CHECK int policy_init(const struct boot_info *info);
/** RAM each partition but the control partition needs, in bytes; returns how many sizes were
 * written. */
unsigned policy_pool_sizes(uint64_t *ret_sizes, unsigned max);
BH_MUST_CHECK int backend_init(void);
BH_MUST_CHECK int control_init(const struct boot_info *info, gpa_t start_info, gpa_t entry);
BH_NORETURN void sched_run(void);

#endif
