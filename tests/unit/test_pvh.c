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

/* The kernel comes first, the others in order with their whole strings; the policy is not among
 * them. */
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
			assert_true(
				frame_range_owned(hpa(map[i].base), map[i].size, BH_PART_CONTROL));
			ram += map[i].size;
		}
	}
	/* all but the image, the window, the guest's RAM and the page of the root pointer */
	assert_int_equal(ram, TOP - MIB - FRAMES_HV_SIZE - 32 * MIB - MIB + 0x90000 - PAGE_SIZE);
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
	assert_true(frame_range_owned(hpa(start.v), 0x15000, BH_PART_CONTROL));
	assert_int_equal(*(const uint8_t *)entry.v, 0xfa);
}

/* The type that the map of the control partition gives to an address. */
static uint32_t type_of(const struct pvh_start_info *si, uint64_t at)
{
	const struct pvh_mem *map = (const void *)si->memmap;

	for (uint32_t i = 0; i < si->memmap_count; i++) {
		if (at >= map[i].base && at - map[i].base < map[i].size) {
			return map[i].type;
		}
	}
	return 0;
}

/* The root pointer that the loader copied is passed on, in a page that the kernel leaves alone. */
static void pvh_passes_a_copied_rsdp(void **state)
{
	const struct pvh_start_info *si;

	(void)state;
	memcpy(info.rsdp, "RSD PTR copy", 12);
	info.rsdp_size = 36;
	si = write();
	assert_string_equal((const char *)si->rsdp, "RSD PTR copy");
	assert_int_equal(type_of(si, si->rsdp), BOOT_MEM_ACPI);
	assert_int_equal(type_of(si, si->rsdp - 1), BOOT_MEM_RAM);
	assert_int_equal(type_of(si, si->rsdp + PAGE_SIZE), BOOT_MEM_RAM);
	assert_true(frame_range_owned(hpa(si->rsdp), PAGE_SIZE, BH_PART_CONTROL));
}

/* What firmware keeps is no RAM of the partition. Types are passed on; one that only GRUB knows,
 * such as code of runtime services, becomes reserved. */
static void pvh_passes_firmware_memory(void **state)
{
	const struct pvh_start_info *si;

	(void)state;
	info.map[info.map_count++] = (struct boot_mem){0x800000, 0x100000, BOOT_MEM_NVS};
	info.map[info.map_count++] = (struct boot_mem){TOP - MIB, MIB, 20};
	si = write();
	assert_int_equal(type_of(si, 0x800000), BOOT_MEM_NVS);
	assert_int_equal(type_of(si, 0x7fffff), BOOT_MEM_RAM);
	assert_int_equal(type_of(si, TOP - MIB), BOOT_MEM_RESERVED);
	assert_false(frame_range_owned(hpa(TOP - MIB), PAGE_SIZE, BH_PART_CONTROL));
	assert_int_equal(frame_owner(hpa(TOP - MIB)), FRAME_ABSENT);
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
		T(pvh_passes_firmware_memory),
		T(pvh_refuses_without_low_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
