/* SPDX-License-Identifier: Apache-2.0 */
/** From a file name to the disk that a user sees: image, verify, crypt, cow, throttle, stats, in
 * this order from below. Every program that opens a disk does it here.
 *
 *  The format is never guessed: it is VHD unless `raw` is asked for, so a guest cannot forge a
 * header that changes what its disk is. Everything that needs more than reading and writing open
 * files (unlocking, the manifest) happens in stack_open(), before a server confines itself.
 */
#ifndef VHD_STACK_H
#define VHD_STACK_H

#include "folder.h"
#include "layer.h"
#include "layer_throttle.h"
#include "luks.h"

struct stack_options {
	bool write; /* the disk is read-only all the same when its file is: see layer->read_only */
	bool raw;   /* no VHD: the file's bytes are the disk */
	bool throw_away; /* writes go to memory and are gone at the end, the image is only read */
	bool ciphertext; /* do not decrypt, even when there is a LUKS2 header */
	bool pass_discards; /* through the crypt layer */
	bool stats;
	bool ignore_manifest; /* else NAME.manifest beside the image is obeyed when it is there */
	const char *library;  /* of xts.h, NULL: the fastest */
	const char *trusted_key; /* public key (PEM text) that the manifest must be signed with, and
				    then it must be there; NULL: only its hashes count */
	const char *sign_key;	 /* private key (PEM text) that signs the manifest when the disk was
				    written; needed to write a disk whose manifest is signed */
	struct folder *seen;	 /* where the highest epochs seen are kept, a place that the images'
				    folder does not share; NULL: not checked */
	const struct luks_secret *secret;	    /* NULL and encrypted: -ENOKEY */
	const struct layer_throttle_limits *limits; /* NULL: none */
	uint64_t throw_away_bound;		    /* bytes of memory; 0: no bound */
};

/** Opens the stack. First what a power cut left in the folder is put in order (vhd_journal.h).
 * Returns as vhd_disk_open() and luks_unlock(); -ENOKEY it is encrypted and no secret was given;
 * -EKEYREJECTED the manifest says encrypted and the disk is not, or the manifest is not signed by
 * trusted_key, or does not fit the image; -ESTALE its epoch is below one seen; -EREMOTE writing,
 * and the disk has moved to another PC. `folder` and `seen` stay the caller's and outlive the
 * stack. layer_close() of what is returned also seals the manifest when the disk was written. */
VHD_MUST_CHECK int stack_open(struct folder *folder, const char *name,
			      const struct stack_options *options, struct layer **ret_top,
			      struct why *why);

#endif
