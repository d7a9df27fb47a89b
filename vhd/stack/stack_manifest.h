/* SPDX-License-Identifier: Apache-2.0 */
/** The manifest of a disk in its stack: obeyed when the disk is opened, made and checked by people
 * through the tool. docs/SPEC-manifest.md says what it protects.
 */
#ifndef VHD_STACK_MANIFEST_H
#define VHD_STACK_MANIFEST_H

#include "layer_verify.h"
#include "manifest_seal.h"
#include "stack.h"

/** What a manifest is compared with: `bottom` is the image's own layer. */
void stack_get_subject(const struct layer *bottom, const char *name,
		       struct manifest_subject *ret_subject);

/** Puts the verify layer on the image, when it has a manifest, which must fit: see stack_open().
 * write: the image was opened for writing. */
VHD_MUST_CHECK int stack_add_verify(struct folder *folder, const char *name,
				    const struct stack_options *options, bool write,
				    struct layer **top, struct why *why);

struct stack_seal_options {
	bool raw;		  /* as in stack_options */
	const char *sign_key;	  /* private key (PEM text); NULL: the manifest is not signed */
	struct folder *seen;	  /* as in stack_options */
	const char *const *roles; /* NULL-terminated; NULL: as they are */
	const char *owner;	  /* NULL: as it is */
	const struct progress *progress;
};

/** Makes the manifest of a disk, which trusts it from now on as it is now; see manifest_seal(). For
 * a new disk, and after what changes a disk past its manifest: revert, resize, repair, rekey.
 * Nobody may have the disk open for writing (-EAGAIN). */
VHD_MUST_CHECK int stack_seal(struct folder *folder, const char *name,
			      const struct stack_seal_options *options,
			      struct manifest *ret_manifest, struct why *why);

struct stack_verify_report {
	struct manifest manifest;
	struct layer_verify_status status; /* its manifest is not set */
};

/** Checks all of a disk against its manifest, without any secret. `each_bad` (may be NULL) hears
 * the offset of each bad chunk. 0; -EBADMSG some are bad; -ENOENT no manifest; else as
 * stack_open(). Of options, raw, trusted_key, sign_key and seen count. */
VHD_MUST_CHECK int stack_verify(struct folder *folder, const char *name,
				const struct stack_options *options,
				const struct progress *progress,
				void (*each_bad)(void *context, uint64_t offset), void *context,
				struct stack_verify_report *ret_report, struct why *why);

#endif
