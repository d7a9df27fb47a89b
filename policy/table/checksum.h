/* SPDX-License-Identifier: Apache-2.0 */
/** CRC-32C as the table and the boot modules carry it. */
#ifndef POLICY_TABLE_CHECKSUM_H
#define POLICY_TABLE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** CRC-32C (RFC 3720, appendix B.4) of `size` bytes, continued from `crc`; start with 0. */
uint32_t checksum_crc32c(uint32_t crc, const void *data, size_t size);

#endif
