/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, times and identifiers as text. */
#define _GNU_SOURCE

#include "tool_size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* 2000-01-01 00:00 UTC in seconds since 1970. */
#define VHD_EPOCH 946684800ll

static const char units[] = "KMGTPE";

/* The power of 1024 of a suffix, -1: it is none. */
static int power_of(const char *suffix)
{
	const char *unit;

	if (!*suffix || !strcasecmp(suffix, "B")) {
		return 0;
	}
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit || (suffix[1] && strcasecmp(suffix + 1, "B") && strcasecmp(suffix + 1, "iB"))) {
		return -1;
	}
	return (int)(unit - units) + 1;
}

/* Takes one decimal digit after the point into thousandths; more than three are refused. */
static bool parse_fraction(const char **text, uint64_t *ret_thousandths)
{
	unsigned scale = 1000;

	*ret_thousandths = 0;
	if (**text != '.') {
		return true;
	}
	for ((*text)++; isdigit((unsigned char)**text); (*text)++) {
		if (scale == 1) {
			return false;
		}
		scale /= 10;
		*ret_thousandths += (uint64_t)(**text - '0') * scale;
	}
	return scale < 1000;
}

bool tool_size_parse(const char *text, uint64_t *ret_bytes)
{
	uint64_t whole = 0, thousandths, unit;
	int power;

	if (!isdigit((unsigned char)*text)) {
		return false;
	}
	for (; isdigit((unsigned char)*text); text++) {
		if (whole > INT64_MAX / 10 - 1) {
			return false;
		}
		whole = whole * 10 + (uint64_t)(*text - '0');
	}
	if (!parse_fraction(&text, &thousandths)) {
		return false;
	}
	text += *text == ' ';
	power = power_of(text);
	if (power < 0 || (power == 0 && thousandths)) {
		return false;
	}
	unit = 1ull << (10 * power);
	if (whole >= (uint64_t)INT64_MAX / unit) {
		return false;
	}
	*ret_bytes =
		whole * unit + thousandths * (unit / 1000) + thousandths * (unit % 1000) / 1000;
	return true;
}

const char *tool_size_text(char ret_text[TOOL_SIZE_TEXT], uint64_t bytes)
{
	double value = (double)bytes;
	int power = -1;

	while (value >= 1024 && power < 5) {
		value /= 1024;
		power++;
	}
	if (power < 0) {
		snprintf(ret_text, TOOL_SIZE_TEXT, "%" PRIu64 " bytes", bytes);
	} else {
		snprintf(ret_text, TOOL_SIZE_TEXT, value < 100 ? "%.1f %ciB" : "%.0f %ciB", value,
			 units[power]);
	}
	return ret_text;
}

const char *tool_uuid_text(char ret_text[TOOL_UUID_TEXT], const uint8_t uuid[16])
{
	unsigned at = 0;

	for (unsigned i = 0; i < 16; i++) {
		at += (unsigned)snprintf(ret_text + at, TOOL_UUID_TEXT - at, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	}
	return ret_text;
}

bool tool_uuid_parse(const char *text, uint8_t ret_uuid[16])
{
	uint8_t uuid[16] = {0};
	unsigned digits = 0;

	for (; *text; text++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF";
		const char *at = strchr(hex, *text);

		if (*text == '-') {
			continue;
		}
		if (!at || digits == 32) {
			return false;
		}
		uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | ((at - hex) & 15));
		digits++;
	}
	if (digits != 32) {
		return false;
	}
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return true;
}

const char *tool_time_text(char ret_text[TOOL_TIME_TEXT], uint32_t timestamp)
{
	time_t seconds = (time_t)(VHD_EPOCH + timestamp);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret_text, TOOL_TIME_TEXT, "%Y-%m-%d %H:%M UTC", &tm);
	return ret_text;
}

const char *tool_duration_text(char ret_text[TOOL_SIZE_TEXT], uint64_t seconds)
{
	if (seconds < 60) {
		snprintf(ret_text, TOOL_SIZE_TEXT, "%u s", (unsigned)seconds);
	} else if (seconds < 3600) {
		snprintf(ret_text, TOOL_SIZE_TEXT, "%u min %02u s", (unsigned)(seconds / 60),
			 (unsigned)(seconds % 60));
	} else {
		snprintf(ret_text, TOOL_SIZE_TEXT, "%" PRIu64 " h %02u min", seconds / 3600,
			 (unsigned)(seconds / 60 % 60));
	}
	return ret_text;
}
