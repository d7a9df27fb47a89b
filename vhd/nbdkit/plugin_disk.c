/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the disk between nbdkit's start and its end. Secrets are in memory only while it opens. */
#include "plugin_disk.h"

#include "secret.h"
#include "stack.h"

#include <errno.h>
#include <string.h>

struct secrets {
	struct secret passphrase, trusted_key, sign_key;
};

static int read_secrets(const struct plugin_disk *disk, struct secrets *secrets, struct why *why)
{
	int rc = 0;

	if (disk->secret_file) {
		rc = secret_read_file(disk->secret_file, &secrets->passphrase, why);
	}
	if (!rc && disk->trusted_key_file) {
		rc = secret_read_file(disk->trusted_key_file, &secrets->trusted_key, why);
	}
	if (!rc && disk->sign_key_file) {
		rc = secret_read_file(disk->sign_key_file, &secrets->sign_key, why);
	}
	return rc;
}

static int open_stack(struct plugin_disk *disk, const struct secrets *secrets, struct why *why)
{
	const struct luks_secret passphrase = {
		.bytes = secrets->passphrase.bytes, .size = secrets->passphrase.size, .slot = -1};
	const struct layer_throttle_limits limits = {
		.limit = {.iops = (uint64_t)disk->iops, .bytes = (uint64_t)disk->bandwidth}};
	const struct stack_options options = {
		.write = !disk->read_only,
		.raw = disk->raw,
		.throw_away = disk->throw_away,
		.ciphertext = disk->ciphertext,
		.pass_discards = disk->pass_discards,
		.trusted_key = secrets->trusted_key.bytes,
		.sign_key = secrets->sign_key.bytes,
		.secret = passphrase.bytes ? &passphrase : NULL,
		.limits = disk->iops || disk->bandwidth ? &limits : NULL,
	};
	const char *name;
	int rc = folder_of_path(disk->file, &disk->folder, &name);

	if (rc < 0) {
		disk->folder = NULL;
		return why_set(why, rc, "its folder cannot be opened: %s", strerror(-rc));
	}
	return stack_open(disk->folder, name, &options, &disk->top, why);
}

int plugin_disk_open(struct plugin_disk *disk, struct why *why)
{
	struct secrets secrets = {0};
	int rc = read_secrets(disk, &secrets, why);

	rc = rc ? rc : open_stack(disk, &secrets, why);
	secret_wipe(&secrets.passphrase);
	secret_wipe(&secrets.trusted_key);
	secret_wipe(&secrets.sign_key);
	if (rc < 0) {
		folder_close(disk->folder);
		disk->folder = NULL;
		disk->top = NULL;
	}
	return rc;
}

int plugin_disk_close(struct plugin_disk *disk)
{
	int rc = 0, closed;

	if (disk->top) {
		rc = layer_flush(disk->top);
		closed = layer_close(disk->top);
		rc = rc ? rc : closed;
	}
	folder_close(disk->folder);
	disk->folder = NULL;
	disk->top = NULL;
	return rc;
}
