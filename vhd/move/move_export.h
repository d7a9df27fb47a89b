/* SPDX-License-Identifier: Apache-2.0 */
/** Writes a disk, or what changed in it since a state that both PCs have, as a bundle.
 *
 *  A *move* hands the disk over: before the bundle becomes whole, the source is marked "moved"
 * (vhd/manifest/owner.h) and refuses to be written from then on. A *copy* leaves it alone.
 *
 *  To a folder, the bundle is NAME.bundle.part until it is whole and flushed; a stick pulled early
 * holds no .bundle, and the next export to it goes on at the last whole frame. To a pipe, the tail
 * is what makes it whole.
 *
 *  Context: the source is locked for the time of the call. Ctrl-C is progress->step() != 0.
 */
#ifndef VHD_MOVE_EXPORT_H
#define VHD_MOVE_EXPORT_H

#include "bundle.h"
#include "cpu_baseline.h"
#include "folder.h"
#include "luks.h"
#include "progress.h"

struct move_export_options {
	const struct luks_secret *secret; /* of the disk; of the bundle when the disk is plain */
	const char *base; /* image in the same folder that the target has too; NULL: what the
			     last move left on both sides, else the lowest image of the chain */
	bool full;	  /* everything: the target has nothing */
	bool copy;	  /* not a move */
	const char *from; /* who sends, for people; NULL: none */
	const char *to;	  /* where it goes, for people: "moved to ..."; NULL: "another PC" */
	const char *const *roles;	/* NULL-terminated, NULL: "desktop" */
	const struct cpu_baseline *cpu; /* what the guest needs; NULL: this CPU's level only */
	uint64_t ram;			/* bytes, 0: not said */
	const char *firmware;		/* NULL: "bios" */
	const char *config;   /* the partition's configuration, carried sealed; NULL: none */
	const char *sign_key; /* PEM text of the signing key (ECDSA P-256); NULL: unsigned */
	int level;	      /* of zstd; 0: the default */
	bool fast_for_tests;  /* the least cost for a passphrase of the bundle */
	uint64_t have_frames; /* pipe only: frames of bundle `have_id` that the receiver has ... */
	uint8_t have_id[BUNDLE_ID_SIZE];
	uint8_t have_chain[BUNDLE_HASH_SIZE]; /* ... as move_import_have() told there */
	const struct progress *progress;
};

struct move_export_report {
	uint8_t bundle_id[BUNDLE_ID_SIZE];
	uint64_t epoch;
	uint64_t changed;	      /* bytes of sectors that differ */
	uint64_t written;	      /* bytes of the bundle written by this call */
	uint64_t size;		      /* bytes of the whole bundle */
	uint64_t frames, frames_kept; /* of an earlier attempt */
	char file[256];		      /* its name in the folder, "" for a pipe */
};

/** To folder `to` as NAME.bundle, NAME being `name` without ".vhd". Returns 0; -ENOKEY no secret
 * was given; -EPERM it opens nothing; -EREMOTE the disk has moved away already; -ENOSPC with the
 * bytes that are missing; -ENOENT no such base; -ECANCELED; and as vhd_disk_open(). */
VHD_MUST_CHECK int move_export(struct folder *folder, const char *name,
			       const struct move_export_options *options, struct folder *to,
			       struct move_export_report *ret_report, struct why *why);

/** To a pipe. */
VHD_MUST_CHECK int move_export_stream(struct folder *folder, const char *name,
				      const struct move_export_options *options,
				      struct bundle_out *out, struct move_export_report *ret_report,
				      struct why *why);

/** Takes back a move that nobody received: the disk may be written again, and what was exported is
 * refused by every PC that sees the disk again. `at` (may be NULL) is the stick: a bundle of this
 * move there is removed. -EALREADY: a receipt has come; -ENOENT: it has not moved. */
VHD_MUST_CHECK int move_undo(struct folder *folder, const char *name, struct folder *at,
			     struct why *why);

/** Takes the receipt (the text that move_import() gave) of a move of `name`: from now on the
 * disk's image here is only the base of its return, and may be removed. -EBADMSG: no receipt of
 * this move. */
VHD_MUST_CHECK int move_take_receipt(struct folder *folder, const char *name, const char *receipt,
				     struct why *why);

#endif
