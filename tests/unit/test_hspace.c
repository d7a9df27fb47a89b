/* SPDX-License-Identifier: Apache-2.0 */
/** Root mode's own address space: what is mapped how. */
#include "mem/hspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "dbg/console.h"
#include "insn_fake.h"
#include "machine.h"
#include "mem/frames.h"

#define MIB 0x100000ull
#define TOP (64 * MIB)
#define P   BIT(0)
#define W   BIT(1)
#define NX  BIT(63)

static struct boot_info info;

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	insn_fake_set_cpuid(0, 0, 7, 0, 0, 0);
	insn_fake_set_cpuid(7, 0, 0, CPUID_7_EBX_SMEP | CPUID_7_EBX_SMAP, 0, 0);
	insn_fake_set_cpuid(0x80000000, 0, 0x80000008, 0, 0, 0);
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, CPUID_X1_EDX_NX);
	console_init();
	machine_map_ram(MIB, TOP - MIB);
	machine_boot_info(&info, TOP);
	info.map[info.map_count++] = (struct boot_mem){TOP, 0x10000, BOOT_MEM_ACPI};
	info.map[info.map_count++] = (struct boot_mem){TOP + 0x10000, 0x10000, BOOT_MEM_RESERVED};
	return frames_init(&info);
}

static int finish(void **state)
{
	(void)state;
	machine_unmap_ram(MIB, TOP - MIB);
	return 0;
}

/* Present, writable and no-execute bits of the entry for va; walked here by hand. */
static uint64_t bits(uint64_t va)
{
	const uint64_t *table = hpa_ptr(hpa(hspace_cr3()));

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t entry = table[va >> shift & 511];

		if (shift == 12 || !(entry & P) || entry & BIT(7)) {
			return entry & (P | W | NX);
		}
		table = hpa_ptr(hpa(entry & 0x000ffffffffff000ull));
	}
}

/* Text R-X, constants R--, all other RAM RW-; page 0 and what is no RAM not at all. */
static void hspace_maps_by_kind(void **state)
{
	(void)state;
	assert_int_equal(hspace_init(), 0);
	assert_int_equal(insn_read_cr3(), hspace_cr3());
	assert_int_equal(bits(machine_image.text), P);
	assert_int_equal(bits(machine_image.text_end - 1), P);
	assert_int_equal(bits(machine_image.rodata), P | NX);
	assert_int_equal(bits(machine_image.data), P | W | NX);
	assert_int_equal(bits(0x20000), P | W | NX);
	assert_int_equal(bits(TOP - 1), P | W | NX);
	assert_int_equal(bits(TOP), 0);
	assert_int_equal(bits(TOP + 0x10000), 0);
	assert_int_equal(bits(0), 0);
	assert_int_equal(bits(0xa0000), 0);
}

/* The CPU enforces it: WP, NXE, SMEP and SMAP are on. */
static void hspace_switches_protection_on(void **state)
{
	(void)state;
	assert_int_equal(hspace_init(), 0);
	assert_true(insn_read_cr0() & CR0_WP);
	assert_true(insn_rdmsr(MSR_IA32_EFER) & EFER_NXE);
	assert_int_equal(insn_read_cr4() & (CR4_SMEP | CR4_SMAP), CR4_SMEP | CR4_SMAP);
}

/* A CPU without NX is refused by name. */
static void hspace_needs_nx(void **state)
{
	(void)state;
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, 0);
	assert_int_equal(hspace_init(), -BH_NOSUPP);
	assert_non_null(strstr(boot_error, "NX"));
}

/* An entry that is writable and executable is found, wherever it comes from. */
static void hspace_check_finds_writable_code(void **state)
{
	uint64_t *table;
	unsigned leaves;

	(void)state;
	assert_int_equal(hspace_init(), 0);
	assert_int_equal(hspace_check_wx(&leaves), 0);
	assert_true(leaves > 10);
	table = hpa_ptr(hpa(hspace_cr3()));
	for (int level = 4; level > 2; level--) {
		table = hpa_ptr(hpa(table[0] & 0x000ffffffffff000ull));
	}
	table[20] &= ~NX; /* a 2 MiB page of plain RAM */
	assert_int_equal(hspace_check_wx(&leaves), -BH_CORRUPT);
}

/* The screen is there for early messages, and gone when the control partition gets it. */
static void hspace_maps_the_screen_for_a_while(void **state)
{
	const struct boot_screen screen = {0x80000800, 5120, 1280, 800, 32, false};
	unsigned leaves;

	(void)state;
	boot_record()->screen = screen;
	assert_int_equal(hspace_init(), 0);
	assert_int_equal(bits(0x80000000), P | W | NX);
	assert_int_equal(bits(screen.base + 5120 * 800 - 1), P | W | NX);
	assert_int_equal(bits(0x80000000 + 5120 * 800 + PAGE_SIZE), 0);
	assert_int_equal(hspace_check_wx(&leaves), 0);
	assert_int_equal(hspace_unmap_screen(), 0);
	assert_int_equal(bits(0x80000000), 0);
	assert_int_equal(bits(screen.base + 5120 * 800 - 1), 0);
	boot_record()->screen.depth = 0;
	assert_int_equal(hspace_unmap_screen(), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, prepare, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hspace_maps_by_kind),
		T(hspace_switches_protection_on),
		T(hspace_needs_nx),
		T(hspace_check_finds_writable_code),
		T(hspace_maps_the_screen_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
