/* SPDX-License-Identifier: Apache-2.0 */
/** The LUKS2 header at the start of a disk's payload: who may open it, and the key of the rest.
 *
 *  Header bytes are hostile. libcryptsetup sees them only in a small process that has no files, no
 * network and few system calls, on a copy in memory, after our own policy has looked at the JSON
 * (one crypt segment, aes-xts-plain64, 64-byte key, sector 512 or 4096, no requirement flags,
 * bounded costs); that process returns a key or a reason.
 *
 *  Source: LUKS2 On-Disk Format Specification, "LUKS2 On-Disk Format" and "LUKS2 JSON Metadata
 * Format".
 */
#ifndef VHD_LUKS_H
#define VHD_LUKS_H

#include "layer.h"
#include "xts.h"

/** Payload bytes that our headers take: one VHD block. */
#define LUKS_HEADER_SIZE (2ull << 20)
#define LUKS_SLOT_MAX	 8u

/** What opens a keyslot. */
struct luks_secret {
	const void *bytes;
	size_t size;
	int slot; /* only this one, or -1 */
};

struct luks_segment {
	uint64_t offset; /* of the encrypted area in the payload, bytes */
	uint64_t size;
	uint32_t sector_size; /* 512 or 4096 */
	uint8_t uuid[37];     /* text, NUL-terminated */
};

/** True when the payload begins with a LUKS2 header (by its magic alone). */
VHD_MUST_CHECK int luks_is_there(struct layer *payload, bool *ret_there);

/** Opens a keyslot. Returns 0, the key (caller wipes it) and the segment; -EPERM no slot opens with
 * this secret; -EBADMSG damaged in both copies; -EOPNOTSUPP against the policy; -errno. */
VHD_MUST_CHECK int luks_unlock(struct layer *payload, const struct luks_secret *secret,
			       uint8_t ret_key[XTS_KEY_SIZE], struct luks_segment *ret_segment,
			       struct why *why);

struct luks_format {
	struct luks_secret secret; /* of slot 0 */
	const char *uuid;	   /* NULL: random */
	uint32_t memory_kib;	   /* Argon2id; 0: 262144, never more than that */
	uint32_t iterations;	   /* 0: benchmarked for about 2 s */
	bool fast_for_tests;	   /* the least cost that libcryptsetup takes */
};

/** Writes a fresh header over the first LUKS_HEADER_SIZE bytes of the payload. What was there is
 * lost. */
VHD_MUST_CHECK int luks_format(struct layer *payload, const struct luks_format *format,
			       struct why *why);

#endif
