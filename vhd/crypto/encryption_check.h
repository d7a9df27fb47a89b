/* SPDX-License-Identifier: Apache-2.0 */
/** Is what should be encrypted encrypted? Looks at the payload as it lies in the file, without any
 * key: for the LUKS2 header in its place, and in what was ever written behind it for the marks of
 * file systems and for sectors whose bytes are not as evenly spread as those of a cipher.
 *
 *  It finds an image that was never encrypted, or written past the crypt layer. It cannot find
 * compressed plaintext without known marks.
 */
#ifndef VHD_ENCRYPTION_CHECK_H
#define VHD_ENCRYPTION_CHECK_H

#include "layer.h"
#include "progress.h"

struct encryption_report {
	bool has_header;
	uint64_t looked_count;	    /* 4 KiB sectors that hold anything */
	uint64_t plain_count;	    /* of them, that look like plaintext */
	uint64_t first_plain;	    /* offset in the payload, when plain_count > 0 */
	const char *first_plain_is; /* "NTFS", "ext4" ..., "uneven bytes" */
};

/** quick: some hundred sectors spread over the disk, a few milliseconds; else all of it.
 *  0: encrypted, as far as can be seen; -EKEYREJECTED: it is not, `why` says where; -ECANCELED,
 * -errno. The report is filled in the first two cases. */
VHD_MUST_CHECK int encryption_check(struct layer *payload, bool quick,
				    const struct progress *progress,
				    struct encryption_report *ret_report, struct why *why);

/** What 4 KiB of plaintext look like, or NULL for noise. Zeros (by 512 bytes) do not count. */
const char *encryption_check_sector(const uint8_t bytes[4096]);

#endif
