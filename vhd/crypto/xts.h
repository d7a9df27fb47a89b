/* SPDX-License-Identifier: Apache-2.0 */
/** AES-256-XTS over runs of 4 KiB sectors, by the fastest well-kept library that this CPU offers.
 *
 *  The tweak of a sector is the number of its first 512-byte unit from the start of the encrypted
 * area ("plain64" of dm-crypt), little endian: 8 per 4 KiB sector.
 *
 *  Source: IEEE 1619; LUKS2 On-Disk Format Specification, "Segments".
 */
#ifndef VHD_XTS_H
#define VHD_XTS_H

#include "why.h"

#include <stddef.h>
#include <stdint.h>

#define XTS_KEY_SIZE 64u
#define XTS_SECTOR   4096u

struct xts;

/** One library. */
struct xts_ops {
	const char *name; /* "gcrypt", "openssl" */
	int (*open)(const uint8_t key[XTS_KEY_SIZE], struct xts **ret_xts);
	/** `size` is a multiple of `sector_size` (512 or 4096); `unit` the 512-byte number of the
	 * first. May work in place. */
	int (*encrypt)(struct xts *xts, void *out, const void *in, size_t size,
		       uint32_t sector_size, uint64_t unit);
	int (*decrypt)(struct xts *xts, void *out, const void *in, size_t size,
		       uint32_t sector_size, uint64_t unit);
	void (*close)(struct xts *xts);
};

struct xts {
	const struct xts_ops *ops;
};

/** Takes the library of that name, or the fastest one here by a short trial (about 1 ms, once in a
 * process) when NULL. The key is copied and wiped on close; libgcrypt keeps it in locked memory,
 * OpenSSL cannot. -ENOENT no such library; -EINVAL a key whose halves are equal; -ENOMEM. */
VHD_MUST_CHECK int xts_open(const char *library, const uint8_t key[XTS_KEY_SIZE],
			    struct xts **ret_xts);
void xts_close(struct xts *xts);

#endif
