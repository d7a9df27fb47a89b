/* SPDX-License-Identifier: Apache-2.0 */
/* One function a verb; reply.why says what libcryptsetup says when we know no better. */
#define _GNU_SOURCE

#include "unlock_verbs.h"

#include "luks_binary.h"
#include "recovery_key.h"
#include "unlock_open.h"

#include <errno.h>
#include <json-c/json.h>
#include <libcryptsetup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define METADATA_SIZE 16384u
#define KEYSLOTS_SIZE 2064384u
#define TOKEN_MEMORY  1024u /* KiB */
#define DATA_SECTORS  4096u /* of 512 bytes: 2 MiB */

/* The last thing that libcryptsetup complained of, unless we know better. */
static void note_error(int level, const char *text, void *context)
{
	struct unlock_reply *reply = context;

	if (level == CRYPT_LOG_ERROR) {
		(void)why_set(&reply->why, 0, "%.*s", (int)strcspn(text, "\n"), text);
	}
}

static bool erase_magic(size_t offset)
{
	static const uint8_t zeros[8];

	return pwrite(UNLOCK_HEADER, zeros, sizeof(zeros), (off_t)offset) == (ssize_t)sizeof(zeros);
}

/* A copy that our policy did not look at is hidden from libcryptsetup too. */
static int hide_other_copies(const uint8_t *header, size_t size)
{
	struct luks_copy copy;

	if (!luks_binary_decode(header, size, 0, LUKS_METADATA_MAX, &copy) && !erase_magic(0)) {
		return -EIO;
	}
	for (uint32_t at = 16384; at <= 4194304 && at + 8 <= size; at *= 2) {
		if (!luks_binary_decode(header, size, at, LUKS_METADATA_MAX, &copy) &&
		    memcmp(header + at, "SKUL\xba\xbe", 6) == 0 && !erase_magic(at)) {
			return -EIO;
		}
	}
	return 0;
}

