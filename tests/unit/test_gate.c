/* SPDX-License-Identifier: Apache-2.0 */
/** The gate answers by the policy table in force, and a table comes into force wholly or not at
 * all. */
#include "part/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "part/backend.h"
#include "part/exit.h"
#include "part/policy.h"
#include "root_mode.h"
#include "vmx_fake.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)
#define EVENT_PAGE (VMX_FAKE_ARGS + 2 * PAGE_SIZE)
#define TABLE_PAGE (VMX_FAKE_ARGS + 3 * PAGE_SIZE)
#define MIB	   0x100000ull

static struct vmx_fake_policy table; /* as booted; a test changes it */

static int setup(void **state)
{
	(void)state;
	vmx_fake_start_root_mode();
	assert_non_null(parts[0].policy);
	vmx_fake_policy(&table);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_fake_stop_root_mode();
	return 0;
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return root_mode_call(parts[0].vcpu[0], number, a, b, c);
}

static int64_t load(void)
{
	memcpy((void *)TABLE_PAGE, &table, sizeof(table));
	return call(BH_HC_POLICY_LOAD, TABLE_PAGE, sizeof(table), 0);
}

static int64_t seal_and_load(void)
{
	vmx_fake_seal(&table);
	return load();
}

static struct bh_policy_info info(void)
{
	struct bh_policy_info *at = (void *)VMX_FAKE_ARGS;

	assert_int_equal(call(BH_HC_POLICY_INFO, VMX_FAKE_ARGS, 0, 0), 0);
	return *at;
}

/* Each word that the gate could be asked for is that of the table, but for its reserved end. */
static void assert_in_force(const struct vmx_fake_policy *wanted)
{
	for (uint32_t i = 0; i < 4; i++) {
		const uint64_t *words = (const uint64_t *)&wanted->part[i];

		for (size_t w = 0; w < sizeof(wanted->part[i]) / 8; w++) {
			assert_true(policy_word(i, w) == words[w]);
		}
	}
}

/* Who may do what is what the table says: back ends of desktop live in control, nobody serves
 * sealed. */
static void gate_answers_by_the_table(void **state)
{
	(void)state;
	assert_int_equal(gate_check_manage(&parts[0]), 0);
	assert_int_equal(gate_check_manage(&parts[1]), -BH_DENIED);
	assert_int_equal(gate_check_map(&parts[0], &parts[1]), 0);
	assert_int_equal(gate_check_map(&parts[2], &parts[1]), -BH_DENIED);
	assert_int_equal(gate_check_map(&parts[0], &parts[3]), -BH_DENIED);
	assert_int_equal(gate_check_irq(&parts[0], &parts[1]), 0);
	assert_int_equal(gate_check_irq(&parts[1], &parts[2]), -BH_DENIED);
	assert_int_equal(gate_check_irq(&parts[0], &parts[3]), -BH_DENIED);
	assert_int_equal(gate_check_ring(&parts[1], 0), 0);
	assert_int_equal(gate_check_ring(&parts[1], 2), -BH_DENIED);
	assert_int_equal(gate_check_ring(&parts[3], 0), -BH_DENIED);
	assert_int_equal(gate_check_doorbells(&parts[1], 4), 0);
	assert_int_equal(gate_check_doorbells(&parts[1], 5), -BH_DENIED);
	assert_false(gate_owns_device(&parts[1], 0));
	assert_int_equal(gate_get(&parts[2], ram_size), 4 * MIB);
	assert_int_equal(gate_get(&parts[2], vcpu_count), 1);
	assert_int_equal(gate_get(&parts[0], weight), 400);
	assert_int_equal(gate_get(&parts[0], cap), 0);
}

/* Every no is counted, and no yes is. */
static void gate_counts_refusals(void **state)
{
	uint64_t before = info().refused;

	(void)state;
	assert_int_equal(gate_check_ring(&parts[1], 0), 0);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(gate_check_ring(&parts[3], 0), -BH_DENIED);
	}
	assert_int_equal(info().refused, before + 40);
}

