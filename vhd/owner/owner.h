/* SPDX-License-Identifier: Apache-2.0 */
/** Who owns a disk that travels: the file NAME.owner beside the image NAME, JSON, replaced as a
 * whole. A disk that never travelled has none and is owned by whoever holds it.
 *
 *  Single owner: the epoch counts changes of ownership and only ever grows. The disk may be written
 * where the record says "here"; after a move the sender's record says "moved" (the tombstone) with
 * the epoch that the receiver will have. A bundle is taken only when its epoch is above the one
 * recorded for its disk.
 */
#ifndef VHD_OWNER_H
#define VHD_OWNER_H

#include "folder.h"
#include "why.h"

#include <stdbool.h>
#include <stdint.h>

#define OWNER_SUFFIX	".owner"
#define OWNER_NAME_MAX	256u
#define OWNER_HASH_SIZE 32u

enum owner_state {
	OWNER_HERE,    /* may be written */
	OWNER_LEAVING, /* an export is under way, or was cut off: may be written, ends it */
	OWNER_MOVED,   /* tombstone */
};

struct owner {
	enum owner_state state;
	uint8_t disk_id[16];   /* the same on all PCs, random at the first export */
	uint64_t epoch;	       /* of this state; moved: of the receiver */
	uint8_t bundle_id[16]; /* of the last move, out or in */
	uint8_t salt[32];      /* of that bundle, while leaving */
	int64_t time;	       /* seconds since 1970, of the last change */
	char to[128];	       /* moved: where to, for people */
	/* The state that both sides of the last move have: the next one carries only what changed
	 * since. All zero: none. */
	uint8_t common_uuid[16];
	char common_name[OWNER_NAME_MAX]; /* image here that holds it */
	uint8_t before_uuid[16];	  /* moved: what was common before, for undo */
	char before_name[OWNER_NAME_MAX];
	uint8_t receipt_hash[OWNER_HASH_SIZE]; /* moved: SHA-256 of the receipt's secret */
	bool received;			       /* moved: the receipt came */
};

/** Reads the record of an image. -ENOENT: none; -EBADMSG: damaged. */
VHD_MUST_CHECK int owner_read(struct folder *folder, const char *image, struct owner *ret_owner,
			      struct why *why);

/** Writes it whole; lasting when 0 is returned. */
VHD_MUST_CHECK int owner_write(struct folder *folder, const char *image, const struct owner *owner,
			       struct why *why);

/** Writes it to a file of that very name, which counts only when it is renamed to NAME.owner. */
VHD_MUST_CHECK int owner_write_file(struct folder *folder, const char *file,
				    const struct owner *owner, struct why *why);

VHD_MUST_CHECK int owner_remove(struct folder *folder, const char *image);

/** 0 when the image may be written by this PC, also when it has no record; -EREMOTE with a sentence
 * when it moved away. Whoever opens a disk for writing asks first. */
VHD_MUST_CHECK int owner_check_write(struct folder *folder, const char *image, struct why *why);

/** The highest epoch that any record of this folder has for a disk; 0: none. ret_image (may be
 * NULL): its image. */
VHD_MUST_CHECK int owner_find(struct folder *folder, const uint8_t disk_id[16], uint64_t *ret_epoch,
			      char ret_image[OWNER_NAME_MAX]);

/** The image here that holds a state which a move left on both sides. -ENOENT: no record says. */
VHD_MUST_CHECK int owner_find_common(struct folder *folder, const uint8_t uuid[16],
				     char ret_image[OWNER_NAME_MAX]);

#endif
