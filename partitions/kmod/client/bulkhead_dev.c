/* SPDX-License-Identifier: Apache-2.0 */
/** The real device behind bulkhead_dev.h: ioctl() and mmap() on /dev/bulkhead and the fds it gave.
 */
#define _GNU_SOURCE
#include "bulkhead_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int dev_ioctl(int fd, unsigned long request, unsigned long arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int dev_ioctl_ptr(int fd, unsigned long request, const void *arg)
{
	return dev_ioctl(fd, request, (unsigned long)(uintptr_t)arg);
}

static int dev_query(int dev, unsigned long request, uint32_t part, uint32_t vcpu, void *out)
{
	const struct bulkhead_query query = {
		.part = part, .vcpu = vcpu, .user = (uint64_t)(uintptr_t)out};

	return dev_ioctl_ptr(dev, request, &query);
}

int dev_open(void)
{
	int fd = open("/dev/bulkhead", O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0) {
		return -errno;
	}
	version = dev_ioctl(fd, BULKHEAD_VERSION, 0);
	if (version < 0 || (unsigned)version >> 16 != BH_ABI_VERSION >> 16) {
		close(fd);
		return version < 0 ? version : -EPROTO;
	}
	return fd;
}

int dev_info(int dev, uint32_t part, struct bh_part_info *ret_info)
{
	return dev_query(dev, BULKHEAD_INFO, part, 0, ret_info);
}

int dev_stats(int dev, uint32_t part, uint32_t vcpu, struct bh_vcpu_stats *ret_stats)
{
	return dev_query(dev, BULKHEAD_STATS, part, vcpu, ret_stats);
}

int dev_iommu(int dev, struct bh_iommu_info *ret_info)
{
	return dev_query(dev, BULKHEAD_IOMMU, 0, 0, ret_info);
}

int dev_fault(int dev, struct bh_iommu_fault *fault)
{
	return dev_query(dev, BULKHEAD_FAULT, 0, 0, fault);
}

int dev_policy_info(int dev, struct bh_policy_info *ret_info)
{
	return dev_query(dev, BULKHEAD_POLICY_INFO, 0, 0, ret_info);
}

int dev_policy_load(int dev, const void *table, uint32_t size)
{
	const struct bh_policy *head = table;
	const struct bulkhead_policy arg = {.user = (uint64_t)(uintptr_t)table,
					    .size = size < sizeof(*head) ? size : head->size};

	return arg.size > size ? -EBADMSG : dev_ioctl_ptr(dev, BULKHEAD_POLICY_LOAD, &arg);
}

int dev_log(int dev, struct bh_log_read *log)
{
	return dev_query(dev, BULKHEAD_LOG, 0, 0, log);
}

int dev_create(int dev, uint32_t part)
{
	return dev_ioctl(dev, BULKHEAD_CREATE, part);
}

int dev_part_info(int part_fd, struct bh_part_info *ret_info)
{
	return dev_ioctl_ptr(part_fd, BULKHEAD_PART_INFO, ret_info);
}

int dev_part_start(int part_fd)
{
	return dev_ioctl(part_fd, BULKHEAD_START, 0);
}

int dev_part_pause(int part_fd)
{
	return dev_ioctl(part_fd, BULKHEAD_PAUSE, 0);
}

int dev_part_resume(int part_fd)
{
	return dev_ioctl(part_fd, BULKHEAD_RESUME, 0);
}

int dev_part_reset(int part_fd)
{
	return dev_ioctl(part_fd, BULKHEAD_RESET, 0);
}

int dev_vcpu_set(int part_fd, uint32_t vcpu, const struct bh_vcpu_start *start)
{
	const struct bulkhead_vcpu_start arg = {.vcpu = vcpu, .start = *start};

	return dev_ioctl_ptr(part_fd, BULKHEAD_VCPU_SET, &arg);
}

int dev_ram_fd(int part_fd)
{
	return dev_ioctl(part_fd, BULKHEAD_RAM_FD, 0);
}

