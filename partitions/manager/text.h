/* SPDX-License-Identifier: Apache-2.0 */
/** Bytes of guests in JSON strings: byte b is code point U+00b, so nothing is lost and any bytes
 * are valid. */
#ifndef MANAGER_TEXT_H
#define MANAGER_TEXT_H

#include <stddef.h>

/** Writes at most 2 * size bytes of UTF-8 and returns how many. */
size_t text_encode(const char *bytes, size_t size, char *utf8);
/** The way back: returns the number of bytes (at most size), -1 if a code point is above U+00ff or
 * the UTF-8 is malformed. */
long text_decode(const char *utf8, size_t size, char *bytes);

#endif
