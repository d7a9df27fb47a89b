/* SPDX-License-Identifier: Apache-2.0 */
/** The "verify" layer: what is read was there when the manifest was sealed, or was written since.
 *
 *  Each chunk of 64 KiB is checked against the hash tree when it is first read, or written in part,
 * after opening; a chunk that is not what it must be gives -EBADMSG and never a byte. Written
 * chunks are remembered, and in the dirty map (dirty_map.h) before the write. layer_close() hashes
 * them and seals the manifest; after an unclean end, what the dirty map names is believed as it is.
 *
 *  Flushes of its own: one before the first write to each 8 MiB of the disk (one for all that are
 * waiting), and four when sealing.
 */
#ifndef VHD_LAYER_VERIFY_H
#define VHD_LAYER_VERIFY_H

#include "layer.h"
#include "manifest.h"
#include "progress.h"

struct layer_verify_options {
	struct folder *folder;		 /* of the image, manifest and tree; outlives the layer */
	const struct manifest *manifest; /* read and accepted */
	const struct manifest_subject *subject;
	const char *sign_key; /* private key (PEM text); NULL: what is written is not signed */
	struct folder *seen;  /* of manifest_seen.h, or NULL; outlives the layer */
	bool write;	      /* layer_verify_begin() will follow */
};

/** Owns `below` from now on when 0 is returned. Changes nothing. -EKEYREJECTED: the pinned header
 * was changed, or writing or an unclean end needs the signing key; -EBADMSG: the tree is damaged;
 * -errno. */
VHD_MUST_CHECK int layer_verify_open(struct layer *below,
				     const struct layer_verify_options *options,
				     struct layer **ret_layer, struct why *why);

/** Lets a disk be written that was opened for it: the manifest becomes "open", and is sealed on
 * close. For a disk that is only read: 0. */
VHD_MUST_CHECK int layer_verify_begin(struct layer *verify, struct why *why);

/** Seals what was written so far and goes on: for a checkpoint. Writes wait meanwhile. -EBUSY: not
 * on a fiber, and requests are in flight. */
VHD_MUST_CHECK int layer_verify_checkpoint(struct layer *verify);

struct layer_verify_status {
	uint64_t chunk_count;
	uint64_t checked_count;		 /* found right, or written, since opening */
	uint64_t believed_count;	 /* not checked: named dirty after an unclean end */
	uint64_t bad_count;		 /* requests that met a bad chunk */
	uint64_t bad_offset;		 /* of the first of them, bytes */
	const struct manifest *manifest; /* in force; valid until the next request */
};

void layer_verify_get_status(const struct layer *verify, struct layer_verify_status *ret_status);

/** Reads every chunk that was not checked yet. Returns 0; -EBADMSG when any was bad, all the others
 * having been read too: `each_bad` (may be NULL) hears of each; -ECANCELED; -errno. */
VHD_MUST_CHECK int layer_verify_all(struct layer *verify, const struct progress *progress,
				    void (*each_bad)(void *context, uint64_t offset),
				    void *context);

#endif
