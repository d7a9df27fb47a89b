/* SPDX-License-Identifier: Apache-2.0 */
/** The keyslots of a LUKS2 header: who may open the disk. All changes survive a power cut as old or
 * new (luks_write.h). The disk must not be in use.
 *
 *  A keyslot that was removed is gone from this image only: an older copy of the header still opens
 * with its secret, and so does the data, until it is encrypted again (rekey.h).
 */
#ifndef VHD_KEYSLOT_H
#define VHD_KEYSLOT_H

#include "luks.h"
#include "luks_policy.h"

struct keyslot {
	int slot;
	enum luks_slot_kind kind;
	bool argon2;	 /* else PBKDF2 */
	uint32_t cost;	 /* passes, or iterations */
	uint32_t memory; /* KiB */
};

/** "passphrase", "recovery", "tpm2", "recipient", "foreign". */
const char *keyslot_kind_name(enum luks_slot_kind kind);

/** Needs no secret. */
VHD_MUST_CHECK int keyslot_list(struct layer *payload, struct keyslot ret_slots[LUKS_POLICY_SLOTS],
				unsigned *ret_count, struct why *why);

/** Bytes of a token's secret, at least. It is random, so its slot costs no derivation to speak of.
 */
#define KEYSLOT_TOKEN_SECRET 32u

struct keyslot_add {
	struct luks_secret secret; /* that opens the disk now */
	const void *bytes;	   /* of the new slot */
	size_t size;
	int slot;		  /* -1: the first free one */
	enum luks_slot_kind kind; /* LUKS_SLOT_PASSPHRASE ... LUKS_SLOT_RECIPIENT */
	const char *token;	  /* TPM2, RECIPIENT: JSON object with what unseals `bytes` */
	uint32_t memory_kib, iterations; /* as in luks_format */
	bool fast_for_tests;
};

/** -EPERM the secret opens nothing; -ENOSPC all slots are taken; -EINVAL. */
VHD_MUST_CHECK int keyslot_add(struct layer *payload, const struct keyslot_add *add, int *ret_slot,
			       struct why *why);

/** -ENOENT; -EBUSY it is the last one (unless `force`): nobody could open the disk again. */
VHD_MUST_CHECK int keyslot_remove(struct layer *payload, int slot, bool force, struct why *why);

/** Adds, then removes the slot that add->secret opened; add->kind LUKS_SLOT_FREE: of the same kind.
 * A power cut between leaves both. */
VHD_MUST_CHECK int keyslot_change(struct layer *payload, const struct keyslot_add *add,
				  int *ret_slot, struct why *why);

/** The JSON of the token that belongs to a slot. -ENOENT. */
VHD_MUST_CHECK int keyslot_token(struct layer *payload, int slot, char *ret_json, size_t size,
				 struct why *why);

#endif
