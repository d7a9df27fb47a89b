/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets are those of the specification's table "Binary Header". */
#include "luks_header.h"

#include <openssl/evp.h>
#include <string.h>

const char luks_header_json[] =
	"{\"keyslots\":{\"0\":{\"type\":\"luks2\",\"key_size\":64,\"af\":{\"type\":\"luks1\","
	"\"stripes\":4000,\"hash\":\"sha256\"},\"area\":{\"type\":\"raw\",\"offset\":\"32768\","
	"\"size\":\"258048\",\"encryption\":\"aes-xts-plain64\",\"key_size\":64},\"kdf\":{"
	"\"type\":\"argon2id\",\"time\":4,\"memory\":32,\"cpus\":1,\"salt\":"
	"\"jVg42ywwN8HuEYsC1gRQovoVJ9pg8EsGOGtxXvMcHVs=\"}}},\"tokens\":{},\"segments\":{\"0\":{"
	"\"type\":\"crypt\",\"offset\":\"2097152\",\"size\":\"dynamic\",\"iv_tweak\":\"0\","
	"\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}},\"digests\":{\"0\":{\"type\":"
	"\"pbkdf2\",\"keyslots\":[\"0\"],\"segments\":[\"0\"],\"hash\":\"sha256\","
	"\"iterations\":1000,\"salt\":\"C4PxXfDDLKl7lSO2dlS9KIIwLcGjjGsUTXYCV+rbORA=\","
	"\"digest\":\"UYbcVfDRjUyutnYi6VwkLzm58c9GxWXDM1Wp4RRN58U=\"}},\"config\":{"
	"\"json_size\":\"12288\",\"keyslots_size\":\"2064384\"}}";

static void put64(uint8_t *to, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++) {
		to[i] = (uint8_t)(v >> (56 - 8 * i));
	}
}

void luks_header_make(uint8_t *ret_copy, uint32_t offset, uint64_t seqid, const char *json,
		      size_t json_size)
{
	unsigned size = 0;

	memset(ret_copy, 0, LUKS_HEADER_COPY);
	memcpy(ret_copy, offset ? "SKUL\xba\xbe" : "LUKS\xba\xbe", 6);
	ret_copy[7] = 2;
	put64(ret_copy + 8, LUKS_HEADER_COPY);
	put64(ret_copy + 16, seqid);
	memcpy(ret_copy + 72, "sha256", 6);
	memcpy(ret_copy + 168, "c955ab37-8c50-46b8-bab6-576dad35e7e1", 36);
	put64(ret_copy + 256, offset);
	json_size = json_size < LUKS_HEADER_COPY - 4097 ? json_size : LUKS_HEADER_COPY - 4097;
	memcpy(ret_copy + 4096, json, json_size);
	(void)EVP_Digest(ret_copy, LUKS_HEADER_COPY, ret_copy + 448, &size, EVP_sha256(), NULL);
}
