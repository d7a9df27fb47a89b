/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the rules of both parts but for cells. What would let a reader run astray is refused, and so
 * is what two readers could understand in two ways. */
#define _POSIX_C_SOURCE 200809L
#include "table_check.h"

#include <errno.h>
#include <string.h>
#include <mbedtls/sha256.h>

#define RAM_STEP    (2ull << 20)
#define RAM_MAX	    (3ull << 30)
#define WEIGHT_MAX  10000u
#define CAP_MAX	    (100u * BH_VCPU_MAX)
#define PATTERN_MAX 5u
#define ORDER_MAX   9u
#define COLOUR_MAX  0xffffffu
#define CLASS_MAX   0xffffffu
#define ANY	    UINT32_MAX

/* Highest values and all bits of the enums in policy/lang/text.h. */
#define CLASS_LAST  2u
#define START_LAST  2u
#define HEALTH_LAST 1u
#define RUN_BITS    3u
#define DISK_BITS   7u
#define DEVICE_BITS 31u
#define ACTION_BITS 63u
#define KEY_BITS    0x7fffffu
#define BUS_USB	    1u
#define BUS_INPUT   2u
#define BUS_OUTPUT  3u
#define INPUT_BITS  24u
#define OUTPUT_BITS 3u

int table_check_hash(const void *bytes, size_t size, uint8_t ret_hash[32])
{
	struct bh_policy head;
	mbedtls_sha256_context context;
	int err;

	memcpy(&head, bytes, sizeof(head));
	head.crc32c = 0;
	memset(head.hash, 0, sizeof(head.hash));
	mbedtls_sha256_init(&context);
	err = mbedtls_sha256_starts_ret(&context, 0);
	if (err == 0) {
		err = mbedtls_sha256_update_ret(&context, (const void *)&head, sizeof(head));
	}
	if (err == 0) {
		err = mbedtls_sha256_update_ret(&context, (const uint8_t *)bytes + sizeof(head),
						size - sizeof(head));
	}
	if (err == 0) {
		err = mbedtls_sha256_finish_ret(&context, ret_hash);
	}
	mbedtls_sha256_free(&context);
	return err == 0 ? 0 : -EIO;
}

bool table_check_name(const char *name)
{
	size_t length = 0;

	for (; name[length] != '\0'; length++) {
		bool letter = name[length] >= 'a' && name[length] <= 'z';
		bool other = (name[length] >= '0' && name[length] <= '9') || name[length] == '-';

		if (length == 15 || !(letter || (other && length > 0))) {
			return false;
		}
	}
	return length > 0;
}

/* A name in 16 bytes, the rest of which is 0. */
static bool check_name16(const char name[16])
{
	size_t length = strnlen(name, 16);

	for (size_t i = length; i < 16; i++) {
		if (name[i] != '\0') {
			return false;
		}
	}
	return length < 16 && table_check_name(name);
}

static bool all_zero(const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		if (byte[i] != 0) {
			return false;
		}
	}
	return true;
}

static const char *check_root_part(const struct table *table, uint32_t id)
{
	const struct bh_policy_part *part = &table->root_part[id];
	const uint32_t others = (UINT32_MAX << table->root->part_count) & UINT16_MAX;

	if (!check_name16(part->name)) {
		return "a partition has no proper name";
	}
	if (part->ram_size == 0 || part->ram_size % RAM_STEP != 0 || part->ram_size > RAM_MAX ||
	    part->vcpu_count == 0 || part->vcpu_count > BH_VCPU_MAX || part->weight == 0 ||
	    part->weight > WEIGHT_MAX || part->doorbell_count > BH_DOORBELL_MAX ||
	    part->cap > CAP_MAX) {
		return "memory, vcpus, weight, cap or doorbells of a partition out of range";
	}
	if (part->flags != (id == BH_PART_CONTROL ? BH_POLICY_CONTROL : 0)) {
		return "partition 0, and no other, must be the control partition";
	}
	if ((part->map_by | part->ring_to | part->irq_from) & others) {
		return "a partition may reach one that is not there";
	}
	if (!all_zero(part->reserved16, sizeof(part->reserved16)) ||
	    !all_zero(part->reserved, sizeof(part->reserved))) {
		return "a reserved field of a partition is not 0";
	}
	return NULL;
}

static const char *check_root_device(const struct table *table, uint32_t id)
{
	const struct bh_policy_device *device = &table->root_device[id];

	if (!check_name16(device->role)) {
		return "a device has no proper role";
	}
	if (device->part == BH_PART_CONTROL || device->part >= table->root->part_count) {
		return "a device belongs to no guest partition";
	}
	if (device->class_mask > CLASS_MAX || (device->class_code & ~device->class_mask) != 0 ||
	    (device->class_mask == 0 && device->vendor == BH_POLICY_DEVICE_ANY)) {
		return "a device is named by neither class nor vendor";
	}
	return NULL;
}

