/* SPDX-License-Identifier: Apache-2.0 */
/** Making a manifest for a disk as it is now, and changing what it says of the owner. */
#ifndef VHD_MANIFEST_SEAL_H
#define VHD_MANIFEST_SEAL_H

#include "layer.h"
#include "manifest.h"
#include "progress.h"

struct manifest_seal {
	const struct manifest_subject *subject;
	bool encrypted;
	uint64_t pinned_size;	  /* of the LUKS2 header area; 0: none */
	const char *sign_key;	  /* private key (PEM text); NULL: not signed */
	struct folder *seen;	  /* of manifest_seen.h; NULL: none */
	const char *const *roles; /* NULL-terminated; NULL: those of the manifest that is there */
	const char *owner;	  /* NULL: as it is */
	const struct progress *progress;
};

/** Hashes the whole disk (what takes no space costs nothing) and writes tree and manifest, which
 * trust the disk from now on as it is. From a manifest that is there, and signed with the same key
 * when there is one, it keeps disk id, roles and owner, and goes on with its epoch. The disk must
 * not be written meanwhile. -ECANCELED, -EFBIG, -EINVAL: bad texts; -errno: what was there counts,
 * or, when the power fails at the very end, the disk has to be sealed again. */
VHD_MUST_CHECK int manifest_seal(struct folder *folder, struct layer *payload,
				 const struct manifest_seal *options, struct manifest *ret_manifest,
				 struct why *why);

/** Marks a sealed disk as moved: it can only be read here from now on ("" : takes that back). A
 * signed manifest needs its key. Each is a new epoch. -EBUSY: it is not sealed; -EKEYREJECTED. */
VHD_MUST_CHECK int manifest_set_moved(struct folder *folder, const char *image, const char *to,
				      const char *sign_key, struct folder *seen, struct why *why);

/** Removes manifest and tree. No manifest: 0. */
VHD_MUST_CHECK int manifest_remove(struct folder *folder, const char *image);

#endif
