/* SPDX-License-Identifier: Apache-2.0 */
/** Names of parents: UTF-16 in the image, UTF-8 here. */
#ifndef VHD_TEXT_H
#define VHD_TEXT_H

#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A name of 255 UTF-16 units in UTF-8, with its NUL. */
#define VHD_NAME_SIZE 768u

/** Decodes untrusted UTF-16 of `size` bytes, up to a NUL unit. Returns 0, -EILSEQ (no UTF-16),
 * -ENAMETOOLONG. */
VHD_MUST_CHECK int vhd_text_from_utf16(const uint8_t *untrusted, size_t size, bool big_endian,
				       char ret_text[VHD_NAME_SIZE]);

/** Writes at most `max` bytes of UTF-16, without a NUL. Returns the number of bytes, -EILSEQ,
 * -ENAMETOOLONG. */
VHD_MUST_CHECK int vhd_text_to_utf16(const char *text, bool big_endian, uint8_t *ret_bytes,
				     size_t max);

/** The last part of a path with '\\' or '/' between its parts. */
const char *vhd_text_base_name(const char *path);

#endif
