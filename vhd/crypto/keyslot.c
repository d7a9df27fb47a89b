/* SPDX-License-Identifier: Apache-2.0 */
/* The process in the jail does the work; here are tokens, and the rule about the last slot. */
#include "keyslot.h"

#include "luks_write.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
	[LUKS_SLOT_FREE] = "free",	     [LUKS_SLOT_PASSPHRASE] = "passphrase",
	[LUKS_SLOT_RECOVERY] = "recovery",   [LUKS_SLOT_TPM2] = "tpm2",
	[LUKS_SLOT_RECIPIENT] = "recipient", [LUKS_SLOT_FOREIGN] = "foreign",
};

const char *keyslot_kind_name(enum luks_slot_kind kind)
{
	return (unsigned)kind <= LUKS_SLOT_FOREIGN ? kind_names[kind] : "unknown";
}

static bool is_token(enum luks_slot_kind kind)
{
	return kind == LUKS_SLOT_TPM2 || kind == LUKS_SLOT_RECIPIENT;
}

static unsigned take_slots(const struct luks_policy *policy, struct keyslot *ret_slots)
{
	unsigned count = 0;

	for (int i = 0; i < (int)LUKS_POLICY_SLOTS; i++) {
		const struct luks_slot *s = &policy->slots[i];

		if (s->kind != LUKS_SLOT_FREE) {
			ret_slots[count++] =
				(struct keyslot){i, s->kind, s->argon2, s->cost, s->memory};
		}
	}
	return count;
}

int keyslot_list(struct layer *payload, struct keyslot ret_slots[LUKS_POLICY_SLOTS],
		 unsigned *ret_count, struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_LIST, .slot = -1, .other_slot = -1}};
	int rc = luks_process_run(payload, &job, why);

	if (!rc) {
		*ret_count = take_slots(&job.reply->policy, ret_slots);
	}
	luks_process_clean(&job);
	return rc;
}

/* The JSON that goes with a slot of this kind, its type set by us. */
static int make_token(const struct keyslot_add *add, char ret_json[UNLOCK_TOKEN_MAX],
		      struct why *why)
{
	struct json_object *token;
	char type[32];
	int n;

	ret_json[0] = '\0';
	if (add->kind == LUKS_SLOT_PASSPHRASE) {
		return 0;
	}
	if (add->kind < LUKS_SLOT_RECOVERY || add->kind > LUKS_SLOT_RECIPIENT ||
	    (add->kind == LUKS_SLOT_RECOVERY) != !add->token) {
		return why_set(why, -EINVAL, "a keyslot of a token needs the token's JSON");
	}
	token = add->token ? json_tokener_parse(add->token) : json_object_new_object();
	if (!token || !json_object_is_type(token, json_type_object)) {
		json_object_put(token);
		return why_set(why, -EINVAL, "the token is not a JSON object");
	}
	snprintf(type, sizeof(type), "bulkhead-%s", keyslot_kind_name(add->kind));
	json_object_object_add(token, "type", json_object_new_string(type));
	n = snprintf(ret_json, UNLOCK_TOKEN_MAX, "%s",
		     json_object_to_json_string_ext(token, JSON_C_TO_STRING_PLAIN));
	json_object_put(token);
	return n < (int)UNLOCK_TOKEN_MAX ? 0 : why_set(why, -E2BIG, "the token is too long");
}

