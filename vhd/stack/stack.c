/* SPDX-License-Identifier: Apache-2.0 */
/* The order of layers, and what must hold before the next one is put on. */
#include "stack.h"

#include "layer_cow.h"
#include "layer_crypt.h"
#include "layer_raw.h"
#include "layer_stats.h"
#include "locked.h"
#include "owner.h"
#include "stack_manifest.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>

/* The parts of stack_open() that all its steps need. */
struct opening {
	struct folder *folder;
	const char *name;
	const struct stack_options *options;
	struct why *why;
	bool write; /* the image itself is written */
	struct layer *top;
};

static bool is_refused(int rc)
{
	return rc == -EACCES || rc == -EROFS || rc == -EPERM;
}

static int open_raw_as(struct opening *opening, bool write)
{
	struct file *file;
	int rc = folder_open_file(opening->folder, opening->name,
				  write ? FOLDER_WRITE : FOLDER_READ, &file);

	if (rc < 0) {
		return rc;
	}
	rc = file_lock(file, write);
	rc = rc ? rc : layer_raw_open(file, &opening->top);
	if (rc < 0) {
		file_close(file);
	}
	return rc;
}

static int open_raw(struct opening *opening, bool write)
{
	int rc = open_raw_as(opening, write);

	switch (rc) {
	case 0:
		return 0;
	case -EAGAIN:
		return why_set(opening->why, rc,
			       "another program has the disk open; close it there first");
	case -EINVAL:
		return why_set(opening->why, rc, "this is no disk: the file is empty");
	default:
		return why_set(opening->why, rc, "the file cannot be opened");
	}
}

static int open_image_as(struct opening *opening, bool write)
{
	if (opening->options->raw) {
		return open_raw(opening, write);
	}
	return vhd_disk_open(opening->folder, opening->name, write ? VHD_DISK_WRITE : 0,
			     &opening->top, opening->why);
}

/* A folder that cannot be written may hold a journal that nobody can finish now: that is fatal only
 * for who would have to. */
static int open_image(struct opening *opening)
{
	int rc = opening->options->raw ? 0 : vhd_journal_recover(opening->folder, opening->why);

	if (rc < 0) {
		return rc;
	}
	if (opening->write) {
		rc = owner_check_write(opening->folder, opening->name, opening->why);
		if (rc < 0) {
			return rc;
		}
		rc = open_image_as(opening, true);
		if (!is_refused(rc)) {
			return rc;
		}
		opening->write = false;
		why_set(opening->why, 0, "%s", "");
	}
	return open_image_as(opening, false);
}

/* A header that the guest of a plain disk wrote is the guest's: the manifest knows. */
static bool is_plain(struct layer *top)
{
	struct layer *verify = layer_find(top, "verify");
	struct layer_verify_status status;

	if (verify) {
		layer_verify_get_status(verify, &status);
	}
	return verify && !status.manifest->encrypted;
}

/* luks_segment's offset and size count in the layer that it was found in. */
static int add_crypt(struct opening *opening)
{
	const struct stack_options *options = opening->options;
	struct luks_segment segment;
	uint8_t *key;
	bool there;
	int rc;

	if (options->ciphertext || is_plain(opening->top)) {
		return 0;
	}
	rc = luks_is_there(opening->top, &there);
	if (rc < 0 || !there) {
		return rc;
	}
	if (!options->secret) {
		return why_set(opening->why, -ENOKEY,
			       "the disk is encrypted; give its passphrase or another secret");
	}
	key = locked_alloc(XTS_KEY_SIZE);
	if (!key) {
		return -ENOMEM;
	}
	rc = luks_unlock(opening->top, options->secret, key, &segment, opening->why);
	if (!rc) {
		rc = layer_crypt_open(opening->top, &segment, key, options->library,
				      options->pass_discards, &opening->top);
	}
	locked_free(key, XTS_KEY_SIZE);
	return rc;
}

static int add_upper(struct opening *opening)
{
	const struct stack_options *options = opening->options;
	int rc = 0;

	if (options->throw_away) {
		rc = layer_cow_open(opening->top, NULL, options->throw_away_bound, &opening->top);
	}
	if (!rc && options->limits) {
		rc = layer_throttle_open(opening->top, options->limits, &opening->top);
	}
	if (!rc && options->stats) {
		rc = layer_stats_open(opening->top, options->limits ? options->limits->clock : NULL,
				      &opening->top);
	}
	return rc;
}

/* Last of all: an opening that is refused leaves the manifest as it was. */
static int begin_writing(struct opening *opening)
{
	struct layer *verify = layer_find(opening->top, "verify");

	return verify ? layer_verify_begin(verify, opening->why) : 0;
}

int stack_open(struct folder *folder, const char *name, const struct stack_options *options,
	       struct layer **ret_top, struct why *why)
{
	struct opening opening = {
		.folder = folder,
		.name = name,
		.options = options,
		.why = why,
		.write = options->write && !options->throw_away,
	};
	int rc = open_image(&opening);

	rc = rc ? rc : stack_add_verify(folder, name, options, opening.write, &opening.top, why);
	rc = rc ? rc : add_crypt(&opening);
	rc = rc ? rc : add_upper(&opening);
	rc = rc ? rc : begin_writing(&opening);
	if (rc < 0) {
		(void)!layer_close(opening.top);
		return rc;
	}
	*ret_top = opening.top;
	return 0;
}
