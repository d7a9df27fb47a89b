/* SPDX-License-Identifier: Apache-2.0 */
/** The manifest of a disk: the file NAME.manifest beside the image NAME says what the disk must be,
 * signed. Every bit of it, and what is trusted when, is in docs/SPEC-manifest.md.
 *
 *  The file has one form only: what manifest_encode() writes. So what is signed is what was
 * understood, and nothing else can be in it.
 */
#ifndef VHD_MANIFEST_H
#define VHD_MANIFEST_H

#include "folder.h"
#include "signature.h"
#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_SUFFIX	      ".manifest"
#define MANIFEST_FILE_MAX     (16u << 10)
#define MANIFEST_NAME_MAX     256u
#define MANIFEST_PARENT_MAX   31u
#define MANIFEST_ROLE_MAX     8u
#define MANIFEST_PINNED_MAX   (16ull << 20)
#define MANIFEST_HASH_SIZE    32u
#define MANIFEST_DISK_ID_SIZE 16u

enum manifest_state {
	MANIFEST_SEALED, /* the tree is that of all of the disk */
	MANIFEST_OPEN,	 /* being written, or the end was unclean: but for what is marked dirty */
	MANIFEST_MOVED,	 /* sealed, and another PC owns the disk: only read here */
};

struct manifest {
	enum manifest_state state;
	uint64_t epoch;				/* grows with each manifest of the disk, from 1 */
	uint8_t disk_id[MANIFEST_DISK_ID_SIZE]; /* the same for ever, on all PCs */
	char image[MANIFEST_NAME_MAX];
	uint64_t size;				  /* of the disk, bytes */
	uint8_t uuid[16];			  /* of the image; raw: zeros */
	uint8_t parents[MANIFEST_PARENT_MAX][16]; /* nearest first */
	unsigned parent_count;
	bool encrypted;
	uint64_t pinned_size; /* first bytes of the payload with a hash of their own: the LUKS2
				 header; 0: none */
	uint8_t pinned_hash[MANIFEST_HASH_SIZE];
	unsigned tree_area; /* of hash_tree.h, 0 or 1 */
	uint8_t tree_root[MANIFEST_HASH_SIZE];
	char roles[MANIFEST_ROLE_MAX][32]; /* what the guest is */
	unsigned role_count;
	char owner[128];    /* for people */
	char moved_to[128]; /* for people; "" unless moved */
	int64_t time;	    /* seconds since 1970 */
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_size; /* 0: not signed */
};

/** Writes the file's text, whose first *ret_signed bytes are what the signature covers. The caller
 * frees it. -EINVAL: decode would refuse it; -ENOMEM. */
VHD_MUST_CHECK int manifest_encode(const struct manifest *manifest, char **ret_text,
				   size_t *ret_size, size_t *ret_signed);

/** Reads a file's bytes. *ret_signed as above. -EBADMSG: no manifest in its one form. */
VHD_MUST_CHECK int manifest_decode(const void *untrusted, size_t size,
				   struct manifest *ret_manifest, size_t *ret_signed);

/** Reads the manifest of an image. trusted_key (public PEM text): it must be signed with it; NULL:
 * a signature is not looked at. -ENOENT: there is none; -EBADMSG; -EKEYREJECTED. */
VHD_MUST_CHECK int manifest_read(struct folder *folder, const char *image, const char *trusted_key,
				 struct manifest *ret_manifest, struct why *why);

/** Signs (signer NULL: takes the signature off) and writes it in one step that a power cut does not
 * tear; lasting when 0 is returned. Sets signature and time. */
VHD_MUST_CHECK int manifest_write(struct folder *folder, struct manifest *manifest,
				  struct signer *signer);

/** What is known of the image itself. */
struct manifest_subject {
	const char *image;
	uint64_t size;
	uint8_t uuids[MANIFEST_PARENT_MAX + 1][16]; /* of the chain, top first */
	unsigned uuid_count;			    /* 0: raw */
};

/** 0 when the manifest is that of the image: name, size, and an image in common with the chain (a
 * snapshot or a merge changes the chain and not the disk, the tree sees to the rest).
 * -EKEYREJECTED otherwise. */
VHD_MUST_CHECK int manifest_check_fits(const struct manifest *manifest,
				       const struct manifest_subject *subject, struct why *why);

/** Takes name, size and chain from the image. */
void manifest_set_subject(struct manifest *manifest, const struct manifest_subject *subject);

#endif
