/* SPDX-License-Identifier: Apache-2.0 */
/** Which disk bulkhead-blk serves, and how: from its options to an open stack of layers. */
#ifndef BH_DEVICES_BLK_DISK_H
#define BH_DEVICES_BLK_DISK_H

#include "folder.h"
#include "layer.h"
#include "layer_clock.h"
#include "uring.h"

/** Room for a serial number with its NUL. */
#define BLK_DISK_ID_SIZE 21u

struct blk_disk_options {
	const char *path; /* or: */
	int fd;		  /* -1: none */
	int secret_fd;	  /* where the passphrase is read from, to its end; -1: none */
	bool raw;
	bool read_only;
	bool encrypted; /* refuse one that is not */
	bool throw_away;
	bool pass_discards;
	bool stats;
	uint64_t iops, bandwidth;	    /* limits a second; 0: none */
	const char *trusted_key, *sign_key; /* PEM files, or NULL */
};

struct blk_disk {
	struct layer *top;
	char id[BLK_DISK_ID_SIZE]; /* its serial number */
	struct folder *folder;
	int folder_fd;		  /* of a disk that is written beside its manifest; -1: none */
	struct layer_clock clock; /* lets the fiber that waits park */
	struct uring *ring;
};

/** Opens the disk; its files go through `ring`, which outlives it, when that is not NULL. Reads
 * and closes the secret's fd. Returns 0 or -errno; `why` says what to do. */
VHD_MUST_CHECK int blk_disk_open(struct blk_disk *disk, const struct blk_disk_options *options,
				 struct uring *ring, struct why *why);

/** Flushes and closes. Returns the first error: then something that was written may be gone. */
VHD_MUST_CHECK int blk_disk_close(struct blk_disk *disk);

#endif
