/* SPDX-License-Identifier: Apache-2.0 */
/* Records as bytes; see audit_record.h. */
#define _GNU_SOURCE
#include "audit_record.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC	    0x31414842u /* "BHA1" */
#define FIXED_SIZE  80u		/* up to the strings */
#define FIELD_COUNT 5u
#define ARCHIVED    "records 0 to "

struct fixed {
	uint32_t size; /* of the record, this and the hash included */
	uint32_t magic;
	uint64_t number;
	uint8_t before[AUDIT_HASH_SIZE];
	int64_t time_ms;
	uint64_t boot_ms;
	uint64_t repeats;
	uint32_t what;
	uint32_t reserved;
};
_Static_assert(sizeof(struct fixed) == FIXED_SIZE, "fixed part of a record");
_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "the format is little-endian");
_Static_assert(FIXED_SIZE + FIELD_COUNT * 2 + 64 + 64 + 128 + 32 + AUDIT_TEXT_MAX +
			       AUDIT_HASH_SIZE <=
		       AUDIT_RECORD_MAX,
	       "AUDIT_RECORD_MAX");

struct field {
	char *text;
	size_t room;
};

static void fields_of(struct audit_record *record, struct field ret_fields[FIELD_COUNT])
{
	ret_fields[0] = (struct field){record->who, sizeof(record->who)};
	ret_fields[1] = (struct field){record->subject, sizeof(record->subject)};
	ret_fields[2] = (struct field){record->object, sizeof(record->object)};
	ret_fields[3] = (struct field){record->rule, sizeof(record->rule)};
	ret_fields[4] = (struct field){record->text, sizeof(record->text)};
}

/* It fails only without memory for hardware that is not there; then nothing is to be believed. */
static void hash_of(const uint8_t *bytes, size_t size, uint8_t ret_hash[AUDIT_HASH_SIZE])
{
	if (mbedtls_sha256_ret(bytes, size, ret_hash, 0)) {
		abort();
	}
}

size_t audit_record_encode(const struct audit_record *record, struct audit_chain *chain,
			   uint8_t ret_bytes[AUDIT_RECORD_MAX])
{
	struct audit_record copy = *record;
	struct fixed fixed = {
		.magic = MAGIC,
		.number = chain->count,
		.time_ms = record->time_ms,
		.boot_ms = record->boot_ms,
		.repeats = record->repeats,
		.what = record->what,
	};
	struct field fields[FIELD_COUNT];
	size_t size = FIXED_SIZE;

	memcpy(fixed.before, chain->hash, AUDIT_HASH_SIZE);
	fields_of(&copy, fields);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		uint16_t length = (uint16_t)strnlen(fields[i].text, fields[i].room - 1);

		memcpy(ret_bytes + size, &length, sizeof(length));
		memcpy(ret_bytes + size + sizeof(length), fields[i].text, length);
		size += sizeof(length) + length;
	}
	fixed.size = (uint32_t)(size + AUDIT_HASH_SIZE);
	memcpy(ret_bytes, &fixed, sizeof(fixed));
	hash_of(ret_bytes, size, ret_bytes + size);
	memcpy(chain->hash, ret_bytes + size, AUDIT_HASH_SIZE);
	chain->count++;
	return fixed.size;
}

static bool take_fields(const uint8_t *bytes, size_t size, struct audit_record *record)
{
	struct field fields[FIELD_COUNT];
	size_t at = 0;

	fields_of(record, fields);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		uint16_t length;

		if (size - at < sizeof(length)) {
			return false;
		}
		memcpy(&length, bytes + at, sizeof(length));
		at += sizeof(length);
		if (length >= fields[i].room || length > size - at ||
		    memchr(bytes + at, 0, length)) {
			return false;
		}
		memcpy(fields[i].text, bytes + at, length);
		at += length;
	}
	return at == size;
}

int audit_record_decode(const uint8_t *bytes, size_t size, struct audit_record *ret_record,
			struct audit_chain *ret_before, uint8_t ret_hash[AUDIT_HASH_SIZE])
{
	struct audit_record record = {.number = 0};
	uint8_t hash[AUDIT_HASH_SIZE];
	struct fixed fixed;
	size_t body;

	if (size < sizeof(fixed)) {
		return 0;
	}
	memcpy(&fixed, bytes, sizeof(fixed));
	if (fixed.magic != MAGIC || fixed.size < FIXED_SIZE + AUDIT_HASH_SIZE ||
	    fixed.size > AUDIT_RECORD_MAX || fixed.what >= AUDIT_WHAT_COUNT || fixed.reserved) {
		return -EBADMSG;
	}
	if (size < fixed.size) {
		return 0;
	}
	body = fixed.size - AUDIT_HASH_SIZE;
	hash_of(bytes, body, hash);
	if (memcmp(hash, bytes + body, sizeof(hash)) != 0 ||
	    !take_fields(bytes + FIXED_SIZE, body - FIXED_SIZE, &record)) {
		return -EBADMSG;
	}
	record.number = fixed.number;
	record.time_ms = fixed.time_ms;
	record.boot_ms = fixed.boot_ms;
	record.repeats = fixed.repeats;
	record.what = (enum audit_what)fixed.what;
	*ret_record = record;
	ret_before->count = fixed.number;
	memcpy(ret_before->hash, fixed.before, AUDIT_HASH_SIZE);
	memcpy(ret_hash, hash, AUDIT_HASH_SIZE);
	return (int)fixed.size;
}

void audit_record_hex(const uint8_t hash[AUDIT_HASH_SIZE], char ret_hex[2 * AUDIT_HASH_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < AUDIT_HASH_SIZE; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
	ret_hex[2 * AUDIT_HASH_SIZE] = '\0';
}

bool audit_record_unhex(const char *hex, uint8_t ret_hash[AUDIT_HASH_SIZE])
{
	uint8_t hash[AUDIT_HASH_SIZE];

	for (unsigned i = 0; i < AUDIT_HASH_SIZE; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i] ? hex[2 * i + 1] : '\0', 0};

		if (strspn(pair, "0123456789abcdef") != 2) {
			return false;
		}
		hash[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	memcpy(ret_hash, hash, sizeof(hash));
	return true;
}

void audit_record_set_archived(struct audit_record *record, const struct audit_chain *chain)
{
	char hex[2 * AUDIT_HASH_SIZE + 1];

	audit_record_hex(chain->hash, hex);
	record->what = AUDIT_ARCHIVED;
	snprintf(record->object, sizeof(record->object), ARCHIVED "%" PRIu64 ", hash %s",
		 chain->count - 1, hex);
}

bool audit_record_get_archived(const struct audit_record *record, struct audit_chain *ret_chain)
{
	struct audit_chain chain = {.count = 0};
	struct audit_record again;
	const char *hash = strstr(record->object, ", hash ");

	if (record->what != AUDIT_ARCHIVED || !hash ||
	    strncmp(record->object, ARCHIVED, strlen(ARCHIVED)) != 0 ||
	    !audit_record_unhex(hash + strlen(", hash "), chain.hash)) {
		return false;
	}
	chain.count = strtoull(record->object + strlen(ARCHIVED), NULL, 10) + 1;
	audit_record_set_archived(&again, &chain);
	if (chain.count == 0 || strcmp(again.object, record->object) != 0) {
		return false;
	}
	*ret_chain = chain;
	return true;
}
