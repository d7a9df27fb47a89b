/* SPDX-License-Identifier: Apache-2.0 */
/** Detached signatures of policy layers: FILE.sig beside FILE, ECDSA P-256 or RSA-PSS by mbedTLS
 * over SHA-256.
 *
 *  What is signed is a fixed header (purpose, layer, version) and the SHA-256 of the file and of
 * each include, so a signature never fits another layer, version or product. Formats in
 * docs/SPEC-policy.md.
 */
#ifndef POLICY_SIGN_H
#define POLICY_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"
#include "text.h"

#define SIGN_SIZE_MAX 4096u /* bytes of a signature file */
#define SIGN_WHY_SIZE 160u

/** Signs files first..first + count - 1 of the set (a layer and its includes, in order of reading)
 * with a PEM private key. Returns 0, or -1 and a sentence in `why`. */
int sign_make(const struct source_set *set, const uint32_t *files, uint32_t count,
	      enum text_layer layer, uint64_t version, const char *key_path,
	      uint8_t ret_sig[SIGN_SIZE_MAX], size_t *ret_size, char why[SIGN_WHY_SIZE]);
/** Verifies hostile bytes with the PEM public keys of a folder or file that are trusted for this
 * layer. */
int sign_verify(const struct source_set *set, const uint32_t *files, uint32_t count,
		enum text_layer layer, uint64_t version, const uint8_t *sig, size_t size,
		const char *keys_path, char why[SIGN_WHY_SIZE]);

/** Highest version seen of each layer, in a small file that is replaced atomically and flushed.
 *  -ESTALE: the version is older. Equal is taken only with the same digest. */
int sign_seen_check(const char *path, enum text_layer layer, uint64_t version,
		    const uint8_t digest[32], char why[SIGN_WHY_SIZE]);
int sign_seen_record(const char *path, enum text_layer layer, uint64_t version,
		     const uint8_t digest[32], char why[SIGN_WHY_SIZE]);

#endif
