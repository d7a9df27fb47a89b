/* SPDX-License-Identifier: Apache-2.0 */
/** The policy table is believed wholly or not at all. */
#include "part/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/boot_info.h"
#include "lib/crc32c.h"

static struct {
	struct bh_policy head;
	struct bh_policy_part part[2];
	struct bh_policy_module module[1];
	struct bh_policy_device device[1];
} table;

static void seal(void)
{
	table.head.crc32c = 0;
	table.head.crc32c = crc32c(0, &table, sizeof(table));
}

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	table.head = (struct bh_policy){.magic = BH_POLICY_MAGIC,
					.version = BH_POLICY_VERSION,
					.size = sizeof(table),
					.file_size = sizeof(table),
					.part_count = 2,
					.module_count = 1,
					.device_count = 1};
	for (unsigned i = 0; i < 2; i++) {
		table.part[i] = (struct bh_policy_part){.name = "one",
							.ram_size = 4ull << 20,
							.vcpu_count = 1,
							.weight = 100,
							.map_by = 1,
							.ring_to = 1,
							.irq_from = 1,
							.flags = i == 0 ? BH_POLICY_CONTROL : 0};
	}
	strcpy(table.module[0].role, "kernel");
	table.device[0] = (struct bh_policy_device){.role = "nic",
						    .class_code = 0x020000,
						    .class_mask = 0xffff00,
						    .vendor = BH_POLICY_DEVICE_ANY,
						    .device = BH_POLICY_DEVICE_ANY,
						    .part = 1};
	seal();
	return 0;
}

static void assert_refused(const char *word)
{
	const char *why = policy_check(&table, sizeof(table));

	assert_non_null(why);
	assert_non_null(strstr(why, word));
}

/* A table that is right is taken. */
static void policy_check_takes_a_good_table(void **state)
{
	(void)state;
	assert_null(policy_check(&table, sizeof(table)));
}

/* One flipped bit anywhere is found. */
static void policy_check_finds_any_flipped_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table); i++) {
		((uint8_t *)&table)[i] ^= 0x10;
		assert_non_null(policy_check(&table, sizeof(table)));
		((uint8_t *)&table)[i] ^= 0x10;
	}
}

/* A table that ends early is refused at every length. */
static void policy_check_refuses_truncation(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(table); size++) {
		assert_non_null(policy_check(&table, size));
	}
}

/* Only partition 0 may manage the others. */
static void policy_check_wants_one_control_partition(void **state)
{
	(void)state;
	table.part[1].flags = BH_POLICY_CONTROL;
	seal();
	assert_refused("control partition");
	table.part[1].flags = 0;
	table.part[0].flags = 0;
	seal();
	assert_refused("control partition");
}

/* Numbers out of range and names without an end are refused by name. */
static void policy_check_bounds_each_partition(void **state)
{
	(void)state;
	table.part[1].ram_size = 4097;
	seal();
	assert_refused("out of range");
	table.part[1].ram_size = 4ull << 20;
	table.part[1].vcpu_count = BH_VCPU_MAX + 1;
	seal();
	assert_refused("out of range");
	table.part[1].vcpu_count = 1;
	memset(table.part[1].name, 'x', 16);
	seal();
	assert_refused("proper name");
}

/* Rights name partitions of the table, a cap fits the vcpus there can be, and what is reserved is
 * 0. */
static void policy_check_bounds_rights(void **state)
{
	(void)state;
	table.part[1].map_by = 1u << 2;
	seal();
	assert_refused("rights");
	table.part[1].map_by = 1;
	table.part[0].irq_from = 1u << 15;
	seal();
	assert_refused("rights");
	table.part[0].irq_from = 1;
	table.part[1].reserved16[2] = 1;
	seal();
	assert_refused("rights");
	table.part[1].reserved16[2] = 0;
	table.part[1].cap = 100 * BH_VCPU_MAX + 1;
	seal();
	assert_refused("out of range");
	table.part[1].cap = 100 * BH_VCPU_MAX;
	seal();
	assert_null(policy_check(&table, sizeof(table)));
	table.head.reserved[4] = 1;
	seal();
	assert_refused("flags");
}

