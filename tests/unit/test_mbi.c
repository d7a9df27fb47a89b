/* SPDX-License-Identifier: Apache-2.0 */
/** The multiboot2 information: what is taken from it, and that damage is refused by name. */
#include "boot/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(8) uint8_t mbi[0x8000];
static size_t used;
static struct boot_info info;

static int prepare(void **state)
{
	(void)state;
	memset(mbi, 0, sizeof(mbi));
	used = 8;
	return 0;
}

static void put(const void *data, size_t size)
{
	memcpy(mbi + used, data, size);
	used += size;
}

static void put32(uint32_t value)
{
	put(&value, 4);
}

static void put64(uint64_t value)
{
	put(&value, 8);
}

static void tag(uint32_t type, uint32_t size)
{
	used = ALIGN_UP(used, 8);
	put32(type);
	put32(size);
}

static void tag_cmdline(const char *text)
{
	tag(1, (uint32_t)(8 + strlen(text) + 1));
	put(text, strlen(text) + 1);
}

static void tag_module(uint32_t start, uint32_t end, const char *text)
{
	tag(3, (uint32_t)(16 + strlen(text) + 1));
	put32(start);
	put32(end);
	put(text, strlen(text) + 1);
}

static void tag_map(unsigned count, const struct boot_mem *map)
{
	tag(6, 16 + 24 * count);
	put32(24);
	put32(0);
	for (unsigned i = 0; i < count; i++) {
		put64(map[i].base);
		put64(map[i].size);
		put32(map[i].type);
		put32(0);
	}
}

static void tag_some_map(void)
{
	const struct boot_mem map[] = {{0x100000, 0x7f00000, BOOT_MEM_RAM},
				       {0, 0x9fc00, BOOT_MEM_RAM}};

	tag_map(2, map);
}

static void tag_screen(uint64_t base, uint32_t pitch, uint32_t width, uint32_t height,
		       uint8_t depth, uint8_t type)
{
	uint8_t rest[4] = {depth, type};

	tag(8, 32);
	put64(base);
	put32(pitch);
	put32(width);
	put32(height);
	put(rest, sizeof(rest));
}

static int parse(void)
{
	tag(0, 8);
	return mbi_parse(mbi, used, &info);
}

/* Command line, modules and map come out; the first word of a module's string is its role. */
static void mbi_takes_what_it_needs(void **state)
{
	(void)state;
	tag_cmdline("console=always log=debug");
	tag_module(0x1000, 0x1801, "policy");
	tag_module(0x200000, 0x300000, "kernel  root=/dev/ram0 quiet");
	tag_some_map();
	assert_int_equal(parse(), 0);
	assert_string_equal(info.cmdline, "console=always log=debug");
	assert_int_equal(info.module_count, 2);
	assert_string_equal(info.modules[0].role, "policy");
	assert_string_equal(info.modules[0].cmdline, "");
	assert_int_equal(info.modules[0].size, 0x801);
	assert_string_equal(info.modules[1].role, "kernel");
	assert_string_equal(info.modules[1].cmdline, "root=/dev/ram0 quiet");
	assert_int_equal(info.modules[1].base, 0x200000);
}

/* The map is sorted by address; empty regions and such that wrap around are left out. */
static void mbi_sorts_the_map(void **state)
{
	const struct boot_mem map[] = {
		{0x100000, 0x1000, BOOT_MEM_RAM},
		{0, 0x9fc00, BOOT_MEM_RAM},
		{0x5000, 0, BOOT_MEM_RAM},
		{~0xfffull, 0x2000, BOOT_MEM_RESERVED},
		{0xf0000, 0x10000, BOOT_MEM_RESERVED},
	};

	(void)state;
	tag_map(5, map);
	assert_int_equal(parse(), 0);
	assert_int_equal(info.map_count, 3);
	assert_int_equal(info.map[0].base, 0);
	assert_int_equal(info.map[1].base, 0xf0000);
	assert_int_equal(info.map[2].base, 0x100000);
}

/* The pointer of ACPI 2.0 wins over the old one, in either order. */
static void mbi_prefers_the_new_rsdp(void **state)
{
	uint8_t old[20] = "RSD PTR old", new[36] = "RSD PTR new";

	(void)state;
	tag(15, 8 + sizeof(new));
	put(new, sizeof(new));
	tag(14, 8 + sizeof(old));
	put(old, sizeof(old));
	tag_some_map();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.rsdp_size, sizeof(new));
	assert_memory_equal(info.rsdp, new, sizeof(new));
}

/* A linear framebuffer and VGA text memory are taken as they are. */
static void mbi_takes_the_screen(void **state)
{
	(void)state;
	tag_screen(0x80000000, 5120, 1280, 800, 32, 1);
	tag_some_map();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.screen.base, 0x80000000);
	assert_int_equal(info.screen.height, 800);
	assert_int_equal(info.screen.depth, 32);
	assert_false(info.screen.text);
	assert_int_equal(boot_screen_size(&info), 5120 * 800);
	prepare(state);
	tag_screen(0xb8000, 160, 80, 25, 16, 2);
	tag_some_map();
	assert_int_equal(parse(), 0);
	assert_true(info.screen.text);
	assert_int_equal(info.screen.width, 80);
}

