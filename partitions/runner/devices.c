/* SPDX-License-Identifier: Apache-2.0 */
/** The devices of a machine: connections to their back ends, doorbell window, PCI functions. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "bulkhead_dev.h"
#include "machine.h"
#include "report.h"

static int connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		return -errno;
	}
	return fd;
}

static void add_device(struct machine *machine, const struct options_device *wanted, unsigned index)
{
	struct virtio_setup setup = {
		.type = virtio_type_find(wanted->type),
		.index = index,
		.queue_count = wanted->queue_count,
		.queue_size = wanted->queue_size,
		.host = {machine->part_fd, machine->ram_size, machine->wake_fd},
	};
	struct virtio_dev *dev = calloc(1, sizeof(*dev));
	int fd = wanted->vhost_fd, err;

	if (setup.type == NULL) {
		report_end(EXIT_CODE_USAGE, "--device %s: no such type", wanted->type);
	}
	if (dev == NULL) {
		report_end(EXIT_CODE_START, "no memory for a device");
	}
	if (wanted->socket_path != NULL) {
		fd = connect_path(wanted->socket_path);
		if (fd < 0) {
			report_end(EXIT_CODE_START, "%s: %s", wanted->socket_path, strerror(-fd));
		}
	}
	if (vhost_open(&dev->back, fd, machine->ram_fd, machine->ram_size) < 0) {
		report_end(EXIT_CODE_BACK_END, "back end of device %u (%s): %s", index,
			   wanted->type, dev->back.why);
	}
	err = virtio_dev_init(dev, &setup, &machine->bus, &machine->pci);
	if (err < 0) {
		report_end(EXIT_CODE_START, "device %u (%s): %s", index, wanted->type,
			   strerror(-err));
	}
	machine->device[index] = dev;
}

void machine_add_devices(struct machine *machine, const struct options *options)
{
	int err;

	if (options->device_count == 0) {
		return;
	}
	err = dev_doorbell_window(machine->part_fd, LAYOUT_DOORBELL_GPA, options->device_count);
	if (err < 0) {
		report_end(EXIT_CODE_START, "doorbell window for %u devices: %s",
			   options->device_count, strerror(-err));
	}
	for (unsigned i = 0; i < options->device_count; i++) {
		add_device(machine, &options->device[i], i);
	}
	machine->device_count = options->device_count;
}
