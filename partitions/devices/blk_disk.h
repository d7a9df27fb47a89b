/* SPDX-License-Identifier: Apache-2.0 */
/** Which disk bulkhead-blk serves, and how: from its options to an open stack of layers. */
#ifndef BH_DEVICES_BLK_DISK_H
#define BH_DEVICES_BLK_DISK_H

#include "layer.h"
#include "uring.h"

struct blk_disk_options {
	const char *path; /* or: */
	int fd;		  /* -1: none */
	int secret_fd;	  /* where the passphrase is read from, to its end; -1: none */
	bool raw;
	bool read_only;
	bool throw_away;
	bool stats;
	bool pass_discards;
	uint64_t iops, bandwidth; /* limits a second; 0: none */
	const char *trusted_key;
};

/** Opens the disk; its files go through `ring` when that is not NULL. ret_id gets its serial
 * number, at least 21 bytes of room. Returns 0 or -errno; `why` names the disk and says what to do.
 */
VHD_MUST_CHECK int blk_disk_open(const struct blk_disk_options *options, struct uring *ring,
				 struct layer **ret_disk, char *ret_id, struct why *why);

#endif
