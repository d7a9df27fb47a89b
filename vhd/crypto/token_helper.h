/* SPDX-License-Identifier: Apache-2.0 */
/** A program that turns a token's JSON into the secret of its keyslot: by a TPM, a smart card, a
 * private key. It gets the JSON on standard input, until the end, writes the bare secret on
 * standard output and exits with 0. It runs with an empty environment.
 */
#ifndef VHD_TOKEN_HELPER_H
#define VHD_TOKEN_HELPER_H

#include "luks.h"

#define TOKEN_HELPER_SECRET 1024u

/** Asks `program` (a path) about the token of the keyslot in secret->slot and fills ret_bytes
 * (wiped by the caller) and *ret_secret, which points there. -ENOENT: that slot has no token;
 * -EPERM: the program would not; -ETIMEDOUT (60 s). */
VHD_MUST_CHECK int token_helper_run(struct layer *payload, const char *program, int slot,
				    uint8_t ret_bytes[TOKEN_HELPER_SECRET],
				    struct luks_secret *ret_secret, struct why *why);

#endif
