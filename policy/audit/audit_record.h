/* SPDX-License-Identifier: Apache-2.0 */
/** Records as bytes: little-endian, each bit in docs/SPEC-policy.md. A record holds the hash of the
 * one before it and ends with its own, so one can be told from a torn or edited one by itself, and
 * its place by its neighbour.
 */
#ifndef POLICY_AUDIT_RECORD_H
#define POLICY_AUDIT_RECORD_H

#include "audit.h"

#define AUDIT_RECORD_MAX 1024u /* bytes */

/** Where a log stands: how many records there are, and the hash of the last one (none: zeros). */
struct audit_chain {
	uint64_t count;
	uint8_t hash[AUDIT_HASH_SIZE];
};

/** Writes the record that comes next in the chain (its number is the chain's) and moves the chain
 * on. Returns the bytes, at most AUDIT_RECORD_MAX. */
size_t audit_record_encode(const struct audit_record *record, struct audit_chain *chain,
			   uint8_t ret_bytes[AUDIT_RECORD_MAX]);
/** Hostile bytes. Returns the size of the record that they begin with; 0: they may be the beginning
 * of one; -EBADMSG: they are none. *ret_before is the chain that it continues, as it says. */
int audit_record_decode(const uint8_t *bytes, size_t size, struct audit_record *ret_record,
			struct audit_chain *ret_before, uint8_t ret_hash[AUDIT_HASH_SIZE]);

/** What an ARCHIVED record says: which records are archived, as the chain behind the last of them.
 */
void audit_record_set_archived(struct audit_record *record, const struct audit_chain *chain);
/** False: it is no ARCHIVED record, or not of the form that is written. */
bool audit_record_get_archived(const struct audit_record *record, struct audit_chain *ret_chain);

void audit_record_hex(const uint8_t hash[AUDIT_HASH_SIZE], char ret_hex[2 * AUDIT_HASH_SIZE + 1]);
/** False: the text does not begin with 64 small hexadecimal digits. */
bool audit_record_unhex(const char *hex, uint8_t ret_hash[AUDIT_HASH_SIZE]);

#endif