const char *table_check_root(const struct table *table)
{
	const struct bh_policy *root = table->root;
	const char *why = NULL;

	if ((root->flags & ~BH_POLICY_IOMMU_REQUIRED) != 0 ||
	    !all_zero(root->reserved, sizeof(root->reserved))) {
		return "flags that mean nothing, or a reserved field that is not 0";
	}
	for (uint32_t i = 0; i < root->part_count && why == NULL; i++) {
		why = check_root_part(table, i);
	}
	for (uint32_t i = 0; i < root->module_count && why == NULL; i++) {
		const struct bh_policy_module *module = &table->root_module[i];

		if (!check_name16(module->role) || module->size == 0 || module->reserved != 0) {
			why = "a module has no proper role or size";
		}
	}
	for (uint32_t i = 0; i < root->device_count && why == NULL; i++) {
		why = check_root_device(table, i);
	}
	return why;
}

/* Bytes of the character at `text`, 0: not UTF-8, or a control character. */
static size_t check_character(const uint8_t *text, size_t left)
{
	static const uint32_t low[5] = {0, 0x20, 0xa0, 0x800, 0x10000};
	size_t size = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	uint32_t point = size == 1 ? text[0] : text[0] & (0x7fu >> size);

	if ((text[0] >= 0x80 && text[0] < 0xc0) || text[0] >= 0xf8 || size > left) {
		return 0;
	}
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < low[size] || point == 0x7f || (point >= 0xd800 && point < 0xe000) ||
	    point > 0x10ffff) {
		return 0;
	}
	return size;
}

const char *table_check_strings(const struct table *table)
{
	const uint8_t *text = (const uint8_t *)table->string;
	const size_t size = table->head->string_size;
	size_t step;

	if (text[0] != 0 || text[size - 1] != 0) {
		return "the strings do not begin and end with 0";
	}
	for (size_t i = 0; i < size; i += step) {
		step = text[i] == 0 ? 1 : check_character(text + i, size - i);
		if (step == 0) {
			return "a string is not UTF-8, or has control characters";
		}
	}
	return NULL;
}

/* Whether a string begins there. */
static bool check_string(const struct table *table, uint32_t offset)
{
	return offset < table->head->string_size &&
	       (offset == 0 || table->string[offset - 1] == '\0');
}

/* A path in its one spelling: from the root on, no empty part, no "." and no "..". */
static bool check_path(const char *path)
{
	const char *part = path + 1;
	size_t size;

	if (path[0] != '/') {
		return false;
	}
	do {
		size = strcspn(part, "/");
		if (size == 0 || (size <= 2 && memcmp(part, "..", size) == 0)) {
			return false;
		}
		part += size + 1;
	} while (part[-1] != '\0');
	return true;
}

static bool check_match(const struct table_match *match)
{
	if (match->bus > BUS_USB) {
		const uint32_t bits = match->bus == BUS_INPUT ? INPUT_BITS : OUTPUT_BITS;

		return match->bus <= BUS_OUTPUT && match->what != 0 && (match->what & ~bits) == 0 &&
		       match->class_code == 0 && match->class_mask == 0 && match->vendor == ANY &&
		       match->product == ANY;
	}
	return match->what == 0 && match->class_mask <= CLASS_MAX &&
	       (match->class_code & ~match->class_mask) == 0 &&
	       (match->vendor <= UINT16_MAX || match->vendor == ANY) &&
	       (match->product <= UINT16_MAX || match->product == ANY) &&
	       (match->class_mask != 0 || match->vendor != ANY);
}

static const char *check_prefixes(const struct table *table)
{
	for (uint32_t i = 0; i < table->head->prefix_count; i++) {
		const struct table_prefix *prefix = &table->prefix[i];
		const struct table_prefix *before = i == 0 ? prefix : prefix - 1;

		if (prefix->length > 128 || prefix->node >= table->head->node_count ||
		    table->node[prefix->node].type != TABLE_ZONE) {
			return "a prefix is too long or belongs to no zone";
		}
		for (uint32_t bit = prefix->length; bit < 128; bit++) {
			if ((prefix->address[bit / 8] & (0x80 >> bit % 8)) != 0) {
				return "an address has bits behind its prefix";
			}
		}
		if (i > 0 && (before->length < prefix->length ||
			      (before->length == prefix->length &&
			       memcmp(before->address, prefix->address, 16) >= 0))) {
			return "prefixes are not in order";
		}
	}
	return NULL;
}

