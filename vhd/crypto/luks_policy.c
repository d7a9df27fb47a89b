/* SPDX-License-Identifier: Apache-2.0 */
/* Every member that is used is looked up with its type; what is not known to be harmless is denied.
 */
#define _GNU_SOURCE

#include "luks_policy.h"

#include "luks_binary.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define JSON_DEPTH     8
#define TOKENS_MAX     32
#define ARGON2_PASSES  64
#define ARGON2_WORK    (32ull * LUKS_MEMORY_MAX) /* passes x KiB */
#define ARGON2_THREADS 8
#define PBKDF2_MAX     20000000
#define STRIPES	       4000
#define KEY_SIZE       64
#define CIPHER	       "aes-xts-plain64"

static int deny(struct why *why, const char *what)
{
	return why_set(why, -EOPNOTSUPP, "the LUKS2 header is not one that we open: %s", what);
}

static struct json_object *member(struct json_object *in, const char *name, enum json_type type)
{
	struct json_object *o = NULL;

	if (!in || !json_object_is_type(in, json_type_object) ||
	    !json_object_object_get_ex(in, name, &o) || !json_object_is_type(o, type)) {
		return NULL;
	}
	return o;
}

static bool is_text(struct json_object *in, const char *name, const char *text)
{
	struct json_object *o = member(in, name, json_type_string);

	return o && strcmp(json_object_get_string(o), text) == 0;
}

static bool get_number(struct json_object *in, const char *name, int64_t min, int64_t max,
		       uint32_t *ret_number)
{
	struct json_object *o = member(in, name, json_type_int);
	int64_t v = o ? json_object_get_int64(o) : -1;

	if (!o || v < min || v > max) {
		return false;
	}
	*ret_number = (uint32_t)v;
	return true;
}

static bool parse_decimal(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t v = 0;

	if (!*text) {
		return false;
	}
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || v > max / 10) {
			return false;
		}
		v = v * 10 + (uint64_t)(*text - '0');
	}
	if (v > max) {
		return false;
	}
	*ret_number = v;
	return true;
}

/* Sizes and offsets are decimal numbers in text. */
static bool get_decimal(struct json_object *in, const char *name, uint64_t max,
			uint64_t *ret_number)
{
	struct json_object *o = member(in, name, json_type_string);

	return o && parse_decimal(json_object_get_string(o), max, ret_number);
}

/* A member's name that is a number below `max`. */
static bool get_index(const char *name, unsigned max, unsigned *ret_index)
{
	uint64_t v;

	if (strlen(name) > 2 || (name[0] == '0' && name[1]) || !parse_decimal(name, max - 1, &v)) {
		return false;
	}
	*ret_index = (unsigned)v;
	return true;
}

static bool hash_known(struct json_object *in)
{
	return is_text(in, "hash", "sha256") || is_text(in, "hash", "sha512");
}

/* What stock tools leave when a requirement is over. */
static bool is_empty(struct json_object *requirements)
{
	struct json_object *mandatory = member(requirements, "mandatory", json_type_array);

	return mandatory && json_object_array_length(mandatory) == 0 &&
	       json_object_object_length(requirements) == 1;
}

static int check_config(struct json_object *top, struct luks_policy *policy, struct why *why)
{
	struct json_object *config = member(top, "config", json_type_object);
	struct json_object *requirements = NULL;
	uint64_t keyslots;

	if (!config || !get_decimal(config, "keyslots_size", LUKS_AREA_MAX, &keyslots) ||
	    keyslots % 4096) {
		return deny(why, "its configuration is not valid");
	}
	if (json_object_object_get_ex(config, "requirements", &requirements) &&
	    !is_empty(requirements)) {
		return deny(why, "a re-encryption by other means is under way, or other "
				 "requirements are set; finish it with 'cryptsetup reencrypt "
				 "--resume-only'");
	}
	if (2 * policy->metadata_size + keyslots > LUKS_AREA_MAX) {
		return deny(why, "its keyslots take more than 16 MiB");
	}
	policy->area_end = 2 * policy->metadata_size + (uint32_t)keyslots;
	return 0;
}

