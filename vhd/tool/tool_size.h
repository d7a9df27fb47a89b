/* SPDX-License-Identifier: Apache-2.0 */
/** Sizes, times and identifiers as people write and read them. */
#ifndef VHD_TOOL_SIZE_H
#define VHD_TOOL_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes from "20G", "512M", "1.5T", "4096", "64KiB": binary multiples, with or without "iB" or
 * "B". False: not a size, or past 2^63. */
bool tool_size_parse(const char *text, uint64_t *ret_bytes);

#define TOOL_SIZE_TEXT 32u
/** "20.0 GiB", "512 bytes". Returns `ret_text`. */
const char *tool_size_text(char ret_text[TOOL_SIZE_TEXT], uint64_t bytes);

#define TOOL_UUID_TEXT 37u
const char *tool_uuid_text(char ret_text[TOOL_UUID_TEXT], const uint8_t uuid[16]);
/** Takes dashes or none. */
bool tool_uuid_parse(const char *text, uint8_t ret_uuid[16]);

#define TOOL_TIME_TEXT 32u
/** From seconds since 2000-01-01 00:00 UTC to "2026-11-21 20:43 UTC". */
const char *tool_time_text(char ret_text[TOOL_TIME_TEXT], uint32_t timestamp);

/** From "5 s" to "3 h 07 min". */
const char *tool_duration_text(char ret_text[TOOL_SIZE_TEXT], uint64_t seconds);

#endif
