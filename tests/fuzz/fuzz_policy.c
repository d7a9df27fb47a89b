/* SPDX-License-Identifier: Apache-2.0 */
/** Policy tables of any content, as that of the boot and as one that is loaded later. The checksum
 * is made right first, so that the checks behind it are reached. A table that passes must keep the
 * promises the core builds on; one that is loaded must allow nothing that the one of the boot does
 * not, and one that is refused must change nothing. */
#include <stdlib.h>
#include <string.h>

#include "lib/boot_info.h"
#include "lib/crc32c.h"
#include "part/policy.h"

#define PARTS 3u
#define WORDS (sizeof(struct bh_policy_part) / 8)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct bh_policy head;
	struct bh_policy_part part[PARTS];
	struct bh_policy_device device[1];
} boot;

/* A machine with three partitions, "a", "b" and "c"; the first serves the second, which owns a
 * device. */
static void start(void)
{
	static struct boot_info info;

	boot.head = (struct bh_policy){.magic = BH_POLICY_MAGIC,
				       .version = BH_POLICY_VERSION,
				       .size = sizeof(boot),
				       .file_size = sizeof(boot),
				       .part_count = PARTS,
				       .device_count = 1};
	for (unsigned i = 0; i < PARTS; i++) {
		boot.part[i] = (struct bh_policy_part){.name = {(char)('a' + i)},
						       .ram_size = 4 * PAGE_2M,
						       .vcpu_count = 2,
						       .weight = 100,
						       .doorbell_count = 4,
						       .map_by = i == 1,
						       .ring_to = i == 1,
						       .irq_from = i == 1};
	}
	boot.part[0].flags = BH_POLICY_CONTROL;
	boot.device[0] = (struct bh_policy_device){
		.role = "nic", .vendor = 0x8086, .device = BH_POLICY_DEVICE_ANY, .part = 1};
	boot.head.crc32c = crc32c(0, &boot, sizeof(boot));
	strcpy(info.modules[0].role, "policy");
	info.modules[0].base = (uintptr_t)&boot;
	info.modules[0].size = sizeof(boot);
	info.module_count = 1;
	if (policy_init(&info)) {
		abort();
	}
}

static void check(bool good)
{
	if (!good) {
		abort();
	}
}

static void check_table(const struct bh_policy *head)
{
	const struct bh_policy_part *part = (const struct bh_policy_part *)(head + 1);
	const struct bh_policy_module *module =
		(const struct bh_policy_module *)(part + head->part_count);
	const struct bh_policy_device *device =
		(const struct bh_policy_device *)(module + head->module_count);

	for (uint32_t i = 0; i < head->part_count; i++) {
		check(part[i].vcpu_count <= BH_VCPU_MAX && part[i].weight && part[i].ram_size);
		check(part[i].cap <= 100 * BH_VCPU_MAX && memchr(part[i].name, 0, 16));
		check(!((part[i].map_by | part[i].ring_to | part[i].irq_from) >> head->part_count));
	}
	for (uint32_t i = 0; i < head->device_count; i++) {
		check(device[i].part != 0 && device[i].part < head->part_count &&
		      memchr(device[i].role, 0, 16));
	}
}

static void check_within(void)
{
	for (uint32_t i = 0; i < PARTS; i++) {
		check(POLICY_NOW(i, ram_size) <= 4 * PAGE_2M && POLICY_NOW(i, vcpu_count) <= 2 &&
		      POLICY_NOW(i, doorbell_count) <= 4 && POLICY_NOW(i, weight));
		check(POLICY_NOW(i, map_by) <= (i == 1) && POLICY_NOW(i, ring_to) <= (i == 1) &&
		      POLICY_NOW(i, irq_from) <= (i == 1));
		check(POLICY_NOW(i, flags) == (i == 0 ? BH_POLICY_CONTROL : 0));
	}
}

static void load(const struct bh_policy *head, size_t size, bool is_table)
{
	uint64_t before[PARTS * WORDS];
	int err;

	for (uint32_t i = 0; i < PARTS * WORDS; i++) {
		before[i] = policy_word(i / WORDS, i % WORDS);
	}
	err = policy_load(head, size);
	check(is_table ? err == 0 || err == -BH_DENIED : err == -BH_CORRUPT);
	for (uint32_t i = 0; err && i < PARTS * WORDS; i++) {
		check(before[i] == policy_word(i / WORDS, i % WORDS));
	}
	check_within();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_policy *head = malloc(size ? size : 1);
	bool is_table;

	if (!head) {
		return 0;
	}
	if (boot.head.magic == 0) {
		start();
	}
	memcpy(head, data, size);
	if (size >= sizeof(*head) && head->size <= size && head->size >= sizeof(*head)) {
		head->crc32c = 0;
		head->crc32c = crc32c(0, head, head->size);
	}
	is_table = !policy_check(head, size);
	if (is_table) {
		check_table(head);
	}
	if (size <= BH_POLICY_SIZE_MAX) {
		load(head, size, is_table);
	}
	free(head);
	return 0;
}
