/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way from hostile bytes to an opened table: first the sizes, then the checksums, then
 * what the sections hold. */
#define _POSIX_C_SOURCE 200809L
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "table_check.h"
#include "whole_file.h"

#define MODULES_MAX 16u /* of a boot */

/* Hands out the sections in order; only the end is compared, as no count can make the sum wrap. */
struct cursor {
	const uint8_t *start;
	uint64_t offset;
};

static const void *take(struct cursor *cursor, uint64_t count, size_t size)
{
	const void *here = cursor->start + cursor->offset;

	cursor->offset += count * size;
	return here;
}

static uint64_t root_size(const struct bh_policy *root)
{
	return sizeof(*root) + (uint64_t)root->part_count * sizeof(struct bh_policy_part) +
	       (uint64_t)root->module_count * sizeof(struct bh_policy_module) +
	       (uint64_t)root->device_count * sizeof(struct bh_policy_device);
}

static const char *open_root(const uint8_t *bytes, size_t size, struct table *table)
{
	const struct bh_policy *root = (const void *)bytes;
	struct cursor cursor = {bytes, sizeof(*root)};

	if (size < sizeof(*root) || root->magic != BH_POLICY_MAGIC) {
		return "not a policy table";
	}
	if (root->version != BH_POLICY_VERSION) {
		return "made for another version of the hypervisor";
	}
	if (root->part_count == 0 || root->part_count > BH_PART_MAX ||
	    root->module_count > MODULES_MAX || root->device_count > BH_POLICY_DEVICE_MAX) {
		return "number of partitions, modules or devices out of range";
	}
	if (root->file_size != size || root->size > BH_POLICY_SIZE_MAX ||
	    root->size != root_size(root) || root->size > size) {
		return "the table is truncated or has another size than it says";
	}
	table->root = root;
	table->root_part = take(&cursor, root->part_count, sizeof(*table->root_part));
	table->root_module = take(&cursor, root->module_count, sizeof(*table->root_module));
	table->root_device = take(&cursor, root->device_count, sizeof(*table->root_device));
	return NULL;
}

static const char *check_sums(const struct bh_policy *root)
{
	const uint8_t *bytes = (const void *)root;
	struct bh_policy zeroed = *root;
	uint8_t hash[32];
	uint32_t crc;

	zeroed.crc32c = 0;
	crc = checksum_crc32c(0, &zeroed, sizeof(zeroed));
	crc = checksum_crc32c(crc, root + 1, root->size - sizeof(*root));
	if (crc != root->crc32c ||
	    checksum_crc32c(0, bytes + root->size, root->file_size - root->size) !=
		    root->rest_crc32c) {
		return "checksum is wrong";
	}
	if (table_check_hash(bytes, root->file_size, hash) != 0 ||
	    memcmp(hash, root->hash, sizeof(hash)) != 0) {
		return "hash is wrong";
	}
	return NULL;
}

static const char *open_sections(const uint8_t *bytes, size_t size, struct table *table)
{
	const struct table_head *head = (const void *)bytes;
	struct cursor cursor = {bytes, sizeof(*head)};

	if (size < sizeof(*head) || head->magic != TABLE_MAGIC) {
		return "the part of the daemons is missing";
	}
	if (head->part_count != table->root->part_count || head->node_count < head->part_count ||
	    head->node_count > TABLE_NODES_MAX || head->kind_count != TABLE_KINDS ||
	    head->run_count == 0 || head->string_size == 0) {
		return "number of partitions, nodes or kinds out of range";
	}
	table->head = head;
	table->node = take(&cursor, head->node_count, sizeof(*table->node));
	table->part = take(&cursor, head->part_count, sizeof(*table->part));
	table->right = take(&cursor, TABLE_PERSONS * head->part_count, sizeof(*table->right));
	table->disk = take(&cursor, head->disk_count, sizeof(*table->disk));
	table->match = take(&cursor, head->match_count, sizeof(*table->match));
	table->prefix = take(&cursor, head->prefix_count, sizeof(*table->prefix));
	table->limit = take(&cursor, head->limit_count, sizeof(*table->limit));
	table->row = take(&cursor, head->row_count, sizeof(*table->row));
	table->run = take(&cursor, head->run_count, sizeof(*table->run));
	table->rule = take(&cursor, head->rule_count, sizeof(*table->rule));
	table->cell = take(&cursor, (uint64_t)TABLE_KINDS * head->node_count * head->node_count,
			   sizeof(*table->cell));
	table->string = take(&cursor, head->string_size, 1);
	if (head->size != size || cursor.offset != size) {
		return "the part of the daemons has another size than it says";
	}
	return NULL;
}

int table_open(const void *bytes, size_t size, struct table *ret_table, const char **ret_why)
{
	struct table table = {0};
	const char *why = "bytes are not aligned, or more than a table can have";

	if ((uintptr_t)bytes % sizeof(uint64_t) == 0 && size <= TABLE_SIZE_MAX) {
		why = open_root(bytes, size, &table);
	}
	if (why == NULL) {
		why = check_sums(table.root);
	}
	if (why == NULL) {
		why = open_sections((const uint8_t *)bytes + table.root->size,
				    size - table.root->size, &table);
	}
	if (why == NULL) {
		why = table_check(&table);
	}
	if (why != NULL) {
		*ret_why = why;
		return -EBADMSG;
	}
	*ret_table = table;
	return 0;
}

int table_load(const char *path, void **ret_bytes, struct table *ret_table, const char **ret_why)
{
	size_t size = 0;
	char *bytes;
	int err = whole_file_read(AT_FDCWD, path, 0, TABLE_SIZE_MAX, &bytes, &size);

	if (err == -EINVAL || err == -EFBIG) {
		*ret_why = "not a policy table: no regular file, or too large";
		return -EBADMSG;
	}
	if (err != 0) {
		*ret_why = "the file cannot be read";
		return err;
	}
	err = table_open(bytes, size, ret_table, ret_why);
	if (err != 0) {
		free(bytes);
		return err;
	}
	*ret_bytes = bytes;
	return 0;
}
