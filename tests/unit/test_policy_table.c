/* SPDX-License-Identifier: Apache-2.0 */
/* What the maker of policy tables accepts, refuses and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "policy_table.h"

static struct policy_table table;
static const char *why;

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	why = NULL;
	return 0;
}

static void add_control(void)
{
	assert_int_equal(policy_table_add_part(&table, "control:128:1:400:control", &why), 0);
}

/* The checksum is the CRC-32C of RFC 3720: its test vectors come out. */
static void policy_crc32c_gives_known_values(void **state)
{
	uint8_t zeros[32] = {0};

	(void)state;
	assert_int_equal(policy_crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(policy_crc32c(0, zeros, sizeof(zeros)), 0x8a9136aau);
}

/* A file read in pieces has the checksum of the whole. */
static void policy_crc32c_continues(void **state)
{
	(void)state;
	assert_int_equal(policy_crc32c(policy_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

/* Every field of a partition specification reaches its place in the table. */
static void policy_table_add_part_fills_all_fields(void **state)
{
	(void)state;
	add_control();
	assert_int_equal(policy_table_add_part(&table, "browser:160:2:100:mapped:6", &why), 0);
	assert_string_equal(table.part[1].name, "browser");
	assert_int_equal(table.part[1].ram_size, 160u << 20);
	assert_int_equal(table.part[1].vcpu_count, 2);
	assert_int_equal(table.part[1].weight, 100);
	assert_int_equal(table.part[1].flags, 0);
	assert_int_equal(table.part[1].map_by, 1);
	assert_int_equal(table.part[1].ring_to, 1);
	assert_int_equal(table.part[1].irq_from, 1);
	assert_int_equal(table.part[1].doorbell_count, 6);
}

/* A specification with a wrong field is refused with a reason and leaves the table as it was. */
static void policy_table_add_part_refuses_bad_fields(void **state)
{
	static const char *const bad[] = {
		"", "a", "a:2:1:1", "a:2:1:1:none:1:1", ":2:1:1:none", "A:2:1:1:none",
		"a-name-of-16-chr:2:1:1:none", "a:3:1:1:none", "a:0:1:1:none", "a:3074:1:1:none",
		"a:-2:1:1:none", "a:2x:1:1:none", "a:2:0:1:none", "a:2:9:1:none", "a:2:1:0:none",
		"a:2:1:10001:none", "a:2:1:1:", "a:2:1:1:root", "a:2:1:1:none:17",
		"a:99999999999999999999:1:1:none", "control:2:1:1:none", "a:2:1:1:control",
	};

	(void)state;
	add_control();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(policy_table_add_part(&table, bad[i], &why), -1);
		assert_non_null(why);
		assert_int_equal(table.part_count, 1);
	}
}

/* The first partition must be the control partition. */
static void policy_table_add_part_wants_control_first(void **state)
{
	(void)state;
	assert_int_equal(policy_table_add_part(&table, "desktop:64:1:1:mapped", &why), -1);
}

/* No more partitions than the ABI can number. */
static void policy_table_add_part_stops_at_the_limit(void **state)
{
	char spec[] = "guest-a:2:1:1:none";

	(void)state;
	add_control();
	for (uint32_t i = 1; i < BH_PART_MAX; i++) {
		spec[6] = (char)('a' + i);
		assert_int_equal(policy_table_add_part(&table, spec, &why), 0);
	}
	spec[6] = 'z';
	assert_int_equal(policy_table_add_part(&table, spec, &why), -1);
}

/* Modules have a unique role other than "policy", and content. */
static void policy_table_add_module_checks_role_and_size(void **state)
{
	(void)state;
	assert_int_equal(policy_table_add_module(&table, "kernel", 4096, 7, &why), 0);
	assert_int_equal(policy_table_add_module(&table, "kernel", 4096, 7, &why), -1);
	assert_int_equal(policy_table_add_module(&table, "policy", 4096, 7, &why), -1);
	assert_int_equal(policy_table_add_module(&table, "initrd", 0, 0, &why), -1);
	assert_int_equal(policy_table_add_module(&table, "Guest", 1, 0, &why), -1);
	assert_int_equal(table.module_count, 1);
	assert_int_equal(table.module[0].size, 4096);
	assert_int_equal(table.module[0].crc32c, 7);
}

/* A device is named by class or vendor and belongs to a guest partition. */
static void policy_table_add_device_fills_all_fields(void **state)
{
	(void)state;
	add_control();
	assert_int_equal(policy_table_add_part(&table, "management:64:1:1:mapped", &why), 0);
	assert_int_equal(policy_table_add_device(&table, "role=nic,class=0x0200,part=management", &why),
			 0);
	assert_string_equal(table.device[0].role, "nic");
	assert_int_equal(table.device[0].class_code, 0x020000);
	assert_int_equal(table.device[0].class_mask, 0xffff00);
	assert_int_equal(table.device[0].vendor, BH_POLICY_DEVICE_ANY);
	assert_int_equal(table.device[0].part, 1);
	assert_int_equal(policy_table_add_device(&table,
						 "part=management,vendor=8086,device=0x10d3,nth=1,"
						 "role=second,class=20000/ff0000",
						 &why),
			 0);
	assert_int_equal(table.device[1].vendor, 0x8086);
	assert_int_equal(table.device[1].device, 0x10d3);
	assert_int_equal(table.device[1].nth, 1);
	assert_int_equal(table.device[1].class_code, 0x020000);
	assert_int_equal(table.device[1].class_mask, 0xff0000);
	assert_int_equal(policy_table_set_iommu(&table, "required", &why), 0);
	assert_int_equal(table.flags, BH_POLICY_IOMMU_REQUIRED);
}

/* A device that names nothing, too much or no guest is refused with a reason. */
static void policy_table_add_device_refuses_bad_words(void **state)
{
	static const char *const bad[] = {
		"", "nic", "role=nic", "role=nic,part=one", "role=nic,class=0x0200",
		"role=nic,class=0x0200,part=control", "role=nic,class=0x0200,part=two",
		"role=Nic,class=0x0200,part=one", "role=nic,class=,part=one",
		"role=nic,class=0x1020000,part=one",
		"role=nic,class=020000/00ff00,part=one",
		"role=nic,class=0/0,part=one", "role=nic,vendor=ffff,part=one",
		"role=nic,vendor=8086x,part=one", "role=nic,vendor=8086,nth=256,part=one",
		"role=nic,vendor=8086,part=one,bus=3", "role=taken,vendor=8086,part=one",
	};

	(void)state;
	add_control();
	assert_int_equal(policy_table_add_part(&table, "one:64:1:1:none", &why), 0);
	assert_int_equal(policy_table_add_device(&table, "role=taken,class=3,part=one", &why), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(policy_table_add_device(&table, bad[i], &why), -1);
		assert_non_null(why);
		assert_int_equal(table.device_count, 1);
	}
	assert_int_equal(policy_table_set_iommu(&table, "perhaps", &why), -1);
}

/* The emitted bytes are header, partitions, modules, and check with the crc field taken as 0. */
static void policy_table_emit_writes_a_valid_table(void **state)
{
	uint8_t out[4096];
	struct bh_policy head;
	struct bh_policy_module module;
	uint32_t crc;
	long size;

	(void)state;
	add_control();
	assert_int_equal(policy_table_add_module(&table, "kernel", 5, 6, &why), 0);
	size = policy_table_emit(&table, out, sizeof(out), &why);
	assert_int_equal(size, 120 + 64 + 32);
	memcpy(&head, out, sizeof(head));
	assert_true(head.magic == BH_POLICY_MAGIC);
	assert_int_equal(head.version, BH_POLICY_VERSION);
	assert_int_equal(head.size, size);
	memcpy(&module, out + 184, sizeof(module));
	assert_string_equal(module.role, "kernel");
	crc = head.crc32c;
	head.crc32c = 0;
	memcpy(out, &head, sizeof(head));
	assert_int_equal(policy_crc32c(0, out, (size_t)size), crc);
}

/* A table without partitions, or one that does not fit, is not written. */
static void policy_table_emit_refuses_nonsense(void **state)
{
	uint8_t out[64];

	(void)state;
	assert_int_equal(policy_table_emit(&table, out, sizeof(out), &why), -1);
	add_control();
	assert_int_equal(policy_table_emit(&table, out, sizeof(out), &why), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(policy_crc32c_gives_known_values, setup),
		cmocka_unit_test_setup(policy_crc32c_continues, setup),
		cmocka_unit_test_setup(policy_table_add_part_fills_all_fields, setup),
		cmocka_unit_test_setup(policy_table_add_part_refuses_bad_fields, setup),
		cmocka_unit_test_setup(policy_table_add_part_wants_control_first, setup),
		cmocka_unit_test_setup(policy_table_add_part_stops_at_the_limit, setup),
		cmocka_unit_test_setup(policy_table_add_module_checks_role_and_size, setup),
		cmocka_unit_test_setup(policy_table_add_device_fills_all_fields, setup),
		cmocka_unit_test_setup(policy_table_add_device_refuses_bad_words, setup),
		cmocka_unit_test_setup(policy_table_emit_writes_a_valid_table, setup),
		cmocka_unit_test_setup(policy_table_emit_refuses_nonsense, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
