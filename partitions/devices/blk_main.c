/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-blk: virtio-blk on a fixed VHD behind vhost-user. */
#define _GNU_SOURCE

#include "blk.h"
#include "debug.h"
#include "device.h"
#include "vhd.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct blk_device {
	struct blk blk;
	const char *path;
	int fd;
	bool read_only;
};

static bool option(void *dev, const char *name, const char *arg)
{
	struct blk_device *device = dev;

	if (!strcmp(name, "disk")) {
		device->path = arg;
		return true;
	}
	if (!strcmp(name, "disk-fd")) {
		return device_parse_fd(arg, &device->fd);
	}
	device->read_only = true;
	return true;
}

/* One writer, or readers only: two back ends on one disk would ruin it. */
static int lock_disk(const struct blk_device *device)
{
	struct flock lock = {
		.l_type = device->read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(device->fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static int open_disk(struct blk_device *device, struct vhd *ret_vhd)
{
	int flags;
	int rc;

	if (device->path) {
		device->fd =
			open(device->path, (device->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (device->fd < 0) {
			return -errno;
		}
	}
	flags = fcntl(device->fd, F_GETFL);
	if (flags < 0) {
		return -errno;
	}
	if ((flags & O_ACCMODE) == O_RDONLY) {
		device->read_only = true;
	} else if ((flags & O_ACCMODE) == O_WRONLY) {
		return -EACCES;
	}
	rc = lock_disk(device);
	return rc < 0 ? rc : vhd_open(device->fd, ret_vhd);
}

static const char *explain(int error)
{
	switch (error) {
	case EINVAL:
		return "no VHD footer at its end";
	case EBADMSG:
		return "damaged VHD footer, or cut off";
	case EOPNOTSUPP:
		return "a dynamic or differencing VHD; only fixed ones are served";
	case EAGAIN:
	case EACCES:
		return "in use, or not permitted";
	default:
		return strerror(error);
	}
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct blk_device *device = dev;
	char id[BLK_ID_SIZE + 1];
	struct vhd vhd;
	int rc;

	if ((device->fd < 0) == !device->path) {
		debug_say("give either --disk or --disk-fd; see --help");
		return -1;
	}
	rc = open_disk(device, &vhd);
	if (rc < 0) {
		debug_say("%s: %s", device->path ? device->path : "disk", explain(-rc));
		return -1;
	}
	/* The serial number of the disk: the first 10 bytes of the VHD's UUID. */
	for (unsigned i = 0; i < BLK_ID_SIZE / 2; i++) {
		snprintf(id + 2 * i, 3, "%02x", vhd.footer.uuid[i]);
	}
	blk_init(&device->blk, device->fd, vhd.size, device->read_only, id);
	*ret_features = blk_features(&device->blk);
	return 0;
}

static void get_config(void *dev, uint8_t *config)
{
	struct blk_device *device = dev;

	blk_get_config(&device->blk, config);
}

static void set_features(void *dev, uint64_t features)
{
	struct blk_device *device = dev;

	blk_set_features(&device->blk, features);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct blk_device *device = dev;

	return blk_handle_queue(&device->blk, vq);
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"disk", "PATH", "the fixed VHD to serve"},
		{"disk-fd", "N", "the same, already open as fd N"},
		{"read-only", NULL, "refuse writes"},
		{0},
	};
	static const int syscalls[] = {SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
				       -1};
	struct device_class class = {
		.name = "bulkhead-blk",
		.summary = "Serves a fixed VHD as a virtio block device.",
		.options = options,
		.queue_count = BLK_QUEUE_COUNT,
		.config_size = blk_config_size(),
		.ops = {.get_config = get_config,
			.set_features = set_features,
			.handle_queue = handle_queue},
		.confine = {.syscalls = syscalls},
		.option = option,
		.open = open_device,
	};
	static struct blk_device device = {.fd = -1};

	return device_main(&class, &device, argc, argv);
}
