/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way between UTF-16 and UTF-8. Both directions refuse what is not well formed, so that a
 * name has one spelling only. */
#define _GNU_SOURCE

#include "vhd_text.h"

#include <errno.h>
#include <string.h>

static uint32_t unit_at(const uint8_t *from, bool big_endian)
{
	return big_endian ? (uint32_t)from[0] << 8 | from[1] : (uint32_t)from[1] << 8 | from[0];
}

/* Bytes of UTF-8 written, for a code point that is no surrogate. */
static unsigned put_utf8(uint32_t code, uint8_t bytes[4])
{
	static const uint8_t first[5] = {0, 0, 0xc0, 0xe0, 0xf0};
	unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (unsigned i = count - 1; i > 0; i--) {
		bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	bytes[0] = (uint8_t)(first[count] | code);
	return count;
}

int vhd_text_from_utf16(const uint8_t *untrusted, size_t size, bool big_endian,
			char ret_text[VHD_NAME_SIZE])
{
	uint8_t text[VHD_NAME_SIZE];
	size_t used = 0;

	for (size_t i = 0; i + 2 <= size; i += 2) {
		uint32_t code = unit_at(untrusted + i, big_endian);

		if (!code) {
			break;
		}
		if (code >= 0xd800 && code < 0xdc00 && i + 4 <= size) {
			uint32_t low = unit_at(untrusted + i + 2, big_endian);

			if (low < 0xdc00 || low >= 0xe000) {
				return -EILSEQ;
			}
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		} else if (code >= 0xd800 && code < 0xe000) {
			return -EILSEQ;
		}
		if (used + 4 >= sizeof(text)) {
			return -ENAMETOOLONG;
		}
		used += put_utf8(code, text + used);
	}
	memcpy(ret_text, text, used);
	ret_text[used] = 0;
	return 0;
}

/* Reads one code point; returns its bytes or 0. */
static unsigned get_utf8(const uint8_t *from, uint32_t *ret_code)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned count = from[0] < 0x80 ? 1 : from[0] < 0xe0 ? 2 : from[0] < 0xf0 ? 3 : 4;
	uint32_t code = count == 1 ? from[0] : from[0] & (0x7fu >> count);

	if ((from[0] >= 0x80 && from[0] < 0xc0) || from[0] >= 0xf8) {
		return 0;
	}
	for (unsigned i = 1; i < count; i++) {
		if ((from[i] & 0xc0) != 0x80) {
			return 0;
		}
		code = code << 6 | (from[i] & 0x3f);
	}
	*ret_code = code;
	return code < least[count] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0
											   : count;
}

static void put_unit(uint8_t *to, uint32_t unit, bool big_endian)
{
	to[big_endian ? 0 : 1] = (uint8_t)(unit >> 8);
	to[big_endian ? 1 : 0] = (uint8_t)unit;
}

int vhd_text_to_utf16(const char *text, bool big_endian, uint8_t *ret_bytes, size_t max)
{
	const uint8_t *from = (const uint8_t *)text;
	size_t used = 0;

	while (*from) {
		uint32_t code = 0;
		unsigned count = get_utf8(from, &code);
		size_t need = code >= 0x10000 ? 4 : 2;

		if (!count) {
			return -EILSEQ;
		}
		if (used + need > max) {
			return -ENAMETOOLONG;
		}
		if (need == 4) {
			code -= 0x10000;
			put_unit(ret_bytes + used, 0xd800 + (code >> 10), big_endian);
			put_unit(ret_bytes + used + 2, 0xdc00 + (code & 0x3ff), big_endian);
		} else {
			put_unit(ret_bytes + used, code, big_endian);
		}
		used += need;
		from += count;
	}
	return (int)used;
}

const char *vhd_text_base_name(const char *path)
{
	const char *base = path;

	for (; *path; path++) {
		base = *path == '\\' || *path == '/' ? path + 1 : base;
	}
	return base;
}
