/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the policy table of this boot and what the table in force says. Each is copied first, and
 * only the copy is looked at. */
#include "part/policy.h"

#include "lib/boot_info.h"
#include "dbg/log.h"
#include "lib/crc32c.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "part/part.h"

#define TAG "policy"

#define PART_WORDS (sizeof(struct bh_policy_part) / 8)
#define HEAD_WORDS (sizeof(struct bh_policy) / 8)

static union table {
	struct bh_policy head;
	uint64_t words[BH_POLICY_SIZE_MAX / 8];
} boot, next; /* that of this boot; the one that is being looked at, under load_lock */

/* What the table in force says of the partitions, twice: `turn` says where. A load writes the other
 * place, then moves `turn`; who reads looks at `turn` again afterwards, so that what it has is of
 * one table. */
static uint64_t in_force[2][BH_PART_MAX * PART_WORDS];
static uint32_t turn;
static struct bh_policy_info info_now; /* under load_lock */
static struct spinlock load_lock;

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

static const char *check_part(const struct bh_policy *head, uint32_t id)
{
	const struct bh_policy_part *part = &parts_of(head)[id];

	if (!name_ok(part->name)) {
		return "a partition has no proper name";
	}
	if (part->ram_size == 0 || !IS_ALIGNED(part->ram_size, PAGE_2M) ||
	    part->ram_size > 3 * PAGE_1G || part->vcpu_count == 0 ||
	    part->vcpu_count > BH_VCPU_MAX || part->weight == 0 || part->weight > 10000 ||
	    part->doorbell_count > BH_DOORBELL_MAX || part->cap > 100 * BH_VCPU_MAX) {
		return "memory, vcpus, share of CPU or doorbells of a partition out of range";
	}
	if (part->flags != (id == BH_PART_CONTROL ? BH_POLICY_CONTROL : 0)) {
		return "partition 0, and no other, must be the control partition";
	}
	if ((part->map_by | part->ring_to | part->irq_from) >> head->part_count ||
	    (part->reserved16[0] | part->reserved16[1] | part->reserved16[2] | part->reserved[0])) {
		return "a partition has rights for one that is not there";
	}
	return NULL;
}

static const char *check_device(const struct bh_policy *head, const struct bh_policy_device *device)
{
	if (!name_ok(device->role)) {
		return "a device has no proper role";
	}
	if (device->part == BH_PART_CONTROL || device->part >= head->part_count) {
		return "a device belongs to no guest partition";
	}
	if (device->class_mask > 0xffffff || device->class_code & ~device->class_mask ||
	    (device->class_mask == 0 && device->vendor == BH_POLICY_DEVICE_ANY)) {
		return "a device is named by neither class nor vendor";
	}
	return NULL;
}

/** What the lists hold; the sizes are known to be right. */
static const char *check_entries(const struct bh_policy *head)
{
	const char *why = NULL;

	for (uint32_t i = 0; i < head->part_count && !why; i++) {
		why = check_part(head, i);
	}
	for (uint32_t i = 0; i < head->module_count && !why; i++) {
		const struct bh_policy_module *module = &modules_of(head)[i];

		why = name_ok(module->role) && !module->reserved ? NULL
								 : "a module has no proper role";
	}
	for (uint32_t i = 0; i < head->device_count && !why; i++) {
		why = check_device(head, &devices_of(head)[i]);
	}
	return why;
}

const char *policy_check(const void *bytes, uint64_t size)
{
	const struct bh_policy *head = bytes;
	struct bh_policy zeroed;
	uint32_t crc;

	if (size < sizeof(*head) || head->magic != BH_POLICY_MAGIC) {
		return "not a policy table";
	}
	if (head->version != BH_POLICY_VERSION) {
		return "made for another version of the hypervisor";
	}
	if (head->part_count == 0 || head->part_count > BH_PART_MAX ||
	    head->module_count > BOOT_MODULE_MAX || head->device_count > BH_POLICY_DEVICE_MAX ||
	    head->flags & ~BH_POLICY_IOMMU_REQUIRED ||
	    (head->reserved[0] | head->reserved[1] | head->reserved[2] | head->reserved[3] |
	     head->reserved[4])) {
		return "flags, or number of partitions, modules or devices out of range";
	}
	if (head->size != sizeof(*head) + head->part_count * sizeof(struct bh_policy_part) +
				  head->module_count * sizeof(struct bh_policy_module) +
				  head->device_count * sizeof(struct bh_policy_device) ||
	    head->size > size || head->file_size < head->size) {
		return "the table is truncated";
	}
	zeroed = *head;
	zeroed.crc32c = 0;
	crc = crc32c(0, &zeroed, sizeof(zeroed));
	crc = crc32c(crc, head + 1, head->size - sizeof(*head));
	return crc == head->crc32c ? check_entries(head) : "checksum is wrong";
}

