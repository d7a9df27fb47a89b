/* SPDX-License-Identifier: Apache-2.0 */
/** The binary part of a LUKS2 header copy: where it lies, and whether it is whole.
 *
 *  Source: LUKS2 On-Disk Format Specification, "Binary Header".
 */
#ifndef VHD_LUKS_BINARY_H
#define VHD_LUKS_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUKS_BINARY_SIZE 4096u

struct luks_copy {
	uint32_t offset; /* of this copy */
	uint32_t size;	 /* of this copy, binary part and JSON */
	uint64_t seqid;
	char uuid[40];
	const char *json; /* NUL-terminated, in the caller's bytes */
};

/** True when bytes begin with the magic of LUKS, whatever the version. */
bool luks_binary_magic(const uint8_t *bytes, size_t size);

/** True when a whole copy lies at `offset`; sizes up to `max`. */
bool luks_binary_decode(const uint8_t *bytes, size_t size, uint32_t offset, uint32_t max,
			struct luks_copy *ret_copy);

#endif
