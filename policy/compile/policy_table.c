/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the rules by which a policy table is put together. A table that root mode would refuse is
 * refused here, with a reason a person can act on. */
#define _POSIX_C_SOURCE 200809L
#include "policy_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MIB		  (1024ull * 1024ull)
#define POLICY_RAM_STEP	  2ull	  /* MiB; RAM is mapped in 2 MiB pages */
#define POLICY_RAM_MAX	  3072ull /* MiB; the PCI hole of a guest starts at 3 GiB */
#define POLICY_WEIGHT_MAX 10000ull
#define FLAG_MAPPED	  0x2u /* its back ends live in the control partition */

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
				flags |= FLAG_MAPPED;
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
	part.map_by = part.flags & FLAG_MAPPED ? 1u << BH_PART_CONTROL : 0;
	part.ring_to = part.irq_from = part.map_by;
	part.flags &= ~FLAG_MAPPED;
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

static int decode_hex(const char *text, uint64_t high, uint32_t *ret_value)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 16);
	if (*text == '\0' || *text == '-' || errno != 0 || *end != '\0' || value > high) {
		return -1;
	}
	*ret_value = (uint32_t)value;
	return 0;
}

/* "0x020000", "0x0200" (any interface) or "0x020000/0xffff00". */
static int decode_class(char *text, struct bh_policy_device *device)
{
	char *mask = strchr(text, '/');
	size_t digits;

	device->class_mask = 0xffffff;
	if (mask != NULL) {
		*mask++ = '\0';
		if (decode_hex(mask, 0xffffff, &device->class_mask) != 0) {
			return -1;
		}
	}
	digits = strlen(text) - (strncmp(text, "0x", 2) == 0 ? 2 : 0);
	if (decode_hex(text, 0xffffff, &device->class_code) != 0) {
		return -1;
	}
	if (digits <= 4 && mask == NULL) {
		device->class_code <<= 8;
		device->class_mask = 0xffff00;
	}
	return device->class_code & ~device->class_mask || device->class_mask == 0 ? -1 : 0;
}

static int find_part(const struct policy_table *table, const char *name, uint16_t *ret_part)
{
	for (uint32_t i = BH_PART_CONTROL + 1; i < table->part_count; i++) {
		if (strcmp(table->part[i].name, name) == 0) {
			*ret_part = (uint16_t)i;
			return 0;
		}
	}
	return -1;
}

/* One "word=value" of a device. Returns NULL, or what is wrong. */
static const char *decode_device_word(const struct policy_table *table, const char *word,
				      char *value, struct bh_policy_device *device)
{
	uint64_t nth;
	uint32_t id;

	if (strcmp(word, "role") == 0) {
		if (!check_name(value)) {
			return "role must be 1-15 of a-z 0-9 -";
		}
		memcpy(device->role, value, strlen(value) + 1);
	} else if (strcmp(word, "part") == 0) {
		if (find_part(table, value, &device->part) != 0) {
			return "part must be a guest partition given before";
		}
	} else if (strcmp(word, "class") == 0) {
		if (decode_class(value, device) != 0) {
			return "class must be HEX or HEX/MASK, without bits outside the mask";
		}
	} else if (strcmp(word, "vendor") == 0 || strcmp(word, "device") == 0) {
		if (decode_hex(value, BH_POLICY_DEVICE_ANY - 1, &id) != 0) {
			return "vendor and device must be up to four hexadecimal digits";
		}
		*(word[0] == 'v' ? &device->vendor : &device->device) = (uint16_t)id;
	} else if (strcmp(word, "nth") == 0) {
		if (decode_number(value, 0, 255, &nth) != 0) {
			return "nth must be 0 to 255";
		}
		device->nth = (uint16_t)nth;
	} else {
		return "words are role, part, class, vendor, device and nth";
	}
	return NULL;
}

int policy_table_add_device(struct policy_table *table, const char *spec, const char **ret_why)
{
	struct bh_policy_device device = {.vendor = BH_POLICY_DEVICE_ANY,
					  .device = BH_POLICY_DEVICE_ANY};
	char copy[160], *save = NULL;

	if (table->device_count >= BH_POLICY_DEVICE_MAX) {
		return refuse(ret_why, "too many devices");
	}
	if (strlen(spec) >= sizeof(copy)) {
		return refuse(ret_why, "specification too long");
	}
	memcpy(copy, spec, strlen(spec) + 1);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char *value = strchr(word, '=');
		const char *why = "a word has no value";

		if (value != NULL) {
			*value++ = '\0';
			why = decode_device_word(table, word, value, &device);
		}
		if (why != NULL) {
			return refuse(ret_why, why);
		}
	}
	if (device.role[0] == '\0' || device.part == BH_PART_CONTROL ||
	    (device.class_mask == 0 && device.vendor == BH_POLICY_DEVICE_ANY)) {
		return refuse(ret_why, "role, part and one of class and vendor are needed");
	}
	for (uint32_t i = 0; i < table->device_count; i++) {
		if (strcmp(table->device[i].role, device.role) == 0) {
			return refuse(ret_why, "role is taken");
		}
	}
	table->device[table->device_count++] = device;
	return 0;
}

int policy_table_set_iommu(struct policy_table *table, const char *word, const char **ret_why)
{
	if (strcmp(word, "required") == 0) {
		table->flags |= BH_POLICY_IOMMU_REQUIRED;
	} else if (strcmp(word, "warn") == 0) {
		table->flags &= (uint16_t)~BH_POLICY_IOMMU_REQUIRED;
	} else {
		return refuse(ret_why, "must be required or warn");
	}
	return 0;
}

long policy_table_emit(const struct policy_table *table, void *out, size_t out_size,
		       const char **ret_why)
{
	size_t part_bytes = table->part_count * sizeof(table->part[0]);
	size_t module_bytes = table->module_count * sizeof(table->module[0]);
	size_t device_bytes = table->device_count * sizeof(table->device[0]);
	size_t size = sizeof(struct bh_policy) + part_bytes + module_bytes + device_bytes;
	struct bh_policy head = {
		.magic = BH_POLICY_MAGIC,
		.version = BH_POLICY_VERSION,
		.size = (uint32_t)size,
		.part_count = table->part_count,
		.module_count = table->module_count,
		.device_count = table->device_count,
		.flags = table->flags,
		.file_size = (uint32_t)size,
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
	memcpy(byte + sizeof(head) + part_bytes + module_bytes, table->device, device_bytes);
	head.crc32c = policy_crc32c(0, out, size);
	memcpy(byte, &head, sizeof(head));
	return (long)size;
}
