/* SPDX-License-Identifier: Apache-2.0 */
/** What the control partition is told: modules, memory, and where the loader is. */
#include "boot/pvh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "insn_fake.h"
#include "lib/boot_info.h"
#include "machine.h"
#include "mem/frames.h"

#define MIB 0x100000ull
#define TOP (128 * MIB)
#define LOW 0x10000ull

static struct boot_info info;
static gpa_t start, entry;

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	machine_map_ram(LOW, 0x90000);
	machine_map_ram(MIB, TOP - MIB);
	machine_boot_info(&info, TOP);
	info.map[info.map_count++] = (struct boot_mem){0xfee00000, 0x1000, BOOT_MEM_RESERVED};
	machine_add_module(&info, "policy", "", 0x1001000, 0x800);
	machine_add_module(&info, "initrd", "one two", 0x3000000, 0x100000);
	machine_add_module(&info, "kernel", "quiet", 0x2000000, 0x800000);
	machine_add_module(&info, "guest", "", 0x3800000, 0x1000);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	machine_unmap_ram(LOW, 0x90000);
	machine_unmap_ram(MIB, TOP - MIB);
	return 0;
}

static const struct pvh_start_info *write(void)
{
	const uint64_t sizes[] = {32 * MIB};

	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 1), 0);
	assert_int_equal(pvh_write(&info, &start, &entry), 0);
	return (const void *)start.v;
}

/* The kernel comes first, the others in order with their whole strings; the policy is not among them. */
static void pvh_lists_modules(void **state)
{
	const struct pvh_start_info *si = write();
	const struct pvh_module *m = (const void *)si->modlist;

	(void)state;
	assert_int_equal(si->magic, PVH_MAGIC);
	assert_int_equal(si->version, PVH_VERSION);
	assert_int_equal(si->module_count, 3);
	assert_int_equal(m[0].base, 0x2000000);
	assert_string_equal((const char *)m[0].cmdline, "kernel quiet");
	assert_int_equal(m[1].size, 0x100000);
	assert_string_equal((const char *)m[1].cmdline, "initrd one two");
	assert_string_equal((const char *)m[2].cmdline, "guest");
}

/* The map is sorted; all that is not the control partition's own RAM is reserved or left out. */
static void pvh_maps_only_own_ram(void **state)
{
	const struct pvh_start_info *si = write();
	const struct pvh_mem *map = (const void *)si->memmap;
	uint64_t end = 0, ram = 0;

	(void)state;
	for (uint32_t i = 0; i < si->memmap_count; i++) {
		assert_true(map[i].base >= end);
		end = map[i].base + map[i].size;
		if (map[i].type == BOOT_MEM_RAM) {
			assert_true(frame_range_owned(hpa(map[i].base), map[i].size, BH_PART_CONTROL));
			ram += map[i].size;
		}
	}
	assert_int_equal(ram, TOP - 48 * MIB + 0x90000);
	assert_int_equal(map[si->memmap_count - 1].base, 0xfee00000);
}

/* Start information and loader lie in the control partition's low memory, on no module. */
static void pvh_finds_room_in_low_memory(void **state)
{
	(void)state;
	machine_add_module(&info, "small", "", 0x18000, 0x1000);
	write();
	assert_int_equal(start.v, 0x19000);
	assert_int_equal(entry.v, 0x1d000);
	assert_true(frame_range_owned(hpa(start.v), 0x14000, BH_PART_CONTROL));
	assert_int_equal(*(const uint8_t *)entry.v, 0xfa);
}

/* Where the firmware's root pointer is only known as a copy, the copy is passed on. */
static void pvh_passes_a_copied_rsdp(void **state)
{
	const struct pvh_start_info *si;

	(void)state;
	memcpy(info.rsdp, "RSD PTR copy", 12);
	info.rsdp_size = 36;
	si = write();
	assert_string_equal((const char *)si->rsdp, "RSD PTR copy");
}

/* No room below 640 KiB is a named refusal. */
static void pvh_refuses_without_low_memory(void **state)
{
	const uint64_t sizes[] = {32 * MIB};

	(void)state;
	info.map[0].size = 0x8000;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 1), 0);
	assert_int_equal(pvh_write(&info, &start, &entry), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "640 KiB"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, prepare, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pvh_lists_modules),
		T(pvh_maps_only_own_ram),
		T(pvh_finds_room_in_low_memory),
		T(pvh_passes_a_copied_rsdp),
		T(pvh_refuses_without_low_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
