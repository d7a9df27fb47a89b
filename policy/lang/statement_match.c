/* SPDX-License-Identifier: Apache-2.0 */
/* What a role and a zone are made of: devices by class or number, addresses by prefix. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_value.h"
#include "statement.h"

#define NO_DEVICE 0xffffu
#define V4_BITS	  96u /* before an IPv4 address in its 16 bytes */

static const char match_hint[] = "write a class of 2, 4 or 6 hexadecimal digits, as in 0200, or "
				 "VENDOR:PRODUCT, as in 8086:1533";

/** CLASS or VENDOR:PRODUCT. */
static bool read_number(struct line *line, struct text_match *match)
{
	const struct line_token *token = line_peek(line);
	const char *colon = memchr(token->text, ':', token->size);
	uint32_t shift;

	if (token->type != LINE_WORD) {
		return line_expected(line, "a class or a device number", match_hint);
	}
	if (colon != NULL) {
		if (token->size != 9 || colon != token->text + 4 ||
		    !line_hex(token->text, 4, &match->vendor) ||
		    !line_hex(colon + 1, 4, &match->product)) {
			return line_expected(line, "VENDOR:PRODUCT", match_hint);
		}
		/* In the table of root mode this is the number that any device has. */
		if (match->vendor == NO_DEVICE || match->product == NO_DEVICE) {
			return line_error(line, token, "write the number that the device shows",
					  "no device has the number ffff");
		}
		line_take(line);
		return true;
	}
	if ((token->size != 2 && token->size != 4 && token->size != 6) ||
	    !line_hex(token->text, token->size, &match->class_code)) {
		return line_expected(line, "a class", match_hint);
	}
	shift = (6 - token->size) * 4;
	match->class_code <<= shift;
	match->class_mask = 0xffffff & ~((1u << shift) - 1);
	match->vendor = match->product = UINT32_MAX;
	line_take(line);
	return true;
}

static bool read_match(struct line *line, struct text_match *ret_match)
{
	static const struct text_match matches[] = {
		{.bus = TEXT_BUS_PCI},
		{.bus = TEXT_BUS_USB},
		{.bus = TEXT_BUS_INPUT, .what = TEXT_DEVICE_KEYBOARD},
		{.bus = TEXT_BUS_INPUT, .what = TEXT_DEVICE_POINTER},
		{.bus = TEXT_BUS_OUTPUT, .what = 1},
		{.bus = TEXT_BUS_OUTPUT, .what = 2},
	};
	uint64_t number;

	if (!line_choice(line, &words_bus, &number)) {
		return false;
	}
	*ret_match = matches[number];
	if (ret_match->bus == TEXT_BUS_INPUT || ret_match->bus == TEXT_BUS_OUTPUT) {
		ret_match->vendor = ret_match->product = UINT32_MAX;
		return true;
	}
	return read_number(line, ret_match);
}

bool statement_read_role(struct line *line, struct text_statement *statement)
{
	struct text_match match[LINE_LIST_MAX];
	struct text_role *role = &statement->role;
	uint32_t count = 0;

	line_take(line);
	statement->type = TEXT_ROLE;
	if (!line_new_name(line, "a name for the role", &statement->name) ||
	    !line_expect_mark(line, LINE_EQUALS)) {
		return false;
	}
	do {
		const struct line_token *token = line_peek(line);

		if (count == LINE_LIST_MAX) {
			return line_error(line, token, "use a class instead of single devices",
					  "a role has at most %u devices", LINE_LIST_MAX);
		}
		if (!read_match(line, &match[count])) {
			return false;
		}
		for (uint32_t i = 0; i < count; i++) {
			if (memcmp(&match[i], &match[count], sizeof(match[i])) == 0) {
				return line_error(line, token, "remove one of the two",
						  "the device is in the list twice");
			}
		}
		count++;
	} while (line_accept_mark(line, LINE_COMMA));
	role->match = malloc(count * sizeof(*match));
	if (role->match == NULL) {
		return line_error(line, line_peek(line), NULL, "no memory");
	}
	memcpy(role->match, match, count * sizeof(*match));
	role->match_count = count;
	memcpy(role->name, statement->name.name, sizeof(role->name));
	return true;
}

static bool decode_address(const char *text, struct text_prefix *prefix)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET, text, prefix->address + 12) == 1) {
		memcpy(prefix->address, mapped, sizeof(mapped));
		prefix->v4 = true;
		return true;
	}
	prefix->v4 = false;
	return inet_pton(AF_INET6, text, prefix->address) == 1;
}

