/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a log; see audit_file.h. A slot is one line, filled up with blanks:
 * "bulkhead audit head 1 COUNT HASH CHECK". */
#define _GNU_SOURCE
#include "audit_file.h"

#include <errno.h>
#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define SLOT_SIZE  (AUDIT_HEAD_SIZE / 2)
#define TITLE	   "bulkhead audit head 1 "
#define CHECK_SIZE 16 /* digits */

static void encode(const struct audit_chain *chain, char ret_slot[SLOT_SIZE])
{
	char hex[2 * AUDIT_HASH_SIZE + 1], check[2 * AUDIT_HASH_SIZE + 1];
	uint8_t hash[AUDIT_HASH_SIZE];
	char line[SLOT_SIZE];
	int size;

	audit_record_hex(chain->hash, hex);
	size = snprintf(line, sizeof(line), TITLE "%" PRIu64 " %s", chain->count, hex);
	if (mbedtls_sha256_ret((uint8_t *)line, (size_t)size, hash, 0)) {
		abort();
	}
	audit_record_hex(hash, check);
	size += snprintf(line + size, sizeof(line) - (size_t)size, " %.*s", CHECK_SIZE, check);
	memset(ret_slot, ' ', SLOT_SIZE);
	memcpy(ret_slot, line, (size_t)size);
	ret_slot[SLOT_SIZE - 1] = '\n';
}

/* One form only: what encode() writes. */
static bool decode(const char slot[SLOT_SIZE], struct audit_chain *ret_chain)
{
	struct audit_chain chain = {.count = 0};
	char line[SLOT_SIZE + 1], again[SLOT_SIZE];
	char *end;

	memcpy(line, slot, SLOT_SIZE);
	line[SLOT_SIZE] = '\0';
	if (strncmp(line, TITLE, strlen(TITLE)) != 0) {
		return false;
	}
	chain.count = strtoull(line + strlen(TITLE), &end, 10);
	if (*end != ' ' || !audit_record_unhex(end + 1, chain.hash)) {
		return false;
	}
	encode(&chain, again);
	if (memcmp(again, slot, SLOT_SIZE) != 0) {
		return false;
	}
	*ret_chain = chain;
	return true;
}

int audit_head_read(int fd, struct audit_chain *ret_chain)
{
	char slots[AUDIT_HEAD_SIZE] = {0};
	struct audit_chain chain[2];
	bool good[2];
	ssize_t got = bytes_read(fd, slots, sizeof(slots), 0);

	if (got < 0) {
		return (int)got;
	}
	good[0] = decode(slots, &chain[0]);
	good[1] = decode(slots + SLOT_SIZE, &chain[1]);
	if (!good[0] && !good[1]) {
		return -EBADMSG;
	}
	*ret_chain = good[1] && (!good[0] || chain[1].count > chain[0].count) ? chain[1] : chain[0];
	return 0;
}

int audit_head_write(int fd, const struct audit_chain *chain)
{
	char slot[SLOT_SIZE];

	encode(chain, slot);
	return audit_file_write(fd, slot, sizeof(slot), chain->count % 2 * SLOT_SIZE);
}
