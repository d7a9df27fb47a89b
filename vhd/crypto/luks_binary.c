/* SPDX-License-Identifier: Apache-2.0 */
/* All fields are big-endian; each is looked at before it is used. */
#include "luks_binary.h"

#include <openssl/evp.h>
#include <string.h>

#define CHECKSUM_SIZE 32u

struct binary {
	uint8_t magic[6];
	uint8_t version[2];
	uint8_t hdr_size[8];
	uint8_t seqid[8];
	char label[48];
	char checksum_alg[32];
	uint8_t salt[64];
	char uuid[40];
	char subsystem[48];
	uint8_t hdr_offset[8];
	uint8_t padding[184];
	uint8_t checksum[64];
	uint8_t rest[3584];
};

_Static_assert(sizeof(struct binary) == LUKS_BINARY_SIZE, "as the specification draws it");
_Static_assert(offsetof(struct binary, checksum) == 448, "as the specification draws it");

static const uint8_t magic_first[6] = {'L', 'U', 'K', 'S', 0xba, 0xbe};
static const uint8_t magic_second[6] = {'S', 'K', 'U', 'L', 0xba, 0xbe};

static uint64_t be64(const uint8_t b[8])
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		v = v << 8 | b[i];
	}
	return v;
}

/* Over the whole copy, the checksum itself taken as zeros. */
static bool checksum_good(const uint8_t *bytes, uint32_t size)
{
	static const uint8_t zeros[64];
	const struct binary *binary = (const struct binary *)bytes;
	uint8_t sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(hash, bytes, offsetof(struct binary, checksum)) == 1 &&
		    EVP_DigestUpdate(hash, zeros, sizeof(zeros)) == 1 &&
		    EVP_DigestUpdate(hash, bytes + offsetof(struct binary, rest),
				     size - offsetof(struct binary, rest)) == 1 &&
		    EVP_DigestFinal_ex(hash, sum, NULL) == 1 &&
		    memcmp(sum, binary->checksum, CHECKSUM_SIZE) == 0;

	EVP_MD_CTX_free(hash);
	return good;
}

static bool size_known(uint64_t size)
{
	return size >= 16384 && size <= 4194304 && (size & (size - 1)) == 0;
}

bool luks_binary_magic(const uint8_t *bytes, size_t size)
{
	return size >= sizeof(magic_first) && memcmp(bytes, magic_first, sizeof(magic_first)) == 0;
}

bool luks_binary_decode(const uint8_t *bytes, size_t size, uint32_t offset, uint32_t max,
			struct luks_copy *ret_copy)
{
	const struct binary *binary;
	uint64_t copy_size;

	if (offset > size || size - offset < LUKS_BINARY_SIZE) {
		return false;
	}
	bytes += offset;
	size -= offset;
	binary = (const struct binary *)bytes;
	copy_size = be64(binary->hdr_size);
	if (memcmp(binary->magic, offset ? magic_second : magic_first, 6) != 0 ||
	    binary->version[0] != 0 || binary->version[1] != 2 || !size_known(copy_size) ||
	    copy_size > max || copy_size > size || be64(binary->hdr_offset) != offset ||
	    (offset && offset != copy_size) || strncmp(binary->checksum_alg, "sha256", 32) != 0 ||
	    !memchr(bytes + LUKS_BINARY_SIZE, 0, copy_size - LUKS_BINARY_SIZE) ||
	    !checksum_good(bytes, (uint32_t)copy_size)) {
		return false;
	}
	ret_copy->offset = offset;
	ret_copy->size = (uint32_t)copy_size;
	ret_copy->seqid = be64(binary->seqid);
	ret_copy->json = (const char *)bytes + LUKS_BINARY_SIZE;
	memcpy(ret_copy->uuid, binary->uuid, sizeof(ret_copy->uuid));
	ret_copy->uuid[sizeof(ret_copy->uuid) - 1] = '\0';
	return true;
}