/* Counts are bounded before anything is read behind them. */
static void policy_check_bounds_counts(void **state)
{
	(void)state;
	table.head.part_count = BH_PART_MAX + 1;
	seal();
	assert_refused("number of partitions");
	table.head.part_count = 2;
	table.head.module_count = UINT32_MAX;
	seal();
	assert_refused("number of partitions");
}

/* A device belongs to a guest, and is named by class or vendor. */
static void policy_check_bounds_each_device(void **state)
{
	(void)state;
	table.device[0].part = 0;
	seal();
	assert_refused("no guest partition");
	table.device[0].part = 2;
	seal();
	assert_refused("no guest partition");
	table.device[0].part = 1;
	table.device[0].class_code = 0x020001;
	seal();
	assert_refused("neither class nor vendor");
	table.device[0].class_code = table.device[0].class_mask = 0;
	seal();
	assert_refused("neither class nor vendor");
	table.device[0].vendor = 0x8086;
	table.device[0].role[0] = 0;
	seal();
	assert_refused("proper role");
	table.head.device_count = BH_POLICY_DEVICE_MAX + 1;
	seal();
	assert_refused("devices");
	table.head.device_count = 1;
	table.head.flags = 0x8000;
	seal();
	assert_refused("flags");
}

/* A file of root mode's part and eight bytes of the daemons, as the boot loader left it. */
static struct {
	uint8_t bytes[sizeof(table) + 8];
} file BH_ALIGNED(8);

static int boot_with(uint64_t size)
{
	static struct boot_info info;

	memset(&info, 0, sizeof(info));
	strcpy(info.modules[0].role, "policy");
	info.modules[0].base = (uintptr_t)&file;
	info.modules[0].size = size;
	info.module_count = 1;
	return policy_init(&info);
}

static void make_file(void)
{
	uint8_t *rest = file.bytes + sizeof(table) - sizeof(table.module) - sizeof(table.device);

	table.head.module_count = table.head.device_count = 0;
	table.head.size = (uint32_t)(rest - file.bytes);
	table.head.file_size = table.head.size + 8;
	memset(&file, 0, sizeof(file));
	memcpy(rest, "daemons", 8);
	table.head.rest_crc32c = crc32c(0, rest, 8);
	table.head.crc32c = 0;
	table.head.crc32c = crc32c(0, &table, table.head.size);
	memcpy(&file, &table, table.head.size);
}

/* The part behind root mode's own is not understood, but it is whole or the machine does not start.
 */
static void policy_init_checks_the_part_of_the_daemons(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(boot_with(table.head.file_size), 0);
	assert_int_equal(boot_with(table.head.file_size - 1u), -BH_CORRUPT);
	assert_int_equal(boot_with(table.head.size), -BH_CORRUPT);
	assert_int_equal(boot_with(table.head.file_size + 1u), -BH_CORRUPT);
	assert_non_null(strstr(boot_error, "something follows"));
	file.bytes[table.head.size] ^= 1;
	assert_int_equal(boot_with(table.head.file_size), -BH_CORRUPT);
	assert_non_null(strstr(boot_error, "daemons"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(policy_check_takes_a_good_table, setup),
		cmocka_unit_test_setup(policy_check_finds_any_flipped_bit, setup),
		cmocka_unit_test_setup(policy_check_refuses_truncation, setup),
		cmocka_unit_test_setup(policy_check_wants_one_control_partition, setup),
		cmocka_unit_test_setup(policy_check_bounds_each_partition, setup),
		cmocka_unit_test_setup(policy_check_bounds_rights, setup),
		cmocka_unit_test_setup(policy_check_bounds_counts, setup),
		cmocka_unit_test_setup(policy_check_bounds_each_device, setup),
		cmocka_unit_test_setup(policy_init_checks_the_part_of_the_daemons, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
