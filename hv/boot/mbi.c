/* SPDX-License-Identifier: Apache-2.0 */
/** Parser of the multiboot2 information structure. Every tag is bounded before a byte of it is
 * used. */
#include "boot/boot.h"
#include "lib/string.h"

#define TAG_END	    0u
#define TAG_CMDLINE 1u
#define TAG_MODULE  3u
#define TAG_MMAP    6u
#define TAG_SCREEN  8u
#define TAG_ACPI_1  14u
#define TAG_ACPI_2  15u

struct tag {
	uint32_t type, size;
};

struct tag_module {
	struct tag tag;
	uint32_t start, end; /* physical; end is the first byte after it */
	char text[];
};

struct tag_mmap {
	struct tag tag;
	uint32_t entry_size, entry_version;
};

struct mmap_entry {
	uint64_t base, size;
	uint32_t type, reserved;
};
_Static_assert(sizeof(struct mmap_entry) == 24, "Multiboot2, Memory map");

struct tag_screen {
	struct tag tag;
	uint64_t base;
	uint32_t pitch, width, height;
	uint8_t depth, type;
};
_Static_assert(offsetof(struct tag_screen, type) == 29, "Multiboot2, Framebuffer info");

#define SCREEN_RGB	1u
#define SCREEN_TEXT	2u
#define SCREEN_DOTS_MAX 16384u
#define SCREEN_TOP	BIT(39) /* the tables of the start have one PDPT */
#define VGA_TEXT	0xb8000u
#define VGA_TEXT_SIZE	0x8000u

/** The text that fills the rest of a tag; NULL if it is not terminated inside. */
static const char *tag_text(const struct tag *tag, size_t offset)
{
	const char *text = (const char *)tag + offset;

	for (size_t i = 0; offset + i < tag->size; i++) {
		if (!text[i]) {
			return text;
		}
	}
	return NULL;
}

static int parse_cmdline(const struct tag *tag, struct boot_info *ret)
{
	const char *text = tag_text(tag, sizeof(*tag));

	if (!text) {
		return boot_fail(BH_CORRUPT, "the boot loader's command line is not terminated");
	}
	if (strlcpy(ret->cmdline, text, sizeof(ret->cmdline)) >= sizeof(ret->cmdline)) {
		return boot_fail(BH_NOMEM, "the command line is longer than 1023 characters");
	}
	return 0;
}

/** Splits "role rest of the string" and keeps the rest. */
static int keep_text(const char *text, struct boot_module *module, struct boot_info *ret)
{
	size_t role = 0, rest;

	while (text[role] && text[role] != ' ') {
		role++;
	}
	if (!role || role >= sizeof(module->role)) {
		return boot_fail(BH_CORRUPT, "a boot module's string does not begin with its role");
	}
	memcpy(module->role, text, role);
	module->role[role] = 0;
	while (text[role] == ' ') {
		role++;
	}
	rest = strlen(text + role) + 1;
	if (rest > sizeof(ret->strings) - ret->strings_used) {
		return boot_fail(BH_NOMEM, "the strings of the boot modules are too long");
	}
	module->cmdline = memcpy(ret->strings + ret->strings_used, text + role, rest);
	ret->strings_used += (uint32_t)rest;
	return 0;
}

static int parse_module(const struct tag *tag, struct boot_info *ret)
{
	const struct tag_module *from = (const struct tag_module *)tag;
	struct boot_module *module = &ret->modules[ret->module_count];
	const char *text;
	int rc;

	if (ret->module_count == BOOT_MODULE_MAX) {
		return boot_fail(BH_NOMEM, "more than 16 boot modules");
	}
	if (tag->size <= sizeof(*from) || !(text = tag_text(tag, sizeof(*from)))) {
		return boot_fail(BH_CORRUPT, "a boot module's string is not terminated");
	}
	if (from->end <= from->start) {
		return boot_fail(BH_CORRUPT, "a boot module is empty");
	}
	module->base = from->start;
	module->size = from->end - from->start;
	rc = keep_text(text, module, ret);
	if (rc) {
		return rc;
	}
	ret->module_count++;
	return 0;
}

static void insert_sorted(struct boot_info *ret, const struct mmap_entry *entry)
{
	uint32_t at = ret->map_count++;

	for (; at && ret->map[at - 1].base > entry->base; at--) {
		ret->map[at] = ret->map[at - 1];
	}
	ret->map[at] = (struct boot_mem){entry->base, entry->size, entry->type};
}

