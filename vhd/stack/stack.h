/* SPDX-License-Identifier: Apache-2.0 */
/** From a file name to the disk that a user sees: image, verify, crypt, cow, throttle, stats, in
 * this order from below. Every program that opens a disk does it here.
 */
#ifndef VHD_STACK_H
#define VHD_STACK_H

#include "folder.h"
#include "layer.h"
#include "layer_throttle.h"
#include "luks.h"

struct stack_options {
	bool write;
	bool raw;	    /* no VHD: the file's bytes are the disk */
	bool throw_away;    /* writes go to memory and are gone at the end */
	bool ciphertext;    /* do not decrypt, even when there is a LUKS2 header */
	bool pass_discards; /* through the crypt layer */
	bool stats;
	bool ignore_manifest; /* else NAME.manifest beside the image is obeyed when it is there */
	const char *library;  /* of xts.h, NULL: the fastest */
	const char *trusted_key; /* public key (PEM file) that the manifest must be signed with;
				    NULL: only its hashes count */
	const struct luks_secret *secret; /* NULL and encrypted: -ENOKEY */
	const struct layer_throttle_limits *limits;
};

/** Opens the stack. Returns as vhd_disk_open() and luks_unlock(); -ENOKEY it is encrypted and no
 * secret was given; -EKEYREJECTED the manifest says encrypted and the disk is not, or the manifest
 * is not signed by trusted_key, or does not fit the image. */
VHD_MUST_CHECK int stack_open(struct folder *folder, const char *name,
			      const struct stack_options *options, struct layer **ret_top,
			      struct why *why);

#endif