static int check_segment(struct json_object *top, struct luks_policy *policy, struct why *why)
{
	struct json_object *segments = member(top, "segments", json_type_object);
	struct json_object *segment = member(segments, "0", json_type_object);
	uint64_t offset = 0, size = 0;

	if (!segment || json_object_object_length(segments) != 1) {
		return deny(why, "it has not exactly one segment");
	}
	if (!is_text(segment, "type", "crypt") || !is_text(segment, "encryption", CIPHER) ||
	    !is_text(segment, "iv_tweak", "0")) {
		return deny(why, "the cipher is not " CIPHER);
	}
	if (json_object_object_get_ex(segment, "integrity", NULL) ||
	    json_object_object_get_ex(segment, "flags", NULL)) {
		return deny(why, "the segment has an integrity part or flags");
	}
	if (!get_number(segment, "sector_size", 512, 4096, &policy->sector_size) ||
	    (policy->sector_size != 512 && policy->sector_size != 4096)) {
		return deny(why, "sectors have neither 512 nor 4096 bytes");
	}
	if (!get_decimal(segment, "offset", LUKS_AREA_MAX, &offset) || offset % 4096 ||
	    offset < policy->area_end) {
		return deny(why, "the data does not lie behind the keyslots, within 16 MiB");
	}
	if (!is_text(segment, "size", "dynamic") &&
	    (!get_decimal(segment, "size", UINT64_MAX / 16, &size) || !size ||
	     size % policy->sector_size)) {
		return deny(why, "the size of the data is not valid");
	}
	policy->offset = (uint32_t)offset;
	policy->size = size;
	return 0;
}

static int check_kdf(struct json_object *keyslot, struct luks_slot *slot, struct why *why)
{
	struct json_object *kdf = member(keyslot, "kdf", json_type_object);
	uint32_t threads;

	if (is_text(kdf, "type", "pbkdf2")) {
		slot->argon2 = false;
		if (!hash_known(kdf) ||
		    !get_number(kdf, "iterations", 1, PBKDF2_MAX, &slot->cost)) {
			return deny(why, "a keyslot's PBKDF2 costs are out of bounds");
		}
		return 0;
	}
	if (!is_text(kdf, "type", "argon2id") && !is_text(kdf, "type", "argon2i")) {
		return deny(why, "a keyslot's key derivation is not known");
	}
	slot->argon2 = true;
	if (!get_number(kdf, "memory", 1, INT32_MAX, &slot->memory) ||
	    !get_number(kdf, "time", 1, ARGON2_PASSES, &slot->cost) ||
	    !get_number(kdf, "cpus", 1, ARGON2_THREADS, &threads) ||
	    (uint64_t)slot->memory * slot->cost > ARGON2_WORK || slot->memory > LUKS_MEMORY_MAX) {
		return deny(why, "a keyslot's Argon2 costs are out of bounds (256 MiB); change "
				 "them with 'cryptsetup luksConvertKey --pbkdf-memory 262144'");
	}
	return 0;
}

static int check_area(struct json_object *keyslot, const struct luks_policy *policy,
		      struct luks_slot *slot, struct why *why)
{
	struct json_object *area = member(keyslot, "area", json_type_object);
	struct json_object *af = member(keyslot, "af", json_type_object);
	uint64_t offset, size;
	uint32_t n;

	if (!is_text(area, "type", "raw") || !is_text(area, "encryption", CIPHER) ||
	    !get_number(area, "key_size", 32, 64, &n) || (n != 32 && n != 64) ||
	    !is_text(af, "type", "luks1") || !hash_known(af) ||
	    !get_number(af, "stripes", STRIPES, STRIPES, &n)) {
		return deny(why, "a keyslot's area is of an unknown kind");
	}
	if (!get_decimal(area, "offset", policy->area_end, &offset) ||
	    !get_decimal(area, "size", policy->area_end, &size) || (offset | size) % 4096 ||
	    offset < 2 * policy->metadata_size || size < STRIPES * KEY_SIZE ||
	    offset + size > policy->area_end) {
		return deny(why, "a keyslot's area lies outside of the keyslots");
	}
	slot->area = (uint32_t)offset;
	slot->area_size = (uint32_t)size;
	for (unsigned i = 0; i < LUKS_POLICY_SLOTS; i++) {
		const struct luks_slot *other = &policy->slots[i];

		if (other != slot && other->kind != LUKS_SLOT_FREE && other->area < offset + size &&
		    offset < other->area + other->area_size) {
			return deny(why, "two keyslots overlap");
		}
	}
	return 0;
}

