/* SPDX-License-Identifier: Apache-2.0 */
/** The one disk that a run of nbdkit serves: its parameters, and its stack once it is open. */
#ifndef VHD_PLUGIN_DISK_H
#define VHD_PLUGIN_DISK_H

#include "folder.h"
#include "layer.h"

struct plugin_disk {
	char *file;		/* absolute */
	char *secret_file;	/* absolute, or NULL */
	char *trusted_key_file; /* the same */
	char *sign_key_file;	/* the same */
	bool read_only, throw_away, raw, ciphertext, pass_discards;
	int64_t iops, bandwidth; /* 0: no limit */
	struct folder *folder;
	struct layer *top; /* NULL while closed */
};

/** Returns 0 or -errno; `why` says what to do. */
VHD_MUST_CHECK int plugin_disk_open(struct plugin_disk *disk, struct why *why);

/** Flushes and closes; fine when it is not open. Returns the first error. */
VHD_MUST_CHECK int plugin_disk_close(struct plugin_disk *disk);

#endif