/** The address with the bits behind its length cleared. */
static void print_prefix(const struct text_prefix *prefix, char *text, size_t room)
{
	uint8_t address[16];
	char shown[INET6_ADDRSTRLEN];

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t bits = prefix->length > i * 8 ? prefix->length - i * 8 : 0;

		address[i] = prefix->address[i] & (uint8_t)(bits >= 8 ? 0xff : 0xff00 >> bits);
	}
	inet_ntop(prefix->v4 ? AF_INET : AF_INET6, prefix->v4 ? address + 12 : address, shown,
		  sizeof(shown));
	snprintf(text, room, "write %s/%u", shown, prefix->length - (prefix->v4 ? V4_BITS : 0));
}

static bool check_bits(struct line *line, const struct line_token *token,
		       const struct text_prefix *prefix)
{
	char hint[80];

	if (!prefix->v4 && prefix->length >= V4_BITS &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)prefix->address)) {
		return line_error(line, token, "write it as a.b.c.d/length",
				  "the prefix is one of IPv4 in the clothes of IPv6");
	}
	for (uint32_t bit = prefix->length; bit < 128; bit++) {
		if ((prefix->address[bit / 8] & 0x80u >> bit % 8) != 0) {
			print_prefix(prefix, hint, sizeof(hint));
			return line_error(line, token, hint,
					  "the address has bits behind the length of the prefix");
		}
	}
	return true;
}

static bool read_prefix(struct line *line, struct text_prefix *ret_prefix)
{
	static const char hint[] = "write ADDRESS/LENGTH, as in 192.168.0.0/16 or fe80::/10";
	const struct line_token *token = line_peek(line);
	struct text_prefix prefix = {.pos = line_pos(line, token)};
	const char *slash = memchr(token->text, '/', token->size);
	char text[INET6_ADDRSTRLEN] = "";
	uint64_t length, most;

	if (token->type != LINE_WORD) {
		return line_expected(line, "a prefix", hint);
	}
	if (slash == NULL) {
		return line_expected(line, "a prefix with its length", hint);
	}
	if ((size_t)(slash - token->text) < sizeof(text)) {
		memcpy(text, token->text, (size_t)(slash - token->text));
	}
	if (!decode_address(text, &prefix)) {
		return line_error(line, token, hint, "'%.*s' is no address",
				  (int)(slash - token->text < 60 ? slash - token->text : 60),
				  token->text);
	}
	most = prefix.v4 ? 32 : 128;
	if (!line_decimal(slash + 1, token->size - (size_t)(slash - token->text) - 1, &length) ||
	    length > most) {
		return line_error(line, token, prefix.v4 ? "from 0 to 32" : "from 0 to 128",
				  "the length of the prefix is wrong");
	}
	prefix.length = (uint8_t)(length + (prefix.v4 ? V4_BITS : 0));
	if (!check_bits(line, token, &prefix)) {
		return false;
	}
	line_take(line);
	*ret_prefix = prefix;
	return true;
}

static bool same_prefix(const struct text_prefix *a, const struct text_prefix *b)
{
	return a->length == b->length && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

bool statement_read_zone(struct line *line, struct text_statement *statement)
{
	struct text_prefix prefix[LINE_LIST_MAX];
	struct text_zone *zone = &statement->zone;
	uint32_t count = 0;

	line_take(line);
	statement->type = TEXT_ZONE;
	if (!line_new_name(line, "a name for the zone", &statement->name) ||
	    !line_expect_mark(line, LINE_EQUALS)) {
		return false;
	}
	do {
		const struct line_token *token = line_peek(line);

		if (count == LINE_LIST_MAX) {
			return line_error(line, token, "use shorter prefixes",
					  "a zone has at most %u prefixes", LINE_LIST_MAX);
		}
		if (!read_prefix(line, &prefix[count])) {
			return false;
		}
		for (uint32_t i = 0; i < count; i++) {
			if (same_prefix(&prefix[i], &prefix[count])) {
				return line_error(line, token, "remove one of the two",
						  "the prefix is in the list twice");
			}
		}
		count++;
	} while (line_accept_mark(line, LINE_COMMA));
	zone->prefix = malloc(count * sizeof(*prefix));
	if (zone->prefix == NULL) {
		return line_error(line, line_peek(line), NULL, "no memory");
	}
	memcpy(zone->prefix, prefix, count * sizeof(*prefix));
	zone->prefix_count = count;
	zone->trusted = line_accept(line, "trusted");
	memcpy(zone->name, statement->name.name, sizeof(zone->name));
	return true;
}
