/* SPDX-License-Identifier: Apache-2.0 */
/** Bytes to UTF-8 and back. */
#include "text.h"

size_t text_encode(const char *bytes, size_t size, char *utf8)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte < 0x80) {
			utf8[used++] = (char)byte;
		} else {
			utf8[used++] = (char)(0xc0 | byte >> 6);
			utf8[used++] = (char)(0x80 | (byte & 0x3f));
		}
	}
	return used;
}

long text_decode(const char *utf8, size_t size, char *bytes)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char first = (unsigned char)utf8[i];

		if (first < 0x80) {
			bytes[used++] = (char)first;
			continue;
		}
		if ((first != 0xc2 && first != 0xc3) || i + 1 == size ||
		    ((unsigned char)utf8[i + 1] & 0xc0) != 0x80) {
			return -1;
		}
		bytes[used++] = (char)((first & 3) << 6 | ((unsigned char)utf8[++i] & 0x3f));
	}
	return (long)used;
}
