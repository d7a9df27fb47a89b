/* SPDX-License-Identifier: Apache-2.0 */
/* LUKS2 headers with right checksums around any JSON. */
#ifndef TEST_LUKS_HEADER_H
#define TEST_LUKS_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define LUKS_HEADER_COPY 16384u

/* JSON as stock cryptsetup makes it for our shape, with one keyslot. */
extern const char luks_header_json[];

/* Writes one copy of LUKS_HEADER_COPY bytes for `offset` (0: the first); JSON that is too long is
 * cut. */
void luks_header_make(uint8_t *ret_copy, uint32_t offset, uint64_t seqid, const char *json,
		      size_t json_size);

#endif