/* A table within that of this boot is in force at once and wholly, and the one of the boot comes
 * back. */
static void policy_load_puts_a_table_in_force(void **state)
{
	struct vmx_fake_policy boot = table;
	struct bh_policy_info now;

	(void)state;
	table.head.serial = 7;
	table.head.hash[0] = 0xaa;
	table.part[0].cap = 300;
	table.part[1].ram_size = 4 * MIB;
	table.part[1].weight = 10000;
	table.part[1].doorbell_count = 1;
	table.part[1].ring_to = 0;
	table.part[2].map_by = 0;
	table.part[2].irq_from = 0;
	assert_int_equal(seal_and_load(), 0);
	assert_in_force(&table);
	now = info();
	assert_int_equal(now.hash[0], 0xaa);
	assert_int_equal(now.boot_hash[0], 0xb0);
	assert_int_equal(now.serial, 7);
	assert_int_equal(now.loads, 1);
	assert_int_equal(now.part_count, 4);
	table = boot;
	assert_int_equal(load(), 0);
	assert_in_force(&boot);
	assert_int_equal(info().loads, 2);
	assert_int_equal(info().hash[0], 0xb0);
}

/* Bytes behind root mode's part are the daemons' business. */
static void policy_load_does_not_look_behind_its_part(void **state)
{
	(void)state;
	table.head.file_size += 100;
	table.head.rest_crc32c = 1234;
	vmx_fake_seal(&table);
	memset((void *)TABLE_PAGE, 0xee, PAGE_SIZE);
	memcpy((void *)TABLE_PAGE, &table, sizeof(table));
	assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE, PAGE_SIZE, 0), 0);
	assert_in_force(&table);
}

/* One field at a time that would allow more than the table of this boot: denied, and nothing
 * changes. */
static void policy_load_allows_nothing_new(void **state)
{
	struct vmx_fake_policy boot = table, less = table;

	(void)state;
	less.part[1].ring_to = 0;
	table = less;
	assert_int_equal(seal_and_load(), 0);
	less = table;
#define DENIED(change)                                                                             \
	do {                                                                                       \
		table = boot;                                                                      \
		change;                                                                            \
		table.head.hash[0] = 0xdd;                                                         \
		assert_int_equal(seal_and_load(), -BH_DENIED);                                     \
		assert_in_force(&less);                                                            \
		assert_int_equal(info().loads, 1);                                                 \
		assert_int_equal(info().hash[0], 0xb0);                                            \
	} while (0)
	for (unsigned i = 0; i < 4; i++) {
		DENIED(table.part[i].ram_size += 2 * MIB);
		DENIED(table.part[i].vcpu_count++);
		DENIED(table.part[i].doorbell_count++);
		DENIED(table.part[i].map_by |= 1u << 2);
		DENIED(table.part[i].ring_to |= 1u << 3);
		DENIED(table.part[i].irq_from |= 1u << 1);
		DENIED(table.part[i].name[1] ^= 1);
		DENIED(strcpy(table.part[i].name, "new"));
	}
	DENIED(table.part[3].map_by = 1);
	DENIED(table.head.flags = BH_POLICY_IOMMU_REQUIRED);
#undef DENIED
}

/* What is no table is not loaded, whatever it would allow. */
static void policy_load_refuses_what_is_no_table(void **state)
{
	struct vmx_fake_policy boot = table;

	(void)state;
	for (size_t i = 0; i < sizeof(table); i++) {
		table = boot;
		((uint8_t *)&table)[i] ^= 0x40;
		assert_int_equal(load(), -BH_CORRUPT);
	}
	for (uint64_t size = 1; size < sizeof(table); size += 7) {
		table = boot;
		memcpy((void *)TABLE_PAGE, &table, sizeof(table));
		assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE, size, 0), -BH_CORRUPT);
	}
	table = boot;
	table.part[2].flags = BH_POLICY_CONTROL;
	assert_int_equal(seal_and_load(), -BH_CORRUPT);
	table = boot;
	table.part[2].weight = 0;
	assert_int_equal(seal_and_load(), -BH_CORRUPT);
	assert_in_force(&boot);
	assert_int_equal(info().loads, 0);
}

