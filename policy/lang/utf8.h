/* SPDX-License-Identifier: Apache-2.0 */
/** UTF-8, strictly: shortest forms only, no surrogates, nothing above U+10FFFF. */
#ifndef POLICY_UTF8_H
#define POLICY_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of the code point at `bytes`; 0: there is none, *ret_code untouched. */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code);
/** Control characters (tab and newline too) and characters that hide or turn round other text.
 *  Source: Unicode 15.0, "Bidirectional Format Characters" and general category Cc. */
bool utf8_is_unsafe(uint32_t code);

#endif