/* A screen that cannot be one, or that lies on RAM, is left out; the start goes on without. */
static void mbi_leaves_out_bad_screens(void **state)
{
	static const struct {
		uint64_t base;
		uint32_t pitch, width, height;
		uint8_t depth, type;
	} bad[] = {
		{0x80000000, 5119, 1280, 800, 32, 1},		   /* lines overlap */
		{0x80000000, 0x80000000, 0x20000001, 800, 32, 1},  /* width times bytes wraps */
		{0x80000000, 0xffffffff, 1280, 0xffffffff, 32, 1}, /* too tall */
		{0x80000000, 5120, 1280, 0, 32, 1},		   /* no lines */
		{0x80000000, 5120, 1280, 800, 8, 1},		   /* a palette's depth */
		{0x80000000, 5120, 1280, 800, 33, 1},		   /* no whole bytes */
		{0x80000000, 5120, 1280, 800, 32, 0},		   /* a palette */
		{0x80000000, 5120, 1280, 800, 32, 3},		   /* an unknown kind */
		{0, 5120, 1280, 800, 32, 1},			   /* low memory */
		{~0xfffull, 5120, 1280, 800, 32, 1},		   /* wraps */
		{0x4000000, 5120, 1280, 800, 32, 1},		   /* RAM */
		{0x7fff000, 5120, 1280, 800, 32, 1},		   /* begins in RAM */
		{0xb8000, 160, 80, 1000, 16, 2},		   /* more than there is */
		{0x1000, 160, 80, 25, 16, 2},			   /* text elsewhere */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		prepare(state);
		tag_screen(bad[i].base, bad[i].pitch, bad[i].width, bad[i].height, bad[i].depth,
			   bad[i].type);
		tag_some_map();
		assert_int_equal(parse(), 0);
		assert_int_equal(info.screen.depth, 0);
		assert_int_equal(boot_screen_size(&info), 0);
	}
	prepare(state);
	tag(8, 28); /* ends before the depth */
	put("............................", 20);
	tag_some_map();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.screen.depth, 0);
}

/* No map, no start. */
static void mbi_needs_a_map(void **state)
{
	(void)state;
	tag_cmdline("");
	assert_int_equal(parse(), -BH_CORRUPT);
	assert_non_null(strstr(boot_error, "memory map"));
}

/* A tag that is shorter than its head or reaches past the end is damage. */
static void mbi_bounds_tags(void **state)
{
	(void)state;
	tag(1, 7);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	tag(1, 0x7fffffff);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	tag(1, 0xfffffff9);
	assert_int_equal(parse(), -BH_CORRUPT);
}

/* A text without its end is damage: of the command line, and of a module. */
static void mbi_wants_terminated_text(void **state)
{
	(void)state;
	tag(1, 12);
	put("abcd", 4);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	tag(3, 20);
	put32(0x1000);
	put32(0x2000);
	put("abcd", 4);
	assert_int_equal(parse(), -BH_CORRUPT);
	assert_non_null(strstr(boot_error, "not terminated"));
}

/* Modules that are empty or end before they begin, and strings without a role, are refused. */
static void mbi_checks_modules(void **state)
{
	static const struct {
		uint32_t start, end;
		const char *text, *why;
	} bad[] = {
		{0x1000, 0x1000, "kernel", "empty"},
		{0x2000, 0x1000, "kernel", "empty"},
		{0x1000, 0x2000, "", "role"},
		{0x1000, 0x2000, " kernel", "role"},
		{0x1000, 0x2000, "sixteencharacter x", "role"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		prepare(state);
		tag_module(bad[i].start, bad[i].end, bad[i].text);
		tag_some_map();
		assert_int_equal(parse(), -BH_CORRUPT);
		assert_non_null(strstr(boot_error, bad[i].why));
	}
}

/* Too many modules, regions, or too much text: a named refusal, nothing is dropped in silence. */
static void mbi_names_what_is_too_much(void **state)
{
	static struct boot_mem map[BOOT_MAP_MAX + 1];
	static char text[2048];

	(void)state;
	for (unsigned i = 0; i <= BOOT_MODULE_MAX; i++) {
		tag_module(0x1000, 0x2000, "data");
	}
	assert_int_equal(parse(), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "boot modules"));

	prepare(state);
	for (unsigned i = 0; i < ARRAY_SIZE(map); i++) {
		map[i] = (struct boot_mem){i * 0x1000, 0x1000, BOOT_MEM_RAM};
	}
	tag_map(ARRAY_SIZE(map), map);
	assert_int_equal(parse(), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "memory map"));

	prepare(state);
	memset(text, 'a', sizeof(text) - 1);
	tag_cmdline(text);
	assert_int_equal(parse(), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "command line"));

	prepare(state);
	memcpy(text, "role ", 5);
	for (unsigned i = 0; i < 3; i++) {
		tag_module(0x1000, 0x2000, text);
	}
	assert_int_equal(parse(), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "strings"));
}

/* A map whose entries are of no sensible size is damage. */
static void mbi_checks_map_entries(void **state)
{
	(void)state;
	tag(6, 16);
	put32(0);
	put32(0);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	tag(6, 12);
	put32(24);
	assert_int_equal(parse(), -BH_CORRUPT);
}

/* Information that is cut off is refused or yields no map, whatever the cut; never read past. */
static void mbi_survives_truncation(void **state)
{
	(void)state;
	tag_cmdline("a b c");
	tag_module(0x1000, 0x2000, "kernel x");
	tag_some_map();
	tag(0, 8);
	for (size_t size = 0; size < used - 8; size++) {
		assert_true(mbi_parse(mbi, size, &info) < 0);
	}
}

#define T(name) cmocka_unit_test_setup(name, prepare)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mbi_takes_what_it_needs),
		T(mbi_sorts_the_map),
		T(mbi_prefers_the_new_rsdp),
		T(mbi_takes_the_screen),
		T(mbi_leaves_out_bad_screens),
		T(mbi_needs_a_map),
		T(mbi_bounds_tags),
		T(mbi_wants_terminated_text),
		T(mbi_checks_modules),
		T(mbi_names_what_is_too_much),
		T(mbi_checks_map_entries),
		T(mbi_survives_truncation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