static int parse_mmap(const struct tag *tag, struct boot_info *ret)
{
	const struct tag_mmap *from = (const struct tag_mmap *)tag;
	struct mmap_entry entry;

	if (tag->size < sizeof(*from) || from->entry_size < sizeof(entry) ||
	    from->entry_size > 1024) {
		return boot_fail(BH_CORRUPT, "the boot loader's memory map is damaged");
	}
	ret->map_count = 0; /* a second map would replace the first */
	for (size_t at = sizeof(*from); at + sizeof(entry) <= tag->size; at += from->entry_size) {
		memcpy(&entry, (const char *)tag + at, sizeof(entry));
		if (entry.size == 0 || entry.base + entry.size < entry.base) {
			continue;
		}
		if (ret->map_count == BOOT_MAP_MAX) {
			return boot_fail(BH_NOMEM, "more than 128 regions in the memory map");
		}
		insert_sorted(ret, &entry);
	}
	return 0;
}

static void parse_acpi(const struct tag *tag, struct boot_info *ret)
{
	size_t size = tag->size - sizeof(*tag);

	/* the ACPI 2.0 pointer names the XSDT and wins over the old one */
	if (tag->type == TAG_ACPI_1 && ret->rsdp_size > 20) {
		return;
	}
	ret->rsdp_size = (uint32_t)MIN(size, sizeof(ret->rsdp));
	memcpy(ret->rsdp, tag + 1, ret->rsdp_size);
}

/** Keeps a screen that we can write to: whole bytes per dot, lines that do not overlap, of sane
 * size. */
static void parse_screen(const struct tag *tag, struct boot_info *ret)
{
	const struct tag_screen *from = (const struct tag_screen *)tag;
	struct boot_screen screen;
	bool text, dots;
	uint64_t size;

	if (tag->size < offsetof(struct tag_screen, type) + 1) {
		return;
	}
	screen = (struct boot_screen){.base = from->base,
				      .pitch = from->pitch,
				      .width = from->width,
				      .height = from->height,
				      .depth = from->depth,
				      .text = from->type == SCREEN_TEXT};
	size = (uint64_t)screen.pitch * screen.height;
	text = screen.text && screen.base == VGA_TEXT && size <= VGA_TEXT_SIZE &&
	       screen.depth == 16 && screen.width >= 40 && screen.height >= 2;
	dots = from->type == SCREEN_RGB && screen.base >= BIT(20) && screen.base < SCREEN_TOP &&
	       size <= SCREEN_TOP - screen.base &&
	       (screen.depth == 16 || screen.depth == 24 || screen.depth == 32) &&
	       screen.width >= 320 && screen.width <= SCREEN_DOTS_MAX && screen.height >= 200 &&
	       screen.height <= SCREEN_DOTS_MAX;
	if ((text || dots) && (uint64_t)screen.width * screen.depth / 8 <= screen.pitch) {
		ret->screen = screen;
	}
}

/** A screen that lies on RAM would have us overwrite it. */
static void check_screen(struct boot_info *ret)
{
	uint64_t base = ALIGN_DOWN(ret->screen.base, PAGE_SIZE);
	uint64_t end = ALIGN_UP(ret->screen.base + boot_screen_size(ret), PAGE_SIZE);

	for (uint32_t i = 0; i < ret->map_count; i++) {
		const struct boot_mem *m = &ret->map[i];

		if (m->type == BOOT_MEM_RAM && m->base < end && base < m->base + m->size) {
			ret->screen.depth = 0;
		}
	}
}

static int parse_tag(const struct tag *tag, struct boot_info *ret)
{
	switch (tag->type) {
	case TAG_CMDLINE:
		return parse_cmdline(tag, ret);
	case TAG_MODULE:
		return parse_module(tag, ret);
	case TAG_MMAP:
		return parse_mmap(tag, ret);
	case TAG_ACPI_1:
	case TAG_ACPI_2:
		parse_acpi(tag, ret);
		return 0;
	case TAG_SCREEN:
		parse_screen(tag, ret);
		return 0;
	default:
		return 0;
	}
}

int mbi_parse(const void *mbi, size_t size, struct boot_info *ret)
{
	size_t at = 8; /* total size, reserved */

	memset(ret, 0, sizeof(*ret));
	while (size >= sizeof(struct tag) && at <= size - sizeof(struct tag)) {
		const struct tag *tag = (const struct tag *)((const char *)mbi + at);
		int rc;

		if (tag->size < sizeof(*tag) || tag->size > size - at) {
			return boot_fail(BH_CORRUPT, "the boot loader's information is damaged");
		}
		if (tag->type == TAG_END) {
			break;
		}
		rc = parse_tag(tag, ret);
		if (rc) {
			return rc;
		}
		at += ALIGN_UP(tag->size, 8);
	}
	if (!ret->map_count) {
		return boot_fail(BH_CORRUPT, "the boot loader gave no memory map");
	}
	check_screen(ret);
	return 0;
}