static int dev_map(int fd, uint64_t offset, uint64_t size, void **ret_addr)
{
	void *addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (addr == MAP_FAILED) {
		return -errno;
	}
	*ret_addr = addr;
	return 0;
}

int dev_map_ram(int fd, uint64_t gpa, uint64_t size, void **ret_ram)
{
	if (gpa >= BULKHEAD_MMAP_IOREQ) {
		return -EINVAL;
	}
	return dev_map(fd, BULKHEAD_MMAP_RAM + gpa, size, ret_ram);
}

int dev_map_ioreq(int part_fd, struct bh_ioreq **ret_slots)
{
	void *page = NULL;
	int ret = dev_map(part_fd, BULKHEAD_MMAP_IOREQ, BH_PAGE_SIZE, &page);

	if (ret == 0) {
		*ret_slots = page;
	}
	return ret;
}

void dev_unmap(void *addr, uint64_t size)
{
	munmap(addr, size);
}

int dev_ioreq_next(int part_fd, uint32_t vcpu)
{
	return dev_ioctl(part_fd, BULKHEAD_IOREQ_NEXT, vcpu);
}

int dev_doorbell(int part_fd, uint32_t doorbell, uint32_t queue, int eventfd)
{
	const struct bulkhead_doorbell arg = {
		.doorbell = doorbell, .queue = queue, .eventfd = eventfd};

	return dev_ioctl_ptr(part_fd, BULKHEAD_DOORBELL, &arg);
}

int dev_doorbell_window(int part_fd, uint64_t gpa, uint32_t count)
{
	const struct bulkhead_doorbell_window arg = {.gpa = gpa, .count = count};

	return dev_ioctl_ptr(part_fd, BULKHEAD_DOORBELL_WINDOW, &arg);
}

int dev_irqfd(int part_fd, int eventfd, uint64_t msi_addr, uint32_t msi_data)
{
	const struct bulkhead_irqfd arg = {
		.eventfd = eventfd, .assign = 1, .msi_addr = msi_addr, .msi_data = msi_data};

	return dev_ioctl_ptr(part_fd, BULKHEAD_IRQFD, &arg);
}

int dev_irqfd_remove(int part_fd, int eventfd)
{
	const struct bulkhead_irqfd arg = {.eventfd = eventfd};

	return dev_ioctl_ptr(part_fd, BULKHEAD_IRQFD, &arg);
}

int dev_msi(int part_fd, uint64_t msi_addr, uint32_t msi_data)
{
	const struct bulkhead_msi arg = {.msi_addr = msi_addr, .msi_data = msi_data};

	return dev_ioctl_ptr(part_fd, BULKHEAD_MSI, &arg);
}

int dev_device_info(int part_fd, uint32_t device, struct bh_device_info *ret_info)
{
	struct bulkhead_device_info arg = {.device = device};
	int ret = dev_ioctl_ptr(part_fd, BULKHEAD_DEVICE_INFO, &arg);

	if (ret == 0) {
		*ret_info = arg.info;
	}
	return ret;
}

int dev_device_map(int part_fd, uint32_t device, uint32_t bar, uint64_t gpa)
{
	const struct bulkhead_device_map arg = {.device = device, .bar = bar, .gpa = gpa};

	return dev_ioctl_ptr(part_fd, BULKHEAD_DEVICE_MAP, &arg);
}

int dev_device_irq(int part_fd, uint32_t device, uint32_t index, uint64_t msi_addr,
		   uint32_t msi_data, bool masked)
{
	const struct bulkhead_device_irq arg = {.device = device,
						.index = index,
						.part_address = msi_addr,
						.part_data = msi_data,
						.masked = masked};

	return dev_ioctl_ptr(part_fd, BULKHEAD_DEVICE_IRQ, &arg);
}

int dev_device_control(int part_fd, uint32_t device, uint32_t flags)
{
	const struct bulkhead_device_control arg = {.device = device, .flags = flags};

	return dev_ioctl_ptr(part_fd, BULKHEAD_DEVICE_CONTROL, &arg);
}
