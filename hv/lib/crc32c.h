/* SPDX-License-Identifier: Apache-2.0 */
/** CRC-32C (Castagnoli) as in RFC 3720, appendix B.4. */
#ifndef BH_LIB_CRC32C_H
#define BH_LIB_CRC32C_H

#include "lib/types.h"

/** Continues a checksum: seed 0 for the first piece, then the value returned for the previous one.
 */
uint32_t crc32c(uint32_t seed, const void *data, size_t size);

/** The same without the CRC32 instruction. */
uint32_t crc32c_portable(uint32_t seed, const void *data, size_t size);

#endif
