/* SPDX-License-Identifier: Apache-2.0 */
/* The check letter of a group is sum of a^(i+1) x letter(i), plus a^5 x the group's number, over
 * the field of 32 elements with x^5 + x^2 + 1. */
#define _GNU_SOURCE

#include "recovery_key.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#define GROUP	5u
#define LETTERS (RECOVERY_KEY_GROUPS * GROUP)

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static unsigned times_a(unsigned v)
{
	v <<= 1;
	return v & 32 ? v ^ 0x25 : v;
}

static unsigned check_letter(const uint8_t letters[GROUP - 1], unsigned group)
{
	unsigned sum = group + 1;

	for (unsigned i = GROUP - 1; i-- > 0;) {
		sum = times_a(sum) ^ letters[i];
	}
	return times_a(sum);
}

/* With a dash between groups. */
static void print(const uint8_t letters[LETTERS], char ret_text[RECOVERY_KEY_TEXT])
{
	unsigned at = 0;

	for (unsigned i = 0; i < LETTERS; i++) {
		if (i && i % GROUP == 0) {
			ret_text[at++] = '-';
		}
		ret_text[at++] = alphabet[letters[i]];
	}
	ret_text[at] = '\0';
}

int recovery_key_generate(char ret_text[RECOVERY_KEY_TEXT])
{
	uint8_t letters[LETTERS];

	if (getrandom(letters, sizeof(letters), 0) != (ssize_t)sizeof(letters)) {
		return -EIO;
	}
	for (unsigned g = 0; g < RECOVERY_KEY_GROUPS; g++) {
		uint8_t *group = letters + g * GROUP;

		for (unsigned i = 0; i < GROUP - 1; i++) {
			group[i] &= 31;
		}
		group[GROUP - 1] = (uint8_t)check_letter(group, g);
	}
	print(letters, ret_text);
	explicit_bzero(letters, sizeof(letters));
	return 0;
}

/* -1: not one of ours. */
static int value_of(char c)
{
	const char *at;

	c = (char)toupper((unsigned char)c);
	c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

int recovery_key_read(const char *typed, size_t size, char ret_text[RECOVERY_KEY_TEXT])
{
	uint8_t letters[LETTERS];
	unsigned count = 0;
	int rc = 0;

	for (size_t i = 0; i < size; i++) {
		int v = value_of(typed[i]);

		if (typed[i] == '-' || typed[i] == ' ' || typed[i] == '\n') {
			continue;
		}
		if (v < 0 || count == LETTERS) {
			return -EINVAL;
		}
		letters[count++] = (uint8_t)v;
	}
	if (count != LETTERS) {
		return -EINVAL;
	}
	for (unsigned g = 0; !rc && g < RECOVERY_KEY_GROUPS; g++) {
		if (check_letter(letters + g * GROUP, g) != letters[g * GROUP + GROUP - 1]) {
			rc = (int)g + 1;
		}
	}
	if (!rc) {
		print(letters, ret_text);
	}
	explicit_bzero(letters, sizeof(letters));
	return rc;
}