static int check_keyslots(struct json_object *top, struct luks_policy *policy, struct why *why)
{
	struct json_object *keyslots = member(top, "keyslots", json_type_object);

	if (!keyslots) {
		return deny(why, "it has no keyslots");
	}
	json_object_object_foreach(keyslots, name, keyslot)
	{
		struct luks_slot *slot;
		unsigned index;
		uint32_t n;
		int rc;

		if (!get_index(name, LUKS_POLICY_SLOTS, &index) ||
		    !is_text(keyslot, "type", "luks2") ||
		    !get_number(keyslot, "key_size", KEY_SIZE, KEY_SIZE, &n)) {
			return deny(why, "a keyslot is not of type luks2 with a key of 64 bytes");
		}
		slot = &policy->slots[index];
		rc = check_kdf(keyslot, slot, why);
		rc = rc ? rc : check_area(keyslot, policy, slot, why);
		if (rc) {
			return rc;
		}
		slot->kind = LUKS_SLOT_PASSPHRASE;
		slot->token = -1;
	}
	return 0;
}

/* Calls `each` for the keyslots that a digest or a token names; false: one that is not there. */
static bool for_slots(struct json_object *in, struct luks_policy *policy,
		      void (*each)(struct luks_slot *slot, void *context), void *context)
{
	struct json_object *names = member(in, "keyslots", json_type_array);

	if (!names) {
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		struct json_object *name = json_object_array_get_idx(names, i);
		unsigned index;

		if (!json_object_is_type(name, json_type_string) ||
		    !get_index(json_object_get_string(name), LUKS_POLICY_SLOTS, &index) ||
		    policy->slots[index].kind == LUKS_SLOT_FREE) {
			return false;
		}
		each(&policy->slots[index], context);
	}
	return true;
}

static void count(struct luks_slot *slot, void *context)
{
	(void)slot;
	++*(unsigned *)context;
}

static struct json_object *only_member(struct json_object *in)
{
	struct json_object_iterator at = json_object_iter_begin(in);

	return json_object_iter_peek_value(&at);
}

static int check_digest(struct json_object *top, struct luks_policy *policy, struct why *why)
{
	struct json_object *digests = member(top, "digests", json_type_object);
	struct json_object *digest, *segments, *segment = NULL;
	unsigned bound = 0, slots = 0;
	uint32_t n;

	if (!digests || json_object_object_length(digests) != 1) {
		return deny(why, "it has not exactly one digest");
	}
	digest = only_member(digests);
	segments = member(digest, "segments", json_type_array);
	if (segments && json_object_array_length(segments) == 1) {
		segment = json_object_array_get_idx(segments, 0);
	}
	if (!segment || !json_object_is_type(segment, json_type_string) ||
	    strcmp(json_object_get_string(segment), "0") != 0 ||
	    !is_text(digest, "type", "pbkdf2") || !hash_known(digest) ||
	    !get_number(digest, "iterations", 1, PBKDF2_MAX, &n) ||
	    !for_slots(digest, policy, count, &bound)) {
		return deny(why, "it has not exactly one digest, of the segment");
	}
	for (unsigned i = 0; i < LUKS_POLICY_SLOTS; i++) {
		slots += policy->slots[i].kind != LUKS_SLOT_FREE;
	}
	return bound == slots ? 0 : deny(why, "a keyslot holds another key than the segment's");
}

struct token {
	uint8_t kind;
	int16_t number;
};

static void mark(struct luks_slot *slot, void *context)
{
	const struct token *token = context;

	slot->kind = token->kind;
	slot->token = token->number;
}

static int check_tokens(struct json_object *top, struct luks_policy *policy, struct why *why)
{
	struct json_object *tokens = member(top, "tokens", json_type_object);

	if (!tokens) {
		return deny(why, "it has no tokens object");
	}
	json_object_object_foreach(tokens, name, o)
	{
		struct token token = {LUKS_SLOT_FOREIGN, 0};
		unsigned index;

		if (!get_index(name, TOKENS_MAX, &index) || !member(o, "type", json_type_string)) {
			return deny(why, "a token is not valid");
		}
		token.number = (int16_t)index;
		if (is_text(o, "type", "bulkhead-recovery")) {
			token.kind = LUKS_SLOT_RECOVERY;
		} else if (is_text(o, "type", "bulkhead-tpm2")) {
			token.kind = LUKS_SLOT_TPM2;
		} else if (is_text(o, "type", "bulkhead-recipient")) {
			token.kind = LUKS_SLOT_RECIPIENT;
		}
		if (!for_slots(o, policy, mark, &token)) {
			return deny(why, "a token names a keyslot that is not there");
		}
	}
	return 0;
}

