/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE

#include "blk_disk.h"
#include "layer_raw.h"
#include "uring_file.h"
#include "vhd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int open_file(const struct blk_disk_options *options, int *ret_fd)
{
	int flags = (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;

	*ret_fd = options->path ? open(options->path, flags) : options->fd;
	return *ret_fd < 0 ? -errno : 0;
}

int blk_disk_open(const struct blk_disk_options *options, struct uring *ring,
		  struct layer **ret_disk, char *ret_id, struct why *why)
{
	struct file *inner, *file;
	struct layer *disk;
	struct vhd vhd;
	int fd;
	int rc = open_file(options, &fd);

	rc = rc ? rc : file_from_fd(fd, &inner);
	if (rc < 0) {
		return why_set(why, rc, "%s", strerror(-rc));
	}
	rc = file_lock(inner, !options->read_only && !inner->read_only);
	if (rc < 0) {
		return why_set(why, rc, "in use, or not permitted");
	}
	rc = options->raw ? 0 : vhd_open(fd, &vhd);
	if (rc < 0) {
		return why_set(why, rc, "no fixed VHD, or damaged");
	}
	file = inner;
	rc = ring ? uring_file_wrap(ring, inner, &file) : 0;
	rc = rc ? rc : layer_raw_open(file, &disk);
	if (rc < 0) {
		return why_set(why, rc, "%s", strerror(-rc));
	}
	disk->read_only = disk->read_only || options->read_only;
	ret_id[0] = 0;
	if (!options->raw) {
		disk->size = vhd.size;
		for (unsigned i = 0; i < 10; i++) {
			snprintf(ret_id + 2 * i, 3, "%02x", vhd.footer.uuid[i]);
		}
	}
	*ret_disk = disk;
	return 0;
}
