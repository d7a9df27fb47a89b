/* SPDX-License-Identifier: Apache-2.0 */
/** What the boot loader told us, copied and checked (boot/mbi.c fills it), and our own options. */
#ifndef BH_LIB_BOOT_INFO_H
#define BH_LIB_BOOT_INFO_H

#include "lib/types.h"

#define BOOT_MAP_MAX	 128u
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

/** The screen as the boot loader left it. */
struct boot_screen {
	uint64_t base;	/* physical */
	uint32_t pitch; /* bytes from line to line */
	uint32_t width, height;
	uint8_t depth; /* bits of a dot, or of a character; a multiple of 8; 0: no screen */
	bool text;     /* VGA text memory: width and height in characters */
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
	struct boot_screen screen;
};

/** The one record of this boot. */
const struct boot_info *boot_get(void);
/** The same, for the parser alone. */
struct boot_info *boot_record(void);

/** The module with this role, or NULL. */
const struct boot_module *boot_module(const struct boot_info *info, const char *role);

/** Some module has a byte in [base, base + size). */
bool boot_module_at(const struct boot_info *info, uint64_t base, uint64_t size);

/** Bytes from screen.base on, in whole lines; 0 without a screen. */
uint64_t boot_screen_size(const struct boot_info *info);

/** Copies the value of `name=value` ("" for a bare `name`) from root mode's command line. Returns
 *  whether the option is there. */
bool boot_option(const char *name, char *buf, size_t size);
/** The same as a decimal number; `fallback` if it is absent or malformed. */
uint64_t boot_option_u64(const char *name, uint64_t fallback);

/** Why a step of the start refused, in words for a person; set before returning the error. */
extern const char *boot_error;

/** Sets it, up to 159 characters, and returns -err. */
int boot_fail(enum bh_err err, const char *fmt, ...) BH_PRINTF(2, 3);

#endif
