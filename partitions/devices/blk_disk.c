/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way from options to a stack. The passphrase is in memory only while the stack opens. */
#define _GNU_SOURCE

#include "blk_disk.h"
#include "blk_folder.h"
#include "fiber.h"
#include "secret.h"
#include "stack.h"
#include "uring_file.h"
#include "vhd_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is in memory only while the stack opens. */
struct secrets {
	struct secret passphrase, trusted_key, sign_key;
};

static int read_secrets(const struct blk_disk_options *options, struct secrets *secrets,
			struct why *why)
{
	int rc = 0;

	if (options->secret_fd >= 0) {
		rc = secret_read_fd(options->secret_fd, &secrets->passphrase);
		close(options->secret_fd);
		if (rc < 0) {
			return why_set(why, rc, "the passphrase cannot be read: %s", strerror(-rc));
		}
	}
	if (options->trusted_key) {
		rc = secret_read_file(options->trusted_key, &secrets->trusted_key, why);
	}
	if (!rc && options->sign_key) {
		rc = secret_read_file(options->sign_key, &secrets->sign_key, why);
	}
	return rc;
}

static uint64_t clock_now(const struct layer_clock *clock)
{
	return layer_clock_real.now_ns(&layer_clock_real);
}

static void clock_wait(const struct layer_clock *clock, uint64_t ns)
{
	const struct blk_disk *disk =
		(const struct blk_disk *)((const char *)clock - offsetof(struct blk_disk, clock));

	if (disk->ring && fiber_self()) {
		uring_sleep(disk->ring, (ns + 999) / 1000);
	} else {
		layer_clock_real.wait_ns(&layer_clock_real, ns);
	}
}

static int open_folder(struct blk_disk *disk, const struct blk_disk_options *options,
		       const char **ret_name, struct why *why)
{
	struct folder *folder;
	int rc;

	*ret_name = BLK_FOLDER_NAME;
	rc = options->path ? folder_of_path(options->path, &folder, ret_name)
			   : blk_folder_create(options->fd, &folder);
	if (rc < 0) {
		return why_set(why, rc, "its folder cannot be opened: %s", strerror(-rc));
	}
	rc = disk->ring ? uring_folder_wrap(disk->ring, folder, &disk->folder) : 0;
	if (rc < 0) {
		folder_close(folder);
		return rc;
	}
	disk->folder = disk->ring ? disk->folder : folder;
	return 0;
}

static int open_stack(struct blk_disk *disk, const struct blk_disk_options *options,
		      const struct secrets *secrets, struct why *why)
{
	const struct luks_secret passphrase = {
		.bytes = secrets->passphrase.bytes, .size = secrets->passphrase.size, .slot = -1};
	const struct layer_throttle_limits limits = {
		.limit = {.iops = options->iops, .bytes = options->bandwidth},
		.clock = &disk->clock,
	};
	const struct stack_options stack = {
		.write = !options->read_only,
		.raw = options->raw,
		.throw_away = options->throw_away,
		.pass_discards = options->pass_discards,
		.stats = options->stats,
		.trusted_key = secrets->trusted_key.bytes,
		.sign_key = secrets->sign_key.bytes,
		.secret = passphrase.bytes ? &passphrase : NULL,
		.limits = options->iops || options->bandwidth ? &limits : NULL,
	};
	const char *name;
	int rc = open_folder(disk, options, &name, why);

	return rc ? rc : stack_open(disk->folder, name, &stack, &disk->top, why);
}

/* The folder that the manifest of a written disk lies in, for confine.h. */
static int open_folder_fd(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX] = ".";
	int n = slash ? snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path + 1), path) : 0;

	return n < 0 || (size_t)n >= sizeof(parent)
		       ? -1
		       : open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The first half of the image's UUID; a raw disk has none. */
static void set_id(struct blk_disk *disk)
{
	struct layer *image = layer_find(disk->top, "vhd");
	struct vhd_disk_info info;

	disk->id[0] = 0;
	if (image && vhd_disk_get_info(image, 0, &info)) {
		for (unsigned i = 0; i < (BLK_DISK_ID_SIZE - 1) / 2; i++) {
			snprintf(disk->id + 2 * i, 3, "%02x", info.footer.uuid[i]);
		}
	}
}

int blk_disk_open(struct blk_disk *disk, const struct blk_disk_options *options, struct uring *ring,
		  struct why *why)
{
	struct secrets secrets = {0};
	int rc;

	*disk = (struct blk_disk){
		.ring = ring,
		.folder_fd = -1,
		.clock = {.now_ns = clock_now, .wait_ns = clock_wait},
	};
	rc = read_secrets(options, &secrets, why);
	rc = rc ? rc : open_stack(disk, options, &secrets, why);
	secret_wipe(&secrets.passphrase);
	secret_wipe(&secrets.trusted_key);
	secret_wipe(&secrets.sign_key);
	if (!rc && options->encrypted && !layer_find(disk->top, "crypt")) {
		rc = why_set(why, -EKEYREJECTED, "the disk must be encrypted, and it is not");
		layer_close(disk->top);
		disk->top = NULL;
	}
	if (rc < 0) {
		folder_close(disk->folder);
		disk->folder = NULL;
		return rc;
	}
	if (options->path && !disk->top->read_only && layer_find(disk->top, "verify")) {
		disk->folder_fd = open_folder_fd(options->path);
	}
	set_id(disk);
	return 0;
}

int blk_disk_close(struct blk_disk *disk)
{
	int rc = layer_flush(disk->top);
	int closed = layer_close(disk->top);

	folder_close(disk->folder);
	disk->top = NULL;
	disk->folder = NULL;
	return rc ? rc : closed;
}