static const char *check_node(const struct table *table, uint32_t id)
{
	const struct table_node *node = &table->node[id];

	if ((id < table->head->part_count) != (node->type == TABLE_PART) ||
	    node->type > TABLE_ZONE) {
		return "a node is neither partition, role nor zone, or stands in the wrong place";
	}
	if (!check_string(table, node->name) || !table_check_name(table->string + node->name)) {
		return "a node has no proper name";
	}
	if (node->type == TABLE_PART &&
	    strcmp(table->string + node->name, table->root_part[id].name) != 0) {
		return "a partition has two names";
	}
	for (uint32_t i = 0; i < id; i++) {
		if (strcmp(table->string + node->name, table->string + table->node[i].name) == 0) {
			return "two nodes have one name";
		}
	}
	return NULL;
}

const char *table_check_nodes(const struct table *table)
{
	/* What belongs to the nodes of a type lies in their order, without gaps. */
	uint32_t used[3] = {0, 0, 0};
	const char *why;

	for (uint32_t i = 0; i < table->head->node_count; i++) {
		const struct table_node *node = &table->node[i];
		const uint32_t have[3] = {table->head->disk_count, table->head->match_count, 0};

		why = check_node(table, i);
		if (why != NULL) {
			return why;
		}
		if (node->type == TABLE_PART && node->count > TABLE_DISKS_MAX) {
			return "a partition has too many disks";
		}
		if (node->first != (node->type == TABLE_ZONE ? 0 : used[node->type]) ||
		    node->count > have[node->type] - used[node->type] ||
		    (node->type == TABLE_ROLE && node->count == 0)) {
			return "disks or matches of a node are not its own";
		}
		used[node->type] += node->count;
	}
	if (used[TABLE_PART] != table->head->disk_count ||
	    used[TABLE_ROLE] != table->head->match_count) {
		return "a disk or match belongs to no node";
	}
	for (uint32_t i = 0; i < table->head->match_count; i++) {
		if (!check_match(&table->match[i])) {
			return "a match has no meaning";
		}
	}
	for (uint32_t i = 0; i < table->head->disk_count; i++) {
		if (!check_string(table, table->disk[i].file) ||
		    !check_path(table->string + table->disk[i].file) ||
		    (table->disk[i].flags & ~DISK_BITS) != 0) {
			return "a disk has no proper path, or flags that mean nothing";
		}
	}
	return check_prefixes(table);
}

static const char *check_part(const struct table *table, uint32_t id)
{
	const struct table_part *part = &table->part[id];
	uint64_t roles = 0;

	for (uint32_t i = 0; i < table->head->node_count; i++) {
		roles |= table->node[i].type == TABLE_ROLE ? 1ull << i : 0;
	}
	if (!check_string(table, part->title) ||
	    strlen(table->string + part->title) > TABLE_TITLE_MAX || part->colour > COLOUR_MAX ||
	    part->pattern > PATTERN_MAX || part->order > ORDER_MAX) {
		return "title, colour, pattern or order of a partition out of range";
	}
	if (part->class > CLASS_LAST || part->start > START_LAST || part->health > HEALTH_LAST ||
	    (part->run & ~RUN_BITS) != 0 || (part->devices & ~DEVICE_BITS) != 0 ||
	    part->guarantee > 100 || part->cache > 100 ||
	    !all_zero(part->reserved, sizeof(part->reserved))) {
		return "class, start, health, devices or shares of a partition out of range";
	}
	if ((part->owns & ~roles) != 0 || part->after >> table->head->part_count != 0) {
		return "a partition owns or waits for what is not there";
	}
	return NULL;
}

/* Takes away, again and again, who waits for nobody that is left. */
static const char *check_order(const struct table *table)
{
	uint32_t left = (1u << table->head->part_count) - 1;
	uint32_t before;

	do {
		before = left;
		for (uint32_t i = 0; i < table->head->part_count; i++) {
			if ((table->part[i].after & left) == 0) {
				left &= ~(1u << i);
			}
		}
	} while (left != before);
	return left == 0 ? NULL : "partitions wait for each other";
}

const char *table_check_parts(const struct table *table)
{
	const char *why = NULL;

	for (uint32_t i = 0; i < table->head->part_count && why == NULL; i++) {
		why = check_part(table, i);
	}
	for (uint32_t i = 0; i < TABLE_PERSONS * table->head->part_count && why == NULL; i++) {
		if ((table->right[i].actions & ~ACTION_BITS) != 0 ||
		    (table->right[i].keys & ~KEY_BITS) != 0) {
			why = "a right means nothing";
		}
	}
	return why != NULL ? why : check_order(table);
}
