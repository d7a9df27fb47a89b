/* SPDX-License-Identifier: Apache-2.0 */
/** Detached signatures of policy layers: FILE.sig beside FILE, ECDSA P-256 or RSA-PSS by mbedTLS
 * over SHA-256.
 *
 *  A signature is a short text that names layer, version, and size and SHA-256 of the file and of
 * each include, so it never fits another layer, version or product; the last line signs the lines
 * before it. Whoever applies a policy checks it with sign_check() before anything else is looked
 * at, reads the files that it names, and parses only bytes that sign_check_file() knows.
 *
 *  Keys: a PEM file (that key alone is trusted), or a folder whose subfolders vendor, it and user
 * hold the *.pem files that are trusted for that layer. Format in docs/SPEC-policy.md.
 *
 *  Functions return 0, or -errno and a sentence in `why`. -EBADMSG: no signature in its one form;
 * -EKEYREJECTED: not by a trusted key; -ESTALE: too old.
 */
#ifndef POLICY_SIGN_H
#define POLICY_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"
#include "text.h"

#define SIGN_SIZE_MAX  16384u /* bytes of a signature file */
#define SIGN_WHY_SIZE  160u
#define SIGN_NAME_SIZE 64u /* of an include, with the closing 0 */
#define SIGN_HASH_SIZE 32u
#define SIGN_SUFFIX    ".sig"

struct sign_file {
	char name[SIGN_NAME_SIZE]; /* of an include; empty: the layer's own file */
	uint64_t size;
	uint8_t hash[SIGN_HASH_SIZE];
};

/** What a signature says. */
struct sign_head {
	enum text_layer layer;
	uint64_t version;
	uint32_t count; /* of files, in order of reading, the layer's own first */
	struct sign_file file[SOURCE_FILES_MAX];
	uint8_t digest[SIGN_HASH_SIZE]; /* of all of the above: one value for one content */
};

/** What a signature of these files would say: files[0..count) of the set, a layer and its includes
 * in order of reading. */
int sign_describe(const struct source_set *set, const uint32_t *files, uint32_t count,
		  enum text_layer layer, uint64_t version, struct sign_head *ret_head,
		  char why[SIGN_WHY_SIZE]);
/** Signs with a private PEM key without passphrase. */
int sign_make(const struct source_set *set, const uint32_t *files, uint32_t count,
	      enum text_layer layer, uint64_t version, const char *key_path,
	      uint8_t ret_sig[SIGN_SIZE_MAX], size_t *ret_size, char why[SIGN_WHY_SIZE]);
/** Hostile bytes: are they a signature by a key that is trusted for the layer that they name? */
int sign_check(const uint8_t *sig, size_t size, const char *keys_path, struct sign_head *ret_head,
	       char why[SIGN_WHY_SIZE]);
/** Are these the bytes of file `index` of a head? */
int sign_check_file(const struct sign_head *head, uint32_t index, const void *bytes, size_t size,
		    char why[SIGN_WHY_SIZE]);
/** All in one, for files that were read already: sign_check(), and layer, version and each file are
 * those of the head. */
int sign_verify(const struct source_set *set, const uint32_t *files, uint32_t count,
		enum text_layer layer, uint64_t version, const uint8_t *sig, size_t size,
		const char *keys_path, char why[SIGN_WHY_SIZE]);

/** Highest version seen of each layer, in a small file that is replaced atomically and flushed.
 * Below it: -ESTALE. Equal is taken only with the same digest. No file: nothing was seen. */
int sign_seen_check(const char *path, enum text_layer layer, uint64_t version,
		    const uint8_t digest[SIGN_HASH_SIZE], char why[SIGN_WHY_SIZE]);
/** Checks, then records; lasting when 0 is returned. One caller at a time. */
int sign_seen_record(const char *path, enum text_layer layer, uint64_t version,
		     const uint8_t digest[SIGN_HASH_SIZE], char why[SIGN_WHY_SIZE]);

#endif
