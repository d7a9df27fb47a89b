/* SPDX-License-Identifier: Apache-2.0 */
/** Which LUKS2 headers we take: looked at before libcryptsetup sees a byte, in both copies.
 *
 *  A copy counts when its magic, place and checksum are right. Each copy that counts must obey: one
 * segment, aes-xts-plain64 with a 64-byte key, no requirement flags (an injected "re-encryption in
 * progress" once made readers write plaintext), one digest that binds all keyslots to the segment,
 * keyslots apart from each other and from the data, and bounded costs of unlocking. Checksums are
 * unkeyed: who may write the header can make one that obeys; the manifest is against that.
 *
 *  Pure: bytes in, verdict out. Source: LUKS2 On-Disk Format Specification, "LUKS2 On-Disk Format",
 * "LUKS2 JSON Metadata Format".
 */
#ifndef VHD_LUKS_POLICY_H
#define VHD_LUKS_POLICY_H

#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUKS_POLICY_SLOTS 32u
#define LUKS_METADATA_MAX (64u << 10) /* one copy */
#define LUKS_AREA_MAX	  (16u << 20) /* start of the data, at most */
#define LUKS_MEMORY_MAX	  262144u     /* KiB, Argon2 */
#define LUKS_TOKEN_TYPE	  40u

enum luks_slot_kind {
	LUKS_SLOT_FREE,
	LUKS_SLOT_PASSPHRASE,
	LUKS_SLOT_RECOVERY,  /* token "bulkhead-recovery" */
	LUKS_SLOT_TPM2,	     /* token "bulkhead-tpm2" */
	LUKS_SLOT_RECIPIENT, /* token "bulkhead-recipient" */
	LUKS_SLOT_FOREIGN,   /* some other token */
};

struct luks_slot {
	uint8_t kind;
	bool argon2;	 /* else PBKDF2 */
	int16_t token;	 /* its number, or -1 */
	uint32_t cost;	 /* passes, or iterations */
	uint32_t memory; /* KiB */
	uint32_t area;	 /* bytes from the start */
	uint32_t area_size;
};

struct luks_policy {
	uint64_t seqid;
	uint32_t metadata_size; /* of one copy */
	uint32_t area_end;	/* end of the keyslots: what must be looked at */
	uint32_t offset;	/* of the data */
	uint64_t size;		/* of the data; 0: the rest of the disk */
	uint32_t sector_size;
	bool primary_good, secondary_good;
	char uuid[40];
	struct luks_slot slots[LUKS_POLICY_SLOTS];
};

/** Judges the first `size` bytes of a payload. 0; -EBADMSG no copy is whole; -EOPNOTSUPP against
 * the policy; -ENODATA: must see luks_policy.area_end bytes (set in *ret_policy); -ENOMEM. */
VHD_MUST_CHECK int luks_policy_check(const uint8_t *bytes, size_t size,
				     struct luks_policy *ret_policy, struct why *why);

/** The JSON text of token `number` in the newest copy, cut to fit; false: there is none. The bytes
 * must have passed. */
bool luks_policy_token(const uint8_t *bytes, size_t size, int number, char *ret_text,
		       size_t text_size);

#endif
