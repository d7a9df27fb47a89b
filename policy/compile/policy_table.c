/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the rules by which a policy table is put together. A table that root mode would refuse is refused
 * here, with a reason a person can act on. */
#define _POSIX_C_SOURCE 200809L
#include "policy_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MIB               (1024ull * 1024ull)
#define POLICY_RAM_STEP   2ull    /* MiB; RAM is mapped in 2 MiB pages */
#define POLICY_RAM_MAX    3072ull /* MiB; the PCI hole of a guest starts at 3 GiB */
#define POLICY_WEIGHT_MAX 10000ull

uint32_t policy_crc32c(uint32_t crc, const void *data, size_t size)
{
	static uint32_t table[256];
	const uint8_t *byte = data;

	if (table[1] == 0) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t value = i;

			for (int bit = 0; bit < 8; bit++) {
				value = (value >> 1) ^ (value & 1 ? 0x82f63b78u : 0);
			}
			table[i] = value;
		}
	}
	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc = (crc >> 8) ^ table[(crc ^ byte[i]) & 0xff];
	}
	return ~crc;
}

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -1;
}

/* Names are shown on the trusted strip and in logs: lower case letters, digits and '-' only. */
static bool check_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < sizeof(((struct bh_policy_part *)0)->name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int decode_number(const char *text, uint64_t low, uint64_t high, uint64_t *ret_value)
{
	char *end;
	unsigned long long value;

	if (text == NULL || *text < '0' || *text > '9') {
		return -1;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < low || value > high) {
		return -1;
	}
	*ret_value = value;
	return 0;
}

static int decode_flags(char *text, uint32_t *ret_flags)
{
	uint32_t flags = 0;
	char *save = NULL;

	if (text == NULL) {
		return -1;
	}
	if (strcmp(text, "none") != 0) {
		char *word = strtok_r(text, "+", &save);

		if (word == NULL) {
			return -1;
		}
		for (; word != NULL; word = strtok_r(NULL, "+", &save)) {
			if (strcmp(word, "control") == 0) {
				flags |= BH_POLICY_CONTROL;
			} else if (strcmp(word, "mapped") == 0) {
				flags |= BH_POLICY_MAPPED;
			} else {
				return -1;
			}
		}
	}
	*ret_flags = flags;
	return 0;
}

int policy_table_add_part(struct policy_table *table, const char *spec, const char **ret_why)
{
	struct bh_policy_part part = {0};
	uint64_t ram, vcpus, weight, doorbells = 0;
	char copy[128];
	char *field[6] = {0};
	size_t count = 0;

	if (table->part_count >= BH_PART_MAX) {
		return refuse(ret_why, "too many partitions");
	}
	if (strlen(spec) >= sizeof(copy)) {
		return refuse(ret_why, "specification too long");
	}
	memcpy(copy, spec, strlen(spec) + 1);
	for (char *next = copy; next != NULL; count++) {
		if (count == sizeof(field) / sizeof(field[0])) {
			return refuse(ret_why, "more than six fields");
		}
		field[count] = next;
		next = strchr(next, ':');
		if (next != NULL) {
			*next++ = '\0';
		}
	}
	if (count < 5) {
		return refuse(ret_why, "fewer than five fields");
	}
	if (!check_name(field[0])) {
		return refuse(ret_why, "name must be 1-15 of a-z 0-9 -");
	}
	for (uint32_t i = 0; i < table->part_count; i++) {
		if (strcmp(table->part[i].name, field[0]) == 0) {
			return refuse(ret_why, "name is taken");
		}
	}
	if (decode_number(field[1], POLICY_RAM_STEP, POLICY_RAM_MAX, &ram) != 0 ||
	    ram % POLICY_RAM_STEP != 0) {
		return refuse(ret_why, "ram_mib must be an even number from 2 to 3072");
	}
	if (decode_number(field[2], 1, BH_VCPU_MAX, &vcpus) != 0) {
		return refuse(ret_why, "vcpus must be 1 to 8");
	}
	if (decode_number(field[3], 1, POLICY_WEIGHT_MAX, &weight) != 0) {
		return refuse(ret_why, "weight must be 1 to 10000");
	}
	if (decode_flags(field[4], &part.flags) != 0) {
		return refuse(ret_why, "flags must be none, control, mapped or control+mapped");
	}
	if (count == 6 && decode_number(field[5], 0, BH_DOORBELL_MAX, &doorbells) != 0) {
		return refuse(ret_why, "doorbells must be 0 to 16");
	}
	if (((part.flags & BH_POLICY_CONTROL) != 0) != (table->part_count == BH_PART_CONTROL)) {
		return refuse(ret_why, "the first partition, and only it, has the flag control");
	}
	memcpy(part.name, field[0], strlen(field[0]));
	part.ram_size = ram * MIB;
	part.vcpu_count = (uint32_t)vcpus;
	part.weight = (uint32_t)weight;
	part.doorbell_count = (uint32_t)doorbells;
	table->part[table->part_count++] = part;
	return 0;
}

int policy_table_add_module(struct policy_table *table, const char *role, uint64_t size,
			    uint32_t crc32c, const char **ret_why)
{
	struct bh_policy_module module = {.size = size, .crc32c = crc32c};

	if (table->module_count >= POLICY_MODULE_MAX) {
		return refuse(ret_why, "too many modules");
	}
	if (!check_name(role)) {
		return refuse(ret_why, "role must be 1-15 of a-z 0-9 -");
	}
	if (strcmp(role, "policy") == 0) {
		return refuse(ret_why, "the policy cannot name itself");
	}
	for (uint32_t i = 0; i < table->module_count; i++) {
		if (strcmp(table->module[i].role, role) == 0) {
			return refuse(ret_why, "role is taken");
		}
	}
	if (size == 0) {
		return refuse(ret_why, "module is empty");
	}
	memcpy(module.role, role, strlen(role));
	table->module[table->module_count++] = module;
	return 0;
}

long policy_table_emit(const struct policy_table *table, void *out, size_t out_size,
		       const char **ret_why)
{
	size_t part_bytes = table->part_count * sizeof(table->part[0]);
	size_t module_bytes = table->module_count * sizeof(table->module[0]);
	size_t size = sizeof(struct bh_policy) + part_bytes + module_bytes;
	struct bh_policy head = {
		.magic = BH_POLICY_MAGIC,
		.version = BH_POLICY_VERSION,
		.size = (uint32_t)size,
		.part_count = table->part_count,
		.module_count = table->module_count,
	};
	uint8_t *byte = out;

	if (table->part_count == 0) {
		return refuse(ret_why, "no partition given");
	}
	if (size > out_size) {
		return refuse(ret_why, "table does not fit");
	}
	memcpy(byte, &head, sizeof(head));
	memcpy(byte + sizeof(head), table->part, part_bytes);
	memcpy(byte + sizeof(head) + part_bytes, table->module, module_bytes);
	head.crc32c = policy_crc32c(0, out, size);
	memcpy(byte, &head, sizeof(head));
	return (long)size;
}
