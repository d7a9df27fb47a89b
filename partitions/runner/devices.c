/* SPDX-License-Identifier: Apache-2.0 */
/** The devices of a machine: connections to their back ends, doorbell window, PCI functions; and the real
 * ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "abi/policy.h"
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

/* The device of that role in the policy table, assigned to this partition. */
static void find_assigned(const struct machine *machine, const char *role,
			  struct assigned_setup *setup)
{
	for (uint32_t i = 0; i < BH_POLICY_DEVICE_MAX; i++) {
		int err = dev_device_info(machine->part_fd, i, &setup->info);

		if (err == 0 && setup->info.state == BH_DEVICE_ASSIGNED &&
		    strncmp(setup->info.role, role, sizeof(setup->info.role)) == 0) {
			setup->number = i;
			return;
		}
		if (err < 0 && err != -EPERM) {
			break;
		}
	}
	report_end(EXIT_CODE_START, "--assigned %s: the partition has no such device", role);
}

static struct assigned *add_assigned(struct machine *machine, const struct options_assigned *wanted,
				     unsigned index, uint64_t *next_gpa)
{
	struct assigned_setup setup = {.part_fd = machine->part_fd,
				       .slot = LAYOUT_ASSIGNED_SLOT + index,
				       .next_gpa = next_gpa};
	struct assigned *dev = calloc(1, sizeof(*dev));
	int err;

	if (dev == NULL) {
		report_end(EXIT_CODE_START, "no memory for a device");
	}
	find_assigned(machine, wanted->role, &setup);
	if (pread(wanted->config_fd, setup.config, PCI_CONFIG, 0) != (ssize_t)PCI_CONFIG) {
		report_end(EXIT_CODE_START, "device %s: cannot read its configuration space",
			   wanted->role);
	}
	close(wanted->config_fd);
	err = assigned_init(dev, &setup, &machine->bus, &machine->pci);
	if (err < 0) {
		report_end(EXIT_CODE_START, "device %s: %s", wanted->role,
			   err == -ENOSPC ? "its BARs do not fit into the PCI window"
					  : "its configuration space is not the expected one");
	}
	return dev;
}

static void add_real_devices(struct machine *machine, const struct options *options)
{
	uint64_t next_gpa = LAYOUT_ASSIGNED_GPA;

	for (unsigned i = 0; i < options->assigned_count; i++) {
		machine->assigned[i] =
			add_assigned(machine, &options->assigned[i], i, &next_gpa);
	}
}

void machine_add_devices(struct machine *machine, const struct options *options)
{
	int err;

	add_real_devices(machine, options);
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