static int add_slot(struct layer *payload, const struct keyslot_add *add, int *ret_slot,
		    int *ret_opened, struct why *why)
{
	char token[UNLOCK_TOKEN_MAX];
	struct luks_job job = {.request = {.verb = UNLOCK_ADD,
					   .slot = add->secret.slot,
					   .other_slot = add->slot,
					   .secret_size = (uint32_t)add->secret.size,
					   .other_size = (uint32_t)add->size,
					   .memory_kib = add->memory_kib,
					   .iterations = add->iterations,
					   .cheap = add->fast_for_tests || is_token(add->kind)},
			       .secret = add->secret.bytes,
			       .other = add->bytes,
			       .token = token};
	int rc = make_token(add, token, why);

	if (!rc && is_token(add->kind) && add->size < KEYSLOT_TOKEN_SECRET) {
		return why_set(why, -EINVAL,
			       "the secret of a token must be random and have %u bytes at least",
			       KEYSLOT_TOKEN_SECRET);
	}
	if (rc || add->size > UNLOCK_SECRET_MAX || add->secret.size > UNLOCK_SECRET_MAX) {
		return rc ? rc : why_set(why, -E2BIG, "the secret is too long");
	}
	job.request.token_size = (uint32_t)strlen(token);
	rc = luks_process_run(payload, &job, why);
	rc = rc ? rc : luks_write(payload, &job, LUKS_WRITE_ADDED);
	if (!rc) {
		*ret_slot = job.reply->slot;
		*ret_opened = job.reply->opened;
	}
	luks_process_clean(&job);
	return rc;
}

int keyslot_add(struct layer *payload, const struct keyslot_add *add, int *ret_slot,
		struct why *why)
{
	int opened;

	return add_slot(payload, add, ret_slot, &opened, why);
}

int keyslot_remove(struct layer *payload, int slot, bool force, struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_REMOVE, .slot = slot, .other_slot = -1}};
	struct keyslot slots[LUKS_POLICY_SLOTS];
	unsigned count;
	int rc = keyslot_list(payload, slots, &count, why);

	if (!rc && count == 1 && slots[0].slot == slot && !force) {
		return why_set(why, -EBUSY,
			       "keyslot %d is the last one: without it nobody can open the disk "
			       "again; add another first",
			       slot);
	}
	rc = rc ? rc : luks_process_run(payload, &job, why);
	rc = rc ? rc : luks_write(payload, &job, LUKS_WRITE_REMOVED);
	luks_process_clean(&job);
	return rc;
}

static int kind_of(struct layer *payload, const struct luks_secret *secret, struct keyslot_add *add,
		   struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_KEY,
					   .slot = secret->slot,
					   .other_slot = -1,
					   .secret_size = (uint32_t)secret->size},
			       .secret = secret->bytes};
	int rc = luks_process_run(payload, &job, why);

	if (!rc) {
		add->secret.slot = job.reply->slot;
		add->kind = job.reply->slot < 0 ? LUKS_SLOT_PASSPHRASE
						: job.reply->policy.slots[job.reply->slot].kind;
		add->kind = add->kind == LUKS_SLOT_FOREIGN ? LUKS_SLOT_PASSPHRASE : add->kind;
	}
	luks_process_clean(&job);
	return rc;
}

int keyslot_change(struct layer *payload, const struct keyslot_add *add, int *ret_slot,
		   struct why *why)
{
	struct keyslot_add mine = *add;
	int rc = 0, slot = -1, opened = -1;

	mine.slot = -1;
	if (mine.kind == LUKS_SLOT_FREE) {
		rc = kind_of(payload, &add->secret, &mine, why);
	}
	rc = rc ? rc : add_slot(payload, &mine, &slot, &opened, why);
	rc = rc ? rc : keyslot_remove(payload, opened, false, why);
	if (!rc) {
		*ret_slot = slot;
	}
	return rc;
}

int keyslot_token(struct layer *payload, int slot, char *ret_json, size_t size, struct why *why)
{
	struct luks_job job = {.request = {.verb = UNLOCK_TOKEN, .slot = slot, .other_slot = -1}};
	int rc = luks_process_run(payload, &job, why);

	if (!rc && strlen(job.reply->token) >= size) {
		rc = -ENOBUFS;
	} else if (!rc) {
		memcpy(ret_json, job.reply->token, strlen(job.reply->token) + 1);
	}
	luks_process_clean(&job);
	return rc;
}