static bool read_header(uint8_t *header, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(UNLOCK_HEADER, header + done, size - done, (off_t)done);

		if (n <= 0) {
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/* Judges the header as it is now; after a change by libcryptsetup, what that made of it. */
static int judge(struct unlock_job *job)
{
	size_t size = job->request.header_size;
	uint8_t *header = malloc(size ? size : 1);
	int rc = -ENOMEM;

	if (header && !read_header(header, size)) {
		rc = -EIO;
	} else if (header) {
		rc = luks_policy_check(header, size, &job->reply.policy, &job->reply.why);
		rc = rc ? rc : hide_other_copies(header, size);
	}
	free(header);
	return rc;
}

static int get_token(struct unlock_job *job)
{
	int slot = job->request.slot;
	size_t size = job->request.header_size;
	uint8_t *header;
	int rc = -ENOENT;

	if (slot < 0 || slot >= (int)LUKS_POLICY_SLOTS || job->reply.policy.slots[slot].token < 0) {
		return rc;
	}
	header = malloc(size);
	if (!header) {
		return -ENOMEM;
	}
	if (read_header(header, size) &&
	    luks_policy_token(header, size, job->reply.policy.slots[slot].token, job->reply.token,
			      sizeof(job->reply.token))) {
		rc = 0;
	}
	free(header);
	return rc;
}

static int open_device(struct unlock_job *job, bool load, struct crypt_device **ret_device)
{
	struct crypt_device *device;
	int rc;

	crypt_set_log_callback(NULL, note_error, &job->reply);
	rc = crypt_init(&device, UNLOCK_OPEN_NAME);
	if (rc < 0) {
		return rc;
	}
	rc = load ? crypt_load(device, CRYPT_LUKS2, NULL) : 0;
	if (rc < 0) {
		crypt_free(device);
		return rc == -EINVAL ? -EBADMSG : rc;
	}
	*ret_device = device;
	return 0;
}

/* One slot; true ends the search. */
static bool try_slot(struct crypt_device *device, struct unlock_job *job, int slot,
		     const char *secret, size_t secret_size, int *rc)
{
	size_t key_size = XTS_KEY_SIZE;

	*rc = crypt_volume_key_get(device, slot, (char *)job->reply.key, &key_size, secret,
				   secret_size);
	if (*rc >= 0 && key_size == XTS_KEY_SIZE) {
		job->reply.slot = slot;
		*rc = 0;
		return true;
	}
	*rc = *rc >= 0 || *rc == -ENOENT ? -EPERM : *rc;
	return *rc != -EPERM;
}

/* A recovery key is tried on the slots made for one, anything else on all but those. The secrets of
 * tokens are random and cost no derivation worth waiting for: a slot that makes one wait is not
 * ours and is tried by its number only. */
static bool is_candidate(const struct luks_slot *slot, bool recovery)
{
	switch (slot->kind) {
	case LUKS_SLOT_RECOVERY:
		return recovery;
	case LUKS_SLOT_PASSPHRASE:
	case LUKS_SLOT_FOREIGN:
		return true;
	default:
		return !recovery && slot->argon2 && slot->memory <= TOKEN_MEMORY;
	}
}

static int get_key(struct crypt_device *device, struct unlock_job *job)
{
	const struct luks_slot *slots = job->reply.policy.slots;
	const char *secret = job->secret;
	size_t size = job->request.secret_size;
	char recovery[RECOVERY_KEY_TEXT];
	bool is_recovery = recovery_key_read(secret, size, recovery) == 0;
	int rc = -EPERM, only = job->request.slot;

	for (int i = 0; i < (int)LUKS_POLICY_SLOTS; i++) {
		bool canonical = is_recovery && slots[i].kind == LUKS_SLOT_RECOVERY;

		if (slots[i].kind == LUKS_SLOT_FREE ||
		    (only < 0 ? !is_candidate(&slots[i], is_recovery) : i != only)) {
			continue;
		}
		if (try_slot(device, job, i, canonical ? recovery : secret,
			     canonical ? strlen(recovery) : size, &rc)) {
			break;
		}
	}
	explicit_bzero(recovery, sizeof(recovery));
	return rc == -EPERM ? why_set(&job->reply.why, rc, "no keyslot opens with this secret")
			    : rc;
}

static int set_costs(struct crypt_device *device, const struct unlock_request *r)
{
	struct crypt_pbkdf_type kdf = {.type = CRYPT_KDF_ARGON2ID,
				       .hash = "sha256",
				       .max_memory_kb = r->memory_kib,
				       .parallel_threads = r->threads,
				       .time_ms = 2000};

	if (!kdf.max_memory_kb || kdf.max_memory_kb > LUKS_MEMORY_MAX) {
		kdf.max_memory_kb = LUKS_MEMORY_MAX;
	}
	if (!kdf.parallel_threads || kdf.parallel_threads > 4) {
		kdf.parallel_threads = 4;
	}
	if (r->iterations || r->cheap) {
		kdf.iterations = r->cheap ? 4 : r->iterations;
		kdf.flags = CRYPT_PBKDF_NO_BENCHMARK;
	}
	if (r->cheap) {
		kdf.max_memory_kb = 32;
		kdf.parallel_threads = 1;
	}
	return crypt_set_pbkdf_type(device, &kdf);
}

/* The token that says what the new slot is for. */
static int add_token(struct crypt_device *device, const char *text, int slot)
{
	struct json_object *token = json_tokener_parse(text), *slots = json_object_new_array();
	char name[12];
	int rc;

	if (!token || !slots || !json_object_is_type(token, json_type_object)) {
		json_object_put(token);
		json_object_put(slots);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "%d", slot);
	json_object_array_add(slots, json_object_new_string(name));
	json_object_object_add(token, "keyslots", slots);
	rc = crypt_token_json_set(device, CRYPT_ANY_TOKEN, json_object_to_json_string(token));
	json_object_put(token);
	return rc < 0 ? rc : 0;
}

static int add_slot(struct crypt_device *device, struct unlock_job *job)
{
	const struct unlock_request *r = &job->request;
	int rc = set_costs(device, r);

	rc = rc ? rc
		: crypt_keyslot_add_by_volume_key(
			  device, r->other_slot < 0 ? CRYPT_ANY_SLOT : r->other_slot,
			  (const char *)job->reply.key, XTS_KEY_SIZE, job->other, r->other_size);
	if (rc < 0) {
		return rc == -EINVAL ? why_set(&job->reply.why, -ENOSPC,
					       "there is no room for another keyslot; remove one")
				     : rc;
	}
	job->reply.opened = job->reply.slot;
	job->reply.slot = rc;
	return r->token_size ? add_token(device, job->token, rc) : 0;
}

static int format(struct crypt_device *device, struct unlock_job *job)
{
	struct unlock_request *r = &job->request;
	struct crypt_params_luks2 params = {.sector_size = XTS_SECTOR};
	int rc = set_costs(device, r);

	rc = rc ? rc : crypt_set_data_offset(device, DATA_SECTORS);
	rc = rc ? rc : crypt_set_metadata_size(device, METADATA_SIZE, KEYSLOTS_SIZE);
	rc = rc ? rc
		: crypt_format(device, CRYPT_LUKS2, "aes", "xts-plain64",
			       r->uuid[0] ? r->uuid : NULL, NULL, XTS_KEY_SIZE, &params);
	rc = rc < 0 ? rc
		    : crypt_keyslot_add_by_volume_key(device, 0, NULL, 0, job->secret,
						      r->secret_size);
	job->reply.slot = 0;
	return rc < 0 ? rc : 0;
}

/* Tokens go with the last slot that they name. */
static int remove_slot(struct crypt_device *device, struct unlock_job *job)
{
	int slot = job->request.slot;
	int token = slot < 0 || slot >= (int)LUKS_POLICY_SLOTS
			    ? -1
			    : job->reply.policy.slots[slot].token;
	int rc;

	if (slot < 0 || slot >= (int)LUKS_POLICY_SLOTS ||
	    job->reply.policy.slots[slot].kind == LUKS_SLOT_FREE) {
		return why_set(&job->reply.why, -ENOENT, "keyslot %d is not in use", slot);
	}
	rc = crypt_keyslot_destroy(device, slot);
	for (unsigned i = 0; token >= 0 && i < LUKS_POLICY_SLOTS; i++) {
		if ((int)i != slot && job->reply.policy.slots[i].token == token) {
			token = -1;
		}
	}
	if (rc == 0 && token >= 0) {
		rc = crypt_token_json_set(device, token, NULL);
	}
	return rc < 0 ? rc : 0;
}

static int with_device(struct unlock_job *job)
{
	struct crypt_device *device;
	uint32_t verb = job->request.verb;
	int rc = open_device(job, verb != UNLOCK_FORMAT, &device);

	if (rc < 0) {
		return rc;
	}
	switch (verb) {
	case UNLOCK_FORMAT:
		rc = format(device, job);
		break;
	case UNLOCK_REMOVE:
		rc = remove_slot(device, job);
		break;
	default:
		rc = get_key(device, job);
		if (rc == 0 && verb == UNLOCK_ADD) {
			rc = add_slot(device, job);
			explicit_bzero(job->reply.key, sizeof(job->reply.key));
		}
	}
	crypt_free(device);
	return rc;
}

int unlock_run(struct unlock_job *job)
{
	uint32_t verb = job->request.verb;
	int rc = verb == UNLOCK_FORMAT ? 0 : judge(job);

	if (rc || verb == UNLOCK_LIST) {
		return rc;
	}
	if (verb == UNLOCK_TOKEN) {
		return get_token(job);
	}
	if (verb > UNLOCK_TOKEN) {
		return -EINVAL;
	}
	rc = with_device(job);
	if (rc == 0 && verb != UNLOCK_KEY) {
		struct luks_policy before = job->reply.policy;

		rc = judge(job);
		/* What the disk has now decides the order of writing back. */
		job->reply.policy.primary_good = before.primary_good;
		job->reply.policy.secondary_good = before.secondary_good;
	}
	return rc;
}
