/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of layers; see sign.h. */
#include "sign.h"

#include "sign_key.h"
#include "sign_text.h"

#include <errno.h>
#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fail(char why[SIGN_WHY_SIZE], int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char why[SIGN_WHY_SIZE], int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, SIGN_WHY_SIZE, format, args);
	va_end(args);
	return code;
}

static int hash_bytes(const void *bytes, size_t size, uint8_t ret_hash[SIGN_HASH_SIZE])
{
	return mbedtls_sha256_ret(bytes, size, ret_hash, 0) ? -EIO : 0;
}

static const char *plain_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Only names that decode takes may be written. */
static bool name_fits(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-");

	return size > 0 && size < SIGN_NAME_SIZE && !name[size] && name[0] != '.';
}

static int describe_file(const struct source *source, bool include, struct sign_file *file,
			 char why[SIGN_WHY_SIZE])
{
	const char *name = plain_name(source->name);

	if (include && !name_fits(name)) {
		return fail(why, -EINVAL,
			    "the name of an include cannot be signed: take letters, digits, '.', "
			    "'-' and '_', at most %u: %.40s",
			    SIGN_NAME_SIZE - 1, name);
	}
	if (include) {
		strcpy(file->name, name);
	}
	file->size = source->size;
	return hash_bytes(source->text, source->size, file->hash)
		       ? fail(why, -EIO, "hashing failed")
		       : 0;
}

int sign_describe(const struct source_set *set, const uint32_t *files, uint32_t count,
		  enum text_layer layer, uint64_t version, struct sign_head *ret_head,
		  char why[SIGN_WHY_SIZE])
{
	struct sign_text text = {.head = {.layer = layer, .version = version, .count = count}};
	char bytes[SIGN_SIZE_MAX];
	size_t head_size, signed_size;
	int rc = 0;

	if (count == 0 || count > SOURCE_FILES_MAX || !sign_text_layer(layer)) {
		return fail(why, -EINVAL, "a signature is for one layer of 1 to %u files",
			    SOURCE_FILES_MAX);
	}
	for (uint32_t i = 0; !rc && i < count; i++) {
		if (files[i] >= set->count) {
			return fail(why, -EINVAL, "a file of the layer was not read");
		}
		rc = describe_file(&set->file[files[i]], i > 0, &text.head.file[i], why);
	}
	if (rc < 0) {
		return rc;
	}
	sign_text_encode(&text, bytes, &head_size, &signed_size);
	if (hash_bytes(bytes, head_size, text.head.digest)) {
		return fail(why, -EIO, "hashing failed");
	}
	*ret_head = text.head;
	return 0;
}

int sign_make(const struct source_set *set, const uint32_t *files, uint32_t count,
	      enum text_layer layer, uint64_t version, const char *key_path,
	      uint8_t ret_sig[SIGN_SIZE_MAX], size_t *ret_size, char why[SIGN_WHY_SIZE])
{
	struct sign_text text = {.signature_size = 0};
	uint8_t hash[SIGN_HASH_SIZE];
	char bytes[SIGN_SIZE_MAX];
	size_t head_size, signed_size;
	struct sign_key key;
	int rc = sign_describe(set, files, count, layer, version, &text.head, why);

	if (rc < 0) {
		return rc;
	}
	rc = sign_key_read_private(key_path, &key, why);
	if (rc < 0) {
		return rc;
	}
	text.algorithm = key.algorithm;
	memcpy(text.key_id, key.id, SIGN_HASH_SIZE);
	sign_text_encode(&text, bytes, &head_size, &signed_size);
	rc = hash_bytes(bytes, signed_size, hash) ? fail(why, -EIO, "hashing failed") : 0;
	rc = rc ? rc : sign_key_sign(&key, hash, &text, why);
	sign_key_free(&key);
	if (rc < 0) {
		return rc;
	}
	*ret_size = sign_text_encode(&text, bytes, &head_size, &signed_size);
	memcpy(ret_sig, bytes, *ret_size);
	return 0;
}

int sign_check(const uint8_t *sig, size_t size, const char *keys_path, struct sign_head *ret_head,
	       char why[SIGN_WHY_SIZE])
{
	uint8_t hash[SIGN_HASH_SIZE];
	struct sign_text text;
	struct sign_key key;
	size_t signed_size;
	int rc = sign_text_decode(sig, size, &text, &signed_size);

	if (rc < 0) {
		return fail(why, rc,
			    "it is not a signature as 'bulkhead policy sign' writes it; sign the "
			    "layer again");
	}
	rc = sign_key_find(keys_path, text.head.layer, text.key_id, &key, why);
	if (rc < 0) {
		return rc;
	}
	rc = hash_bytes(sig, signed_size, hash) ? fail(why, -EIO, "hashing failed") : 0;
	rc = rc ? rc : sign_key_verify(&key, hash, &text, why);
	sign_key_free(&key);
	if (!rc) {
		*ret_head = text.head;
	}
	return rc;
}

int sign_check_file(const struct sign_head *head, uint32_t index, const void *bytes, size_t size,
		    char why[SIGN_WHY_SIZE])
{
	uint8_t hash[SIGN_HASH_SIZE];
	const struct sign_file *file;

	if (index >= head->count) {
		return fail(why, -EKEYREJECTED, "a file is included that is not signed");
	}
	file = &head->file[index];
	if (file->size != size || hash_bytes(bytes, size, hash) ||
	    memcmp(hash, file->hash, sizeof(hash)) != 0) {
		return fail(why, -EKEYREJECTED,
			    "%s was changed after it was signed; get it anew or sign it again",
			    index ? file->name : "the file of the layer");
	}
	return 0;
}

static int check_same(const struct sign_head *is, const struct sign_head *said,
		      char why[SIGN_WHY_SIZE])
{
	if (is->layer != said->layer) {
		return fail(why, -EKEYREJECTED, "it is for layer %s, the file is of layer %s",
			    sign_text_layer(said->layer), sign_text_layer(is->layer));
	}
	if (is->version != said->version) {
		return fail(why, -EKEYREJECTED,
			    "it is for version %" PRIu64 ", the file says version %" PRIu64
			    "; sign it again",
			    said->version, is->version);
	}
	for (uint32_t i = 0; i < is->count && i < said->count; i++) {
		if (strcmp(is->file[i].name, said->file[i].name) != 0) {
			return fail(why, -EKEYREJECTED,
				    "it names the include %s where the layer reads %s",
				    said->file[i].name, is->file[i].name);
		}
	}
	if (is->count != said->count) {
		return fail(why, -EKEYREJECTED, "it names %u files, the layer has %u", said->count,
			    is->count);
	}
	return 0;
}

int sign_verify(const struct source_set *set, const uint32_t *files, uint32_t count,
		enum text_layer layer, uint64_t version, const uint8_t *sig, size_t size,
		const char *keys_path, char why[SIGN_WHY_SIZE])
{
	struct sign_head is = {.count = 0}, said = {.count = 0};
	int rc = sign_check(sig, size, keys_path, &said, why);

	rc = rc ? rc : sign_describe(set, files, count, layer, version, &is, why);
	rc = rc ? rc : check_same(&is, &said, why);
	for (uint32_t i = 0; !rc && i < count; i++) {
		const struct source *source = &set->file[files[i]];

		rc = sign_check_file(&said, i, source->text, source->size, why);
	}
	return rc;
}
