/* SPDX-License-Identifier: Apache-2.0 */
/* Root mode's own code over a table that the compiler made: is it taken, and what does the gate
 * answer? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "lib/boot_info.h"
#include "part/gate.h"
#include "part/policy.h"

/* A device index past all that there are. */
#define DEVICE_END BH_POLICY_DEVICE_MAX

static int start(const void *bytes, size_t size)
{
	static struct boot_info info;

	info.module_count = 1;
	strcpy(info.modules[0].role, "policy");
	info.modules[0].base = (uint64_t)(uintptr_t)bytes;
	info.modules[0].size = size;
	return policy_init(&info);
}

/* The table before this one, as root mode would have been started with. */
static struct {
	void *bytes;
	size_t size;
} before;

/* What is in force of all partitions, for comparison. */
static void copy_words(uint64_t words[BH_PART_MAX][sizeof(struct bh_policy_part) / 8])
{
	for (uint32_t id = 0; id < policy_part_count(); id++) {
		for (size_t i = 0; i < sizeof(struct bh_policy_part) / 8; i++) {
			words[id][i] = policy_word(id, i);
		}
	}
}

/* A machine that was started with the table before is given this one: taken wholly or not at all.
 */
static void load(const void *bytes, size_t size)
{
	static uint64_t old[BH_PART_MAX][sizeof(struct bh_policy_part) / 8];
	static uint64_t new[BH_PART_MAX][sizeof(struct bh_policy_part) / 8];
	const struct bh_policy *head = bytes;
	bool same;
	int ret;

	if (before.bytes == NULL || start(before.bytes, before.size) != 0) {
		return;
	}
	memset(old, 0, sizeof(old));
	memset(new, 0, sizeof(new));
	copy_words(old);
	ret = policy_load(bytes, size);
	copy_words(new);
	same = memcmp(ret == 0 ? (const void *)(head + 1) : old, new,
		      policy_part_count() * sizeof(struct bh_policy_part)) == 0;
	printf("load %d %d\n", ret, same);
}

static void remember(const void *bytes, size_t size)
{
	free(before.bytes);
	before.bytes = malloc(size);
	before.size = size;
	if (before.bytes != NULL) {
		memcpy(before.bytes, bytes, size);
	}
}

static void print_part(uint32_t id)
{
	const struct part *part = &parts[id];
	uint64_t most = gate_get(part, doorbell_count);

	printf("gate-part %s %d %llu %u %u %u %llu %d%d\n", policy_part(id)->name,
	       gate_check_manage(part) == 0, (unsigned long long)gate_get(part, ram_size),
	       gate_get(part, vcpu_count), gate_get(part, weight), gate_get(part, cap),
	       (unsigned long long)most, gate_check_doorbells(part, most),
	       gate_check_doorbells(part, most + 1) != 0);
	for (uint32_t other = 0; other < policy_part_count(); other++) {
		printf("gate-pair %s %s %d%d%d\n", policy_part(other)->name, policy_part(id)->name,
		       gate_check_map(&parts[other], part) == 0,
		       gate_check_irq(&parts[other], part) == 0, gate_check_ring(part, other) == 0);
	}
	for (uint32_t device = 0; device < DEVICE_END; device++) {
		if (gate_owns_device(part, device)) {
			printf("gate-device %s %s\n", policy_part(id)->name,
			       policy_device(device)->role);
		}
	}
}

void judge_forget(void)
{
	free(before.bytes);
	before.bytes = NULL;
}

void judge_gate(const void *bytes, size_t size)
{
	int ret = start(bytes, size);

	printf("gate %d %s\n", ret, ret != 0 ? boot_error : "");
	if (ret != 0) {
		judge_forget();
		return;
	}
	for (uint32_t id = 0; id < policy_part_count(); id++) {
		parts[id].id = id;
		parts[id].policy = policy_part(id);
	}
	for (uint32_t id = 0; id < policy_part_count(); id++) {
		print_part(id);
	}
	printf("gate-machine %d\n", policy_requires_iommu());
	load(bytes, size);
	remember(bytes, size);
}