static struct json_object *parse(const char *text, size_t max)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *top = NULL;

	if (tokener) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		top = json_tokener_parse_ex(tokener, text, (int)strnlen(text, max) + 1);
		json_tokener_free(tokener);
	}
	if (top && !json_object_is_type(top, json_type_object)) {
		json_object_put(top);
		top = NULL;
	}
	return top;
}

static int check_copy(const struct luks_copy *copy, struct luks_policy *ret_policy, struct why *why)
{
	struct luks_policy policy = {.metadata_size = copy->size, .seqid = copy->seqid};
	struct json_object *top = parse(copy->json, copy->size - LUKS_BINARY_SIZE);
	int rc;

	if (!top) {
		return deny(why, "its JSON cannot be read");
	}
	for (unsigned i = 0; i < LUKS_POLICY_SLOTS; i++) {
		policy.slots[i].token = -1;
	}
	rc = check_config(top, &policy, why);
	rc = rc ? rc : check_segment(top, &policy, why);
	rc = rc ? rc : check_keyslots(top, &policy, why);
	rc = rc ? rc : check_digest(top, &policy, why);
	rc = rc ? rc : check_tokens(top, &policy, why);
	json_object_put(top);
	if (rc) {
		return rc;
	}
	(void)why_quote(policy.uuid, sizeof(policy.uuid), copy->uuid);
	*ret_policy = policy;
	return 0;
}

/* The second copy begins where the first ends; without a first one, at any size that there is. */
static bool find_second(const uint8_t *bytes, size_t size, struct luks_copy *ret_copy)
{
	for (uint32_t at = 16384; at <= LUKS_METADATA_MAX; at *= 2) {
		if (luks_binary_decode(bytes, size, at, LUKS_METADATA_MAX, ret_copy)) {
			return true;
		}
	}
	return false;
}

int luks_policy_check(const uint8_t *bytes, size_t size, struct luks_policy *ret_policy,
		      struct why *why)
{
	struct luks_policy first = {0}, second = {0};
	struct luks_copy copy;
	bool has_first, has_second;
	int rc = 0;

	has_first = luks_binary_decode(bytes, size, 0, LUKS_METADATA_MAX, &copy);
	if (has_first) {
		rc = check_copy(&copy, &first, why);
	}
	has_second = rc ? false : find_second(bytes, size, &copy);
	if (has_second) {
		rc = check_copy(&copy, &second, why);
	}
	if (rc) {
		return rc;
	}
	if (!has_first && !has_second) {
		return why_set(why, -EBADMSG, "no copy of the LUKS2 header is whole");
	}
	if (has_first && has_second && first.metadata_size != second.metadata_size) {
		return deny(why, "its two copies differ in size");
	}
	if (has_first && (!has_second || first.seqid >= second.seqid)) {
		second = first;
	}
	second.primary_good = has_first;
	second.secondary_good = has_second;
	*ret_policy = second;
	return second.area_end > size ? -ENODATA : 0;
}

static bool copy_token(const struct luks_copy *copy, int number, char *ret_text, size_t text_size)
{
	struct json_object *top = parse(copy->json, copy->size - LUKS_BINARY_SIZE), *token;
	char name[12];
	bool found;

	snprintf(name, sizeof(name), "%d", number);
	token = member(member(top, "tokens", json_type_object), name, json_type_object);
	found = token && snprintf(ret_text, text_size, "%s",
				  json_object_to_json_string_ext(token, JSON_C_TO_STRING_PLAIN)) <
				 (int)text_size;
	json_object_put(top);
	return found;
}

bool luks_policy_token(const uint8_t *bytes, size_t size, int number, char *ret_text,
		       size_t text_size)
{
	struct luks_copy first, second;
	bool has_first = luks_binary_decode(bytes, size, 0, LUKS_METADATA_MAX, &first);
	bool has_second = find_second(bytes, size, &second);

	if (has_first && (!has_second || first.seqid >= second.seqid)) {
		return copy_token(&first, number, ret_text, text_size);
	}
	return has_second && copy_token(&second, number, ret_text, text_size);
}
