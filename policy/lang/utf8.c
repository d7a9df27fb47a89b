/* SPDX-License-Identifier: Apache-2.0 */
/* One code point at a time. */
#include "utf8.h"

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *byte = (const uint8_t *)bytes;
	uint32_t code;
	size_t length;

	if (size == 0) {
		return 0;
	}
	code = byte[0];
	length = code < 0x80   ? 1
		 : code < 0xc0 ? 0
		 : code < 0xe0 ? 2
		 : code < 0xf0 ? 3
		 : code < 0xf8 ? 4
			       : 0;
	if (length == 0 || length > size) {
		return 0;
	}
	if (length > 1) {
		code &= 0x7fu >> length;
	}
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
		return 0;
	}
	*ret_code = code;
	return length;
}

bool utf8_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||	 /* controls */
	       code == 0xad || code == 0x34f || code == 0x61c || /* invisible, from here on */
	       code == 0x115f || code == 0x1160 || code == 0x17b4 || code == 0x17b5 ||
	       (code >= 0x180b && code <= 0x180f) || code == 0x3164 || code == 0xffa0 ||
	       (code >= 0x1bca0 && code <= 0x1bca3) || (code >= 0x1d173 && code <= 0x1d17a) ||
	       (code >= 0xe0100 && code <= 0xe01ef) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
	       code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
	       (code >= 0xe0000 && code <= 0xe007f);
}
