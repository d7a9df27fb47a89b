/* SPDX-License-Identifier: Apache-2.0 */
/* Untrusted text: only what is valid UTF-8 and visible gets through. */
#define _GNU_SOURCE

#include "tool_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the UTF-8 character at `at` and its code point; 0: it is none. */
static unsigned decode(const unsigned char *at, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned count = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	uint32_t point = count == 1 ? *at : *at & (0x7fu >> count);

	if (count == 0 || *at >= 0xf8) {
		return 0;
	}
	for (unsigned i = 1; i < count; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (at[i] & 0x3fu);
	}
	if (point < least[count] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
		return 0;
	}
	*ret_point = point;
	return count;
}

/* Control characters, and those that reorder what stands beside them. */
static bool is_visible(uint32_t point)
{
	return point >= 0x20 && (point < 0x7f || point >= 0xa0) &&
	       !(point >= 0x200b && point <= 0x200f) && !(point >= 0x2028 && point <= 0x202e) &&
	       !(point >= 0x2066 && point <= 0x2069) && point != 0xfeff;
}

const char *tool_text_clean(char *ret_text, size_t size, const char *untrusted)
{
	const unsigned char *at = (const unsigned char *)untrusted;
	size_t used = 0;

	while (*at) {
		uint32_t point = 0;
		unsigned count = decode(at, &point);
		bool good = count && is_visible(point);

		if (used + (good ? count : 1) >= size) {
			break;
		}
		if (good) {
			memcpy(ret_text + used, at, count);
			used += count;
		} else {
			ret_text[used++] = '?';
		}
		at += count ? count : 1;
	}
	ret_text[used] = '\0';
	return ret_text;
}
