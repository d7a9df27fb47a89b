/* SPDX-License-Identifier: Apache-2.0 */
/** Real devices of a partition: which one the policy means, and that no driver of the control
 * kernel has it.
 *
 *  A device that is not there, or that no IOMMU holds, is no failure: the partition starts without
 * it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "abi/policy.h"
#include "bulkhead_dev.h"
#include "part.h"

/* A driver of that name does not exist, so that none binds to the device any more. */
#define NO_DRIVER "bulkhead"

struct place {
	char address[16]; /* 0000:00:02.0 */
	char folder[160]; /* in sysfs */
};

static int put(const char *folder, const char *file, const char *text)
{
	char path[224];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		err = -errno;
	}
	if (fd >= 0) {
		close(fd);
	}
	return err;
}

static struct place find_place(uint16_t source)
{
	struct place place;

	snprintf(place.address, sizeof(place.address), "0000:%02x:%02x.%x", source >> 8,
		 source >> 3 & 0x1fu, source & 7u);
	snprintf(place.folder, sizeof(place.folder), "%.96s/bus/pci/devices/%s", part_env.sysfs_dir,
		 place.address);
	return place;
}

/* Of the devices that can be this role, the one that is assigned, else the first. */
static int find_device(int part_fd, const char *role, struct part_assigned *assigned,
		       struct bh_device_info *ret_info)
{
	struct bh_device_info info;
	int err = 0, found = -ENOENT;

	for (uint32_t i = 0; i < BH_POLICY_DEVICE_MAX && (err == 0 || err == -EPERM); i++) {
		err = dev_device_info(part_fd, i, &info);
		if (err == 0 && strncmp(info.role, role, sizeof(info.role)) == 0 &&
		    (found != 0 || info.state == BH_DEVICE_ASSIGNED)) {
			assigned->number = i;
			*ret_info = info;
			found = 0;
			if (info.state == BH_DEVICE_ASSIGNED) {
				break;
			}
		}
	}
	return found;
}

static const char *why_without(uint32_t state)
{
	return state == BH_DEVICE_ABSENT
		       ? "this machine has no such device"
		       : "no IOMMU holds it back, so it stays with the control partition";
}

/* Override first: an unbound device could be bound again at any moment. */
static int take(const struct place *place, const char **ret_what)
{
	int err = put(place->folder, "driver_override", NO_DRIVER);

	*ret_what = "driver_override";
	if (err == 0) {
		err = put(place->folder, "driver/unbind", place->address);
		*ret_what = "unbind";
		if (err == -ENOENT) {
			err = 0; /* it had none */
		}
	}
	return err;
}

static int open_config(const struct place *place)
{
	char path[224];
	int fd;

	snprintf(path, sizeof(path), "%s/config", place->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int assigned_open(struct part *part, uint32_t index)
{
	struct part_assigned *assigned = &part->assigned[index];
	struct bh_device_info info;
	const char *what;
	struct place place;
	int ret;

	*assigned = (struct part_assigned){.has = false};
	if (find_device(part->fd_source.fd, part->config.assigned[index], assigned, &info)) {
		snprintf(assigned->text, sizeof(assigned->text),
			 "the policy gives it no such device");
		return -1;
	}
	if (info.state != BH_DEVICE_ASSIGNED) {
		snprintf(assigned->text, sizeof(assigned->text), "%s", why_without(info.state));
		return -1;
	}
	place = find_place(info.source);
	ret = take(&place, &what);
	if (ret == 0) {
		what = "config";
		ret = open_config(&place);
	}
	if (ret < 0) {
		snprintf(assigned->text, sizeof(assigned->text), "%s, %s: %s", place.address, what,
			 strerror(-ret));
		return -1;
	}
	assigned->has = true;
	snprintf(assigned->text, sizeof(assigned->text), "%s, %04x:%04x", place.address,
		 info.vendor, info.device);
	return ret;
}

void assigned_stop(const struct part *part)
{
	for (uint32_t i = 0; i < part->config.assigned_count; i++) {
		if (part->assigned[i].has && part->fd_source.fd >= 0 &&
		    dev_device_control(part->fd_source.fd, part->assigned[i].number, 0) < 0) {
			continue; /* it never came so far as to be started */
		}
	}
}
