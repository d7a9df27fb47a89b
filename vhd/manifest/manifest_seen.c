/* SPDX-License-Identifier: Apache-2.0 */
/* One number a disk, replaced in one step and never by a smaller one. */
#include "manifest_seen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  24u
#define NAME_SIZE (2 * MANIFEST_DISK_ID_SIZE + sizeof(".epoch"))

static void name_of(const uint8_t disk_id[16], char ret_name[NAME_SIZE])
{
	for (unsigned i = 0; i < MANIFEST_DISK_ID_SIZE; i++) {
		snprintf(ret_name + 2 * (size_t)i, NAME_SIZE - 2 * (size_t)i, "%02x", disk_id[i]);
	}
	strcat(ret_name, ".epoch");
}

int manifest_seen_get(struct folder *seen, const uint8_t disk_id[16], uint64_t *ret_epoch)
{
	char name[NAME_SIZE], digits[TEXT_MAX] = "";
	uint64_t epoch = 0;
	size_t size, i = 0;
	void *text;
	int rc;

	name_of(disk_id, name);
	rc = folder_read_file(seen, name, TEXT_MAX - 1, &text, &size);
	if (rc == -ENOENT) {
		*ret_epoch = 0;
		return 0;
	}
	if (rc < 0) {
		return rc == -EFBIG ? -EBADMSG : rc;
	}
	memcpy(digits, text, size);
	free(text);
	for (; digits[i] >= '0' && digits[i] <= '9' && epoch <= INT64_MAX / 10 - 1; i++) {
		epoch = epoch * 10 + (uint64_t)(digits[i] - '0');
	}
	if (i == 0 || strcmp(digits + i, "\n") != 0) {
		return -EBADMSG;
	}
	*ret_epoch = epoch;
	return 0;
}

int manifest_seen_check(struct folder *seen, const struct manifest *manifest, struct why *why)
{
	char name[NAME_SIZE], text[TEXT_MAX];
	uint64_t epoch = 0;
	int rc = seen ? manifest_seen_get(seen, manifest->disk_id, &epoch) : 0;

	if (rc < 0) {
		return why_set(why, rc,
			       "the record of the disk's last epoch on this PC cannot be read");
	}
	if (!seen || epoch == manifest->epoch) {
		return 0;
	}
	if (epoch > manifest->epoch) {
		return why_set(
			why, -ESTALE,
			"this is an old state of the disk (epoch %" PRIu64 ", epoch %" PRIu64
			" was here already); if it was brought back on purpose, seal it anew",
			manifest->epoch, epoch);
	}
	name_of(manifest->disk_id, name);
	snprintf(text, sizeof(text), "%" PRIu64 "\n", manifest->epoch);
	rc = folder_replace_file(seen, name, text, strlen(text));
	return rc ? why_set(why, rc, "the epoch of the disk cannot be recorded on this PC") : 0;
}