/* The bytes lie inside one page of the caller, and only the control partition may. */
static void policy_load_checks_where_the_table_is(void **state)
{
	(void)state;
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), 0);
	memcpy((void *)TABLE_PAGE, &table, sizeof(table));
	assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE, 0, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE, PAGE_SIZE + 1, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE + 1, PAGE_SIZE, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD, TABLE_PAGE, UINT64_MAX, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD, 0x100000, sizeof(table), 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD, parts[1].ram.v, sizeof(table), 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_INFO, 0x100000, 0, 0), -BH_RANGE);
	assert_int_equal(call(BH_HC_POLICY_LOAD + 1, TABLE_PAGE, sizeof(table), 0), -BH_NOSYS);
	for (uint64_t number = BH_HC_POLICY_INFO; number <= BH_HC_POLICY_LOAD; number++) {
		assert_int_equal(root_mode_call(parts[1].vcpu[0], number, 0, sizeof(table), 0),
				 -BH_DENIED);
	}
	assert_int_equal(info().loads, 0);
}

/* Who is there keeps its memory and its back ends, also when the new table gives less; the next one
 * made gets what the table says. Isolation holds all the time. */
static void policy_load_leaves_what_is_there(void **state)
{
	struct bh_part_info *part = (void *)VMX_FAKE_ARGS;

	(void)state;
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), 0);
	table.part[1].ram_size = 2 * MIB;
	table.part[1].map_by = 0;
	assert_int_equal(seal_and_load(), 0);
	assert_int_equal(call(BH_HC_PART_INFO, 1, VMX_FAKE_ARGS, 0), 0);
	assert_int_equal(part->ram_size, 8 * MIB);
	assert_true(backend_check_isolation(&parts[0]));
	assert_int_equal(call(BH_HC_PART_DESTROY, 1, 0, 0), 0);
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), -BH_DENIED);
	table.part[1].map_by = 1;
	assert_int_equal(seal_and_load(), 0);
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), 0);
	assert_int_equal(call(BH_HC_PART_INFO, 1, VMX_FAKE_ARGS, 0), 0);
	assert_int_equal(part->ram_size, 2 * MIB);
}

/* Rings and interrupts are asked for each time: a right that is taken away is gone at once. */
static void policy_load_counts_for_the_next_ring(void **state)
{
	struct bh_event_page *events = (void *)EVENT_PAGE;
	struct vcpu *vcpu;

	(void)state;
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x41), 0);
	assert_int_equal(call(BH_HC_PART_CREATE, 1, IOREQ_PAGE, 0), 0);
	assert_int_equal(call(BH_HC_DOORBELL_SETUP, 1, 0xd0000000, 4), 0);
	assert_int_equal(call(BH_HC_PART_START, 1, 0, 0), 0);
	vcpu = parts[1].vcpu[0];
	exit_doorbell(vcpu, 0xd0001004);
	assert_int_equal(events->doorbell[1][1], 2);
	assert_int_equal(call(BH_HC_MSI_POST, 1, 0xfee00000, 0x41), 0);
	memset(events, 0, sizeof(*events));
	table.part[1].ring_to = 0;
	table.part[1].irq_from = 0;
	assert_int_equal(seal_and_load(), 0);
	exit_doorbell(vcpu, 0xd0001004);
	assert_int_equal(events->pending, 0);
	assert_int_equal(events->doorbell[1][1], 0);
	assert_int_equal(call(BH_HC_MSI_POST, 1, 0xfee00000, 0x41), -BH_DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gate_answers_by_the_table),
		TEST(gate_counts_refusals),
		TEST(policy_load_puts_a_table_in_force),
		TEST(policy_load_does_not_look_behind_its_part),
		TEST(policy_load_allows_nothing_new),
		TEST(policy_load_refuses_what_is_no_table),
		TEST(policy_load_checks_where_the_table_is),
		TEST(policy_load_leaves_what_is_there),
		TEST(policy_load_counts_for_the_next_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