/** The part of the daemons lies behind ours in the module, and nothing behind that. */
static const char *check_rest(const struct bh_policy *head, const struct boot_module *module)
{
	const uint8_t *bytes = hpa_ptr(hpa(module->base));

	if (head->file_size != module->size) {
		return "the table is truncated, or something follows it";
	}
	return crc32c(0, bytes + head->size, module->size - head->size) == head->rest_crc32c
		       ? NULL
		       : "checksum of the daemons' part is wrong";
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

static void put_in_force(const union table *table)
{
	uint64_t *to = in_force[(turn + 1) % 2];

	for (size_t i = 0; i < table->head.part_count * PART_WORDS; i++) {
		__atomic_store_n(&to[i], table->words[HEAD_WORDS + i], __ATOMIC_RELEASE);
	}
	__atomic_store_n(&turn, turn + 1, __ATOMIC_RELEASE);
	memcpy(info_now.hash, table->head.hash, sizeof(info_now.hash));
	info_now.serial = table->head.serial;
}

uint64_t policy_word(uint32_t id, size_t word)
{
	uint64_t value;
	uint32_t now;

	do {
		now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);
		value = __atomic_load_n(&in_force[now % 2][id * PART_WORDS + word],
					__ATOMIC_ACQUIRE);
	} while (now != __atomic_load_n(&turn, __ATOMIC_RELAXED));
	return value;
}

int policy_init(const struct boot_info *info)
{
	const struct boot_module *module = boot_module(info, "policy");
	const char *why;
	int err = 0;

	if (!module) {
		return boot_fail(BH_NOENT, "boot module 'policy' is missing");
	}
	memcpy(&boot, hpa_ptr(hpa(module->base)), MIN(module->size, sizeof(boot)));
	why = policy_check(&boot, MIN(module->size, sizeof(boot)));
	why = why ? why : check_rest(&boot.head, module);
	if (why) {
		return boot_fail(BH_CORRUPT, "policy: %s", why);
	}
	for (uint32_t i = 0; !err && i < boot.head.module_count; i++) {
		err = check_module(info, &modules_of(&boot.head)[i]);
	}
	if (err) {
		return err;
	}
	info_now = (struct bh_policy_info){.part_count = boot.head.part_count};
	memcpy(info_now.boot_hash, boot.head.hash, sizeof(info_now.boot_hash));
	put_in_force(&boot);
	log_info(TAG, "%u partitions, %u modules, crc32c %08x", boot.head.part_count,
		 boot.head.module_count, boot.head.crc32c);
	return 0;
}

static bool part_within(const struct bh_policy_part *part, const struct bh_policy_part *most)
{
	return memcmp(part->name, most->name, sizeof(part->name)) == 0 &&
	       part->ram_size <= most->ram_size && part->vcpu_count <= most->vcpu_count &&
	       part->doorbell_count <= most->doorbell_count && !(part->map_by & ~most->map_by) &&
	       !(part->ring_to & ~most->ring_to) && !(part->irq_from & ~most->irq_from);
}

/* Both were checked: the same counts are the same places. */
static bool within_boot(const struct bh_policy *head)
{
	bool within = head->part_count == boot.head.part_count &&
		      head->module_count == boot.head.module_count &&
		      head->device_count == boot.head.device_count &&
		      head->flags == boot.head.flags;

	for (uint32_t i = 0; within && i < head->part_count; i++) {
		within = part_within(&parts_of(head)[i], &parts_of(&boot.head)[i]);
	}
	return within &&
	       memcmp(modules_of(head), modules_of(&boot.head),
		      head->size - (size_t)((const char *)modules_of(head) - (const char *)head)) ==
		       0;
}

static int load_next(uint64_t size)
{
	const char *why = policy_check(&next, size);

	if (!why && !within_boot(&next.head)) {
		log_notice(TAG, "not loaded: it allows what the table of this boot does not");
		return -BH_DENIED;
	}
	if (why) {
		log_notice(TAG, "not loaded: %s", why);
		return -BH_CORRUPT;
	}
	put_in_force(&next);
	info_now.loads++;
	for (uint32_t i = 0; i < BH_PART_MAX; i++) { /* what was used up of another cap */
		__atomic_store_n(&parts[i].held_until, 0, __ATOMIC_RELAXED);
	}
	log_notice(TAG, "loaded, serial %lu, crc32c %08x", next.head.serial, next.head.crc32c);
	return 0;
}

int policy_load(const void *untrusted, uint64_t size)
{
	int err;

	lock_acquire(&load_lock);
	memcpy(&next, untrusted, MIN(size, sizeof(next)));
	__asm__ volatile("" ::: "memory"); /* the copy is what counts from here on */
	err = load_next(MIN(size, sizeof(next)));
	lock_release(&load_lock);
	return err;
}

void policy_get_info(struct bh_policy_info *ret_info)
{
	lock_acquire(&load_lock);
	*ret_info = info_now;
	lock_release(&load_lock);
}

uint32_t policy_part_count(void)
{
	return boot.head.part_count;
}

const struct bh_policy_part *policy_part(uint32_t id)
{
	return id < boot.head.part_count ? &parts_of(&boot.head)[id] : NULL;
}

const struct bh_policy_device *policy_device(uint32_t id)
{
	return id < boot.head.device_count ? &devices_of(&boot.head)[id] : NULL;
}

bool policy_requires_iommu(void)
{
	return boot.head.flags & BH_POLICY_IOMMU_REQUIRED;
}
