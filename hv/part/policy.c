/* SPDX-License-Identifier: Apache-2.0 */
/** The policy table. The module is copied first and only the copy is looked at. */
#include "part/policy.h"

#include "lib/boot_info.h"
#include "dbg/log.h"
#include "lib/crc32c.h"
#include "lib/string.h"

#define TAG "policy"

#define POLICY_SIZE_MAX                                                                            \
	(sizeof(struct bh_policy) + BH_PART_MAX * sizeof(struct bh_policy_part) +                  \
	 BOOT_MODULE_MAX * sizeof(struct bh_policy_module) +                                       \
	 BH_POLICY_DEVICE_MAX * sizeof(struct bh_policy_device))

static union {
	struct bh_policy head;
	uint8_t bytes[POLICY_SIZE_MAX];
} table;

static const struct bh_policy_part *parts_of(const struct bh_policy *head)
{
	return (const struct bh_policy_part *)(head + 1);
}

static const struct bh_policy_module *modules_of(const struct bh_policy *head)
{
	return (const struct bh_policy_module *)(parts_of(head) + head->part_count);
}

static const struct bh_policy_device *devices_of(const struct bh_policy *head)
{
	return (const struct bh_policy_device *)(modules_of(head) + head->module_count);
}

static bool name_ok(const char *name)
{
	size_t len = 0;

	while (len < 16 && name[len]) {
		if (name[len] < 0x20 || name[len] > 0x7e) {
			return false;
		}
		len++;
	}
	return len > 0 && len < 16;
}

static int check_part(const struct bh_policy_part *part, bool control)
{
	if (!name_ok(part->name)) {
		return boot_fail(BH_CORRUPT, "policy: a partition has no proper name");
	}
	if (part->ram_size == 0 || !IS_ALIGNED(part->ram_size, PAGE_2M) ||
	    part->ram_size > 3 * PAGE_1G || part->vcpu_count == 0 ||
	    part->vcpu_count > BH_VCPU_MAX || part->weight == 0 || part->weight > 10000 ||
	    part->doorbell_count > BH_DOORBELL_MAX) {
		return boot_fail(
			BH_CORRUPT,
			"policy: memory, vcpus, weight or doorbells of a partition out of range");
	}
	if (!!(part->flags & BH_POLICY_CONTROL) != control ||
	    part->flags & ~(BH_POLICY_CONTROL | BH_POLICY_MAPPED)) {
		return boot_fail(
			BH_CORRUPT,
			"policy: partition 0, and no other, must be the control partition");
	}
	return 0;
}

static int check_device(const struct bh_policy *head, const struct bh_policy_device *device)
{
	if (!name_ok(device->role)) {
		return boot_fail(BH_CORRUPT, "policy: a device has no proper role");
	}
	if (device->part == BH_PART_CONTROL || device->part >= head->part_count) {
		return boot_fail(BH_CORRUPT, "policy: a device belongs to no guest partition");
	}
	if (device->class_mask > 0xffffff || device->class_code & ~device->class_mask ||
	    (device->class_mask == 0 && device->vendor == BH_POLICY_DEVICE_ANY)) {
		return boot_fail(BH_CORRUPT,
				 "policy: a device is named by neither class nor vendor");
	}
	return 0;
}

/** What the lists hold; the sizes are known to be right. */
static int check_entries(const struct bh_policy *head)
{
	int err = 0;

	for (uint32_t i = 0; i < head->part_count && !err; i++) {
		err = check_part(&parts_of(head)[i], i == BH_PART_CONTROL);
	}
	for (uint32_t i = 0; i < head->module_count && !err; i++) {
		if (!name_ok(modules_of(head)[i].role)) {
			err = boot_fail(BH_CORRUPT, "policy: a module has no proper role");
		}
	}
	for (uint32_t i = 0; i < head->device_count && !err; i++) {
		err = check_device(head, &devices_of(head)[i]);
	}
	return err;
}

int policy_check(const void *bytes, uint64_t size)
{
	const struct bh_policy *head = bytes;
	struct bh_policy zeroed;
	uint32_t crc;

	if (size < sizeof(*head) || head->magic != BH_POLICY_MAGIC) {
		return boot_fail(BH_CORRUPT, "policy: not a policy table");
	}
	if (head->version != BH_POLICY_VERSION) {
		return boot_fail(BH_CORRUPT, "policy: made for another version of the hypervisor");
	}
	if (head->part_count == 0 || head->part_count > BH_PART_MAX ||
	    head->module_count > BOOT_MODULE_MAX || head->device_count > BH_POLICY_DEVICE_MAX ||
	    head->flags & ~BH_POLICY_IOMMU_REQUIRED) {
		return boot_fail(
			BH_CORRUPT,
			"policy: flags, or number of partitions, modules or devices out of range");
	}
	if (head->size != sizeof(*head) + head->part_count * sizeof(struct bh_policy_part) +
				  head->module_count * sizeof(struct bh_policy_module) +
				  head->device_count * sizeof(struct bh_policy_device) ||
	    head->size > size) {
		return boot_fail(BH_CORRUPT, "policy: the table is truncated");
	}
	zeroed = *head;
	zeroed.crc32c = 0;
	crc = crc32c(0, &zeroed, sizeof(zeroed));
	crc = crc32c(crc, head + 1, head->size - sizeof(*head));
	if (crc != head->crc32c) {
		return boot_fail(BH_CORRUPT, "policy: checksum is wrong");
	}
	return check_entries(head);
}

static int check_module(const struct boot_info *info, const struct bh_policy_module *want)
{
	const struct boot_module *module = boot_module(info, want->role);

	if (!module) {
		return boot_fail(BH_NOENT, "boot module '%s' is missing", want->role);
	}
	if (module->size < want->size) {
		return boot_fail(BH_CORRUPT, "boot module '%s' is truncated", want->role);
	}
	if (module->size != want->size ||
	    crc32c(0, hpa_ptr(hpa(module->base)), module->size) != want->crc32c) {
		return boot_fail(BH_CORRUPT, "boot module '%s' is not the one the policy names",
				 want->role);
	}
	return 0;
}

int policy_init(const struct boot_info *info)
{
	const struct boot_module *module = boot_module(info, "policy");
	int err;

	if (!module) {
		return boot_fail(BH_NOENT, "boot module 'policy' is missing");
	}
	memcpy(table.bytes, hpa_ptr(hpa(module->base)), MIN(module->size, sizeof(table)));
	err = policy_check(table.bytes, MIN(module->size, sizeof(table)));
	for (uint32_t i = 0; !err && i < table.head.module_count; i++) {
		err = check_module(info, &modules_of(&table.head)[i]);
	}
	if (err) {
		return err;
	}
	log_info(TAG, "%u partitions, %u modules, crc32c %08x", table.head.part_count,
		 table.head.module_count, table.head.crc32c);
	return 0;
}

uint32_t policy_part_count(void)
{
	return table.head.part_count;
}

const struct bh_policy_part *policy_part(uint32_t id)
{
	return id < table.head.part_count ? &parts_of(&table.head)[id] : NULL;
}

const struct bh_policy_device *policy_device(uint32_t id)
{
	return id < table.head.device_count ? &devices_of(&table.head)[id] : NULL;
}

bool policy_requires_iommu(void)
{
	return table.head.flags & BH_POLICY_IOMMU_REQUIRED;
}
