/* SPDX-License-Identifier: Apache-2.0 */
/** Policy tables are loaded by two CPUs, which are threads, while two others ask the gate, under
 * ThreadSanitizer: each answer is of one table, and none is of a table before one that was seen
 * already. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "insn_threads.h"
#include "lib/boot_info.h"
#include "lib/crc32c.h"
#include "part/backend.h"
#include "part/gate.h"
#include "part/policy.h"

#define PARTS	4u
#define LOADERS 2u
#define ASKERS	2u
#define LOADS	50u /* of each loader */

/* Never called: nothing runs here but the gate. */
const struct backend vtx_backend = {.name = "not here"};
const struct backend svm_backend = {.name = "not here"};

struct table {
	struct bh_policy head;
	struct bh_policy_part part[PARTS];
};

static uint64_t turns[ASKERS], last_weight;
static bool over;

/* Table n: each partition has the weight n, an even one also the rights that this boot gives and a
 * cap of n. */
static void make_table(struct table *table, uint32_t n)
{
	*table = (struct table){.head = {.magic = BH_POLICY_MAGIC,
					 .version = BH_POLICY_VERSION,
					 .size = sizeof(*table),
					 .file_size = sizeof(*table),
					 .serial = n,
					 .part_count = PARTS}};
	for (unsigned i = 0; i < PARTS; i++) {
		uint16_t rights = n % 2 ? 0 : 5;

		table->part[i] = (struct bh_policy_part){.name = "part",
							 .ram_size = PAGE_2M,
							 .vcpu_count = 1,
							 .weight = n,
							 .doorbell_count = 4,
							 .cap = n % 2 ? 0 : 1 + n % 100,
							 .map_by = rights,
							 .ring_to = rights,
							 .irq_from = rights};
	}
	table->part[0].flags = BH_POLICY_CONTROL;
	table->head.crc32c = crc32c(0, table, sizeof(*table));
}

static int setup(void **state)
{
	static struct table boot;
	static struct boot_info info;

	(void)state;
	threads_reset();
	threads_become(&cpus[0]);
	make_table(&boot, 2);
	memset(&info, 0, sizeof(info));
	strcpy(info.modules[0].role, "policy");
	info.modules[0].base = (uintptr_t)&boot;
	info.modules[0].size = sizeof(boot);
	info.module_count = 1;
	for (uint32_t i = 0; i < PARTS; i++) {
		parts[i].id = i;
	}
	over = false;
	last_weight = 2;
	memset(turns, 0, sizeof(turns));
	return policy_init(&info);
}

/* What the table says of partition `i` in one word: cap, map_by and ring_to of the same table. */
static void check_word(uint32_t i)
{
	uint64_t word = policy_word(i, offsetof(struct bh_policy_part, cap) / 8);
	uint32_t rights = (uint32_t)(word >> 32);

	BH_CHECK_TEST(rights == ((uint32_t)word ? 0x00050005u : 0));
}

static void *ask(void *arg)
{
	uint64_t *turn = arg, seen = 0;

	threads_become(&cpus[LOADERS + (turn - turns)]);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		for (uint32_t i = 0; i < PARTS; i++) {
			uint64_t weight = gate_get(&parts[i], weight);

			BH_CHECK_TEST(weight >= seen);
			seen = weight;
			check_word(i);
			(void)!gate_check_irq(&parts[i], &parts[1]);
			BH_CHECK_TEST(gate_check_ring(&parts[i], 1) == -BH_DENIED);
		}
		__atomic_fetch_add(turn, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* One loader at a time makes the next table, so that weights only grow; then both load at once what
 * is refused. */
static void *load(void *arg)
{
	static struct spinlock order;
	struct table table;

	threads_become(arg);
	for (unsigned i = 0; i < LOADS; i++) {
		lock_acquire(&order);
		make_table(&table, (uint32_t)++last_weight);
		BH_CHECK_TEST(policy_load(&table, sizeof(table)) == 0);
		lock_release(&order);
		table.part[2].irq_from = 8;
		BH_CHECK_TEST(policy_load(&table, sizeof(table)) == -BH_CORRUPT);
		table.head.crc32c = 0;
		table.head.crc32c = crc32c(0, &table, sizeof(table));
		BH_CHECK_TEST(policy_load(&table, sizeof(table)) == -BH_DENIED);
	}
	return NULL;
}

/* A load while others ask: no answer mixes two tables, none goes back, no refused table is ever
 * seen. */
static void gate_answers_while_tables_are_loaded(void **state)
{
	pthread_t loader[LOADERS], asker[ASKERS];
	struct bh_policy_info info;

	(void)state;
	for (unsigned i = 0; i < ASKERS; i++) {
		assert_int_equal(pthread_create(&asker[i], NULL, ask, &turns[i]), 0);
	}
	for (unsigned i = 0; i < ASKERS; i++) {
		while (__atomic_load_n(&turns[i], __ATOMIC_RELAXED) == 0) {
			sched_yield(); /* a busy host starts them late */
		}
	}
	for (unsigned i = 0; i < LOADERS; i++) {
		assert_int_equal(pthread_create(&loader[i], NULL, load, &cpus[i]), 0);
	}
	for (unsigned i = 0; i < LOADERS; i++) {
		pthread_join(loader[i], NULL);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < ASKERS; i++) {
		pthread_join(asker[i], NULL);
	}
	policy_get_info(&info);
	assert_int_equal(info.loads, LOADERS * LOADS);
	assert_int_equal(info.serial, last_weight);
	print_message("# %u loads, asked %lu and %lu times %u\n", info.loads, turns[0], turns[1],
		      PARTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gate_answers_while_tables_are_loaded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
