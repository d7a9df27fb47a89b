/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a signature file; see sign_text.h. Decoding is encoding turned around and compared:
 * whatever the parser lets through, only the one form of it is taken. */
#include "sign_text.h"

#include <errno.h>
#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <string.h>

#define TITLE "bulkhead policy signature 1\n"

static const char *const layer_words[TEXT_LAYERS] = {"vendor", "it", "user"};
static const char *const algorithm_words[] = {"ecdsa-p256-sha256", "rsa-pss-sha256"};

const char *sign_text_layer(enum text_layer layer)
{
	return (unsigned)layer < TEXT_LAYERS ? layer_words[layer] : NULL;
}

void sign_text_hex(const uint8_t *bytes, size_t size, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		ret_hex[2 * i] = digits[bytes[i] >> 4];
		ret_hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_hex[2 * size] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sign_text_unhex(const char *hex, uint8_t *ret_bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = digit(hex[2 * i]);
		int low = high < 0 ? -1 : digit(hex[2 * i + 1]);

		if (low < 0) {
			return false;
		}
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

struct writer {
	char *bytes;
	size_t size;
};

/* All that is written fits: 64 files of 160 bytes, a signature of 1,024 digits, 400 for the rest.
 */
static void put(struct writer *w, const char *text)
{
	size_t size = strlen(text);

	memcpy(w->bytes + w->size, text, size);
	w->size += size;
}

static void put_number(struct writer *w, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	put(w, text);
}

static void put_hex(struct writer *w, const uint8_t *bytes, size_t size)
{
	sign_text_hex(bytes, size, w->bytes + w->size);
	w->size += 2 * size;
}

_Static_assert(SOURCE_FILES_MAX *(5 + 20 + 1 + 2 * SIGN_HASH_SIZE + 1 + SIGN_NAME_SIZE) +
			       2 * SIGN_TEXT_BYTES_MAX + 400 <
		       SIGN_SIZE_MAX,
	       "SIGN_SIZE_MAX");

static void put_head(struct writer *w, const struct sign_head *head)
{
	put(w, TITLE "layer ");
	put(w, layer_words[head->layer]);
	put(w, "\nversion ");
	put_number(w, head->version);
	for (uint32_t i = 0; i < head->count; i++) {
		put(w, "\nfile ");
		put_number(w, head->file[i].size);
		put(w, " ");
		put_hex(w, head->file[i].hash, SIGN_HASH_SIZE);
		put(w, " ");
		put(w, i ? head->file[i].name : "-");
	}
	put(w, "\n");
}

size_t sign_text_encode(const struct sign_text *text, char ret_bytes[SIGN_SIZE_MAX],
			size_t *ret_head, size_t *ret_signed)
{
	struct writer w = {ret_bytes, 0};

	put_head(&w, &text->head);
	*ret_head = w.size;
	put(&w, "algorithm ");
	put(&w, algorithm_words[text->algorithm]);
	put(&w, "\nkey ");
	put_hex(&w, text->key_id, SIGN_HASH_SIZE);
	put(&w, "\n");
	*ret_signed = w.size;
	if (text->signature_size) {
		put(&w, "signature ");
		put_hex(&w, text->signature, text->signature_size);
		put(&w, "\n");
	}
	return w.size;
}

struct reader {
	const char *at, *end;
};

static bool take(struct reader *r, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) {
		return false;
	}
	r->at += size;
	return true;
}

static bool take_number(struct reader *r, uint64_t *ret_number)
{
	const char *start = r->at;
	uint64_t number = 0;

	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*r->at - '0'), &number)) {
			return false;
		}
	}
	*ret_number = number;
	return r->at > start;
}

static bool take_hex(struct reader *r, uint8_t *ret_bytes, size_t size)
{
	if ((size_t)(r->end - r->at) < 2 * size || !sign_text_unhex(r->at, ret_bytes, size)) {
		return false;
	}
	r->at += 2 * size;
	return true;
}

static bool take_word(struct reader *r, const char *const *words, unsigned count, unsigned *ret)
{
	for (unsigned i = 0; i < count; i++) {
		struct reader ahead = *r;

		if (take(&ahead, words[i]) && take(&ahead, "\n")) {
			*r = ahead;
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool take_name(struct reader *r, char ret_name[SIGN_NAME_SIZE])
{
	size_t size = 0;

	while (r->at + size < r->end && name_char(r->at[size])) {
		size++;
	}
	if (size == 0 || size >= SIGN_NAME_SIZE || *r->at == '.') {
		return false;
	}
	memcpy(ret_name, r->at, size);
	r->at += size;
	return true;
}

static bool take_file(struct reader *r, struct sign_head *head)
{
	struct sign_file *file = &head->file[head->count];

	if (head->count == SOURCE_FILES_MAX || !take_number(r, &file->size) || !take(r, " ") ||
	    !take_hex(r, file->hash, SIGN_HASH_SIZE) || !take(r, " ") ||
	    !(head->count ? take_name(r, file->name) : take(r, "-")) || !take(r, "\n")) {
		return false;
	}
	head->count++;
	return true;
}

static bool take_head(struct reader *r, struct sign_head *head)
{
	unsigned layer;

	if (!take(r, TITLE "layer ") || !take_word(r, layer_words, TEXT_LAYERS, &layer) ||
	    !take(r, "version ") || !take_number(r, &head->version) || !take(r, "\n")) {
		return false;
	}
	head->layer = (enum text_layer)layer;
	while (take(r, "file ")) {
		if (!take_file(r, head)) {
			return false;
		}
	}
	return head->count > 0;
}

static bool take_signature(struct reader *r, struct sign_text *text)
{
	size_t size;
	unsigned algorithm;

	if (!take(r, "algorithm ") || !take_word(r, algorithm_words, 2, &algorithm) ||
	    !take(r, "key ") || !take_hex(r, text->key_id, SIGN_HASH_SIZE) ||
	    !take(r, "\nsignature ")) {
		return false;
	}
	text->algorithm = (enum sign_algorithm)algorithm;
	size = (size_t)(r->end - r->at) / 2; /* an end of line stays over */
	if (size == 0 || size > SIGN_TEXT_BYTES_MAX || !take_hex(r, text->signature, size)) {
		return false;
	}
	text->signature_size = size;
	return take(r, "\n") && r->at == r->end;
}

int sign_text_decode(const uint8_t *bytes, size_t size, struct sign_text *ret_text,
		     size_t *ret_signed)
{
	struct reader r = {(const char *)bytes, (const char *)bytes + size};
	struct sign_text text = {.head.count = 0};
	char again[SIGN_SIZE_MAX];
	size_t head_size, signed_size;

	if (size > SIGN_SIZE_MAX || !take_head(&r, &text.head) || !take_signature(&r, &text) ||
	    sign_text_encode(&text, again, &head_size, &signed_size) != size ||
	    memcmp(again, bytes, size) != 0 ||
	    mbedtls_sha256_ret(bytes, head_size, text.head.digest, 0) != 0) {
		return -EBADMSG;
	}
	*ret_text = text;
	*ret_signed = signed_size;
	return 0;
}
