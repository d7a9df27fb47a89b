/* SPDX-License-Identifier: Apache-2.0 */
/* The highest version of each layer that was applied here. A file that cannot be understood refuses
 * everything: who lost the record of what was seen must not take an old policy for a new one. */
#define _GNU_SOURCE
#include "sign.h"

#include "whole_file.h"
#include "sign_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE	 "bulkhead policy seen 1\n"
#define SEEN_MAX 512u

struct seen {
	bool there[TEXT_LAYERS];
	uint64_t version[TEXT_LAYERS];
	uint8_t digest[TEXT_LAYERS][SIGN_HASH_SIZE];
};

static size_t encode(const struct seen *seen, char ret_text[SEEN_MAX])
{
	size_t size = strlen(TITLE);

	memcpy(ret_text, TITLE, size);
	for (unsigned i = 0; i < TEXT_LAYERS; i++) {
		char hex[2 * SIGN_HASH_SIZE + 1];

		if (seen->there[i]) {
			sign_text_hex(seen->digest[i], SIGN_HASH_SIZE, hex);
			size += (size_t)snprintf(
				ret_text + size, SEEN_MAX - size, "%s %" PRIu64 " %s\n",
				sign_text_layer((enum text_layer)i), seen->version[i], hex);
		}
	}
	return size;
}

/* One line a layer, in order. What this does not understand, encode() shows. */
static void decode_line(const char *line, struct seen *seen)
{
	for (unsigned i = 0; i < TEXT_LAYERS; i++) {
		const char *word = sign_text_layer((enum text_layer)i);
		size_t size = strlen(word);
		char *end;

		if (strncmp(line, word, size) != 0 || line[size] != ' ') {
			continue;
		}
		seen->version[i] = strtoull(line + size + 1, &end, 10);
		seen->there[i] = *end == ' ' && strlen(end + 1) >= 2u * SIGN_HASH_SIZE &&
				 sign_text_unhex(end + 1, seen->digest[i], SIGN_HASH_SIZE);
	}
}

static int decode(const char *text, size_t size, struct seen *ret_seen)
{
	struct seen seen = {.there = {false}};
	char again[SEEN_MAX];

	for (const char *line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
		decode_line(line + 1, &seen);
	}
	if (encode(&seen, again) != size || memcmp(again, text, size) != 0) {
		return -EBADMSG;
	}
	*ret_seen = seen;
	return 0;
}

static int read_seen(const char *path, struct seen *ret_seen, char why[SIGN_WHY_SIZE])
{
	char *text;
	size_t size;
	int rc = whole_file_read(AT_FDCWD, path, 0, SEEN_MAX - 1, &text, &size);

	if (rc == -ENOENT) {
		memset(ret_seen, 0, sizeof(*ret_seen));
		return 0;
	}
	if (!rc) {
		rc = decode(text, size, ret_seen);
		free(text);
	}
	if (rc == -EBADMSG || rc == -EFBIG) {
		rc = -EBADMSG;
		snprintf(why, SIGN_WHY_SIZE,
			 "the record of applied versions is damaged; put it back from a backup: "
			 "%.80s",
			 path);
	} else if (rc < 0) {
		snprintf(why, SIGN_WHY_SIZE,
			 "the record of applied versions cannot be read: %s: %.80s", strerror(-rc),
			 path);
	}
	return rc;
}

static int check(const struct seen *seen, enum text_layer layer, uint64_t version,
		 const uint8_t digest[SIGN_HASH_SIZE], char why[SIGN_WHY_SIZE])
{
	const char *word = sign_text_layer(layer);

	if (!word) {
		snprintf(why, SIGN_WHY_SIZE, "there is no such layer");
		return -EINVAL;
	}
	if (seen->there[layer] && version < seen->version[layer]) {
		snprintf(why, SIGN_WHY_SIZE,
			 "version %" PRIu64 " of layer %s is older than version %" PRIu64
			 ", which was applied here; give it a higher version and sign it",
			 version, word, seen->version[layer]);
		return -ESTALE;
	}
	if (seen->there[layer] && version == seen->version[layer] &&
	    memcmp(digest, seen->digest[layer], SIGN_HASH_SIZE) != 0) {
		snprintf(why, SIGN_WHY_SIZE,
			 "another version %" PRIu64 " of layer %s was applied here; give this one "
			 "a higher version and sign it",
			 version, word);
		return -ESTALE;
	}
	return 0;
}

int sign_seen_check(const char *path, enum text_layer layer, uint64_t version,
		    const uint8_t digest[SIGN_HASH_SIZE], char why[SIGN_WHY_SIZE])
{
	struct seen seen;
	int rc = read_seen(path, &seen, why);

	return rc ? rc : check(&seen, layer, version, digest, why);
}

int sign_seen_record(const char *path, enum text_layer layer, uint64_t version,
		     const uint8_t digest[SIGN_HASH_SIZE], char why[SIGN_WHY_SIZE])
{
	struct seen seen;
	char text[SEEN_MAX];
	int rc = read_seen(path, &seen, why);

	rc = rc ? rc : check(&seen, layer, version, digest, why);
	if (rc < 0) {
		return rc;
	}
	/* Also when it is there already: what was read may not be lasting. */
	seen.there[layer] = true;
	seen.version[layer] = version;
	memcpy(seen.digest[layer], digest, SIGN_HASH_SIZE);
	rc = whole_file_replace(path, 0600, text, encode(&seen, text));
	if (rc < 0) {
		snprintf(why, SIGN_WHY_SIZE, "the version cannot be recorded: %s: %.80s",
			 strerror(-rc), path);
	}
	return rc;
}
