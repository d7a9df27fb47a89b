/* SPDX-License-Identifier: Apache-2.0 */
/** A new key for an image, or a first one: everything is copied into a new image beside it,
 * "NAME.rekey", encrypted with a key of its own, and that takes the old one's name in one step.
 *
 *  Until then the old image stays as it is, so a power cut, a full disk or Ctrl-C at any point
 * costs nothing but time: asked again, the copy goes on. It keeps no record of how far it was: it
 * compares and writes what differs, which is right whatever the cut left. See docs/decisions/013.
 *
 *  The new image has one keyslot, that of the given secret; others are added afterwards. A chain
 * becomes one image, since a parent's data has the old key; its parents stay, with the old key. A
 * manifest beside it has to be made again.
 */
#ifndef VHD_REKEY_H
#define VHD_REKEY_H

#include "folder.h"
#include "luks.h"
#include "progress.h"

#define REKEY_SUFFIX ".rekey"

struct rekey {
	const struct luks_secret *old;	 /* that opens the image; NULL: it is not encrypted yet */
	struct luks_secret fresh;	 /* of slot 0 of the new one, and of the one begun before */
	uint32_t memory_kib, iterations; /* as in luks_format */
	bool fast_for_tests;
	bool start_over;     /* throw away what an earlier run has begun */
	const char *library; /* as in xts_open() */
	const struct progress *progress;
};

/** Makes the image `name` have a new key. Without old secret: encrypts it; the disk in it stays as
 * large as it is, the image grows by LUKS_HEADER_SIZE.
 *  0: done and lasting. -ECANCELED by progress, -ENOSPC, -EIO ...: the image is as it was, and the
 * next call goes on. -EPERM: the old secret opens nothing, or an earlier run was begun with another
 * new one. -EBUSY: other images stand on it. -EREMOTE: it moved to another PC. -EALREADY: no old
 * secret given and the image is encrypted. -EINVAL: an old secret given and it is not. */
VHD_MUST_CHECK int rekey_image(struct folder *folder, const char *name, const struct rekey *rekey,
			       struct why *why);

#endif
