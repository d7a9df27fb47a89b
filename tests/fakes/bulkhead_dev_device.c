/* SPDX-License-Identifier: Apache-2.0 */
/** Real devices of the fake /dev/bulkhead: kept in mind, with the errors of the module and of root
 * mode.
 */
#include "bulkhead_dev_fake_state.h"

#include <errno.h>
#include <string.h>

uint32_t fake_dev_add_device(const struct bh_device_info *info)
{
	uint32_t device;

	pthread_mutex_lock(&fake.lock);
	device = fake.device_count++;
	fake.device[device] = (struct fake_dev_device){.info = *info};
	pthread_mutex_unlock(&fake.lock);
	return device;
}

const struct fake_dev_device *fake_dev_device(uint32_t device)
{
	return &fake.device[device];
}

void fake_device_clear(uint32_t part)
{
	for (uint32_t i = 0; i < fake.device_count; i++) {
		struct fake_dev_device *device = &fake.device[i];

		if (device->info.part == part) {
			*device = (struct fake_dev_device){.info = device->info,
							   .changes = device->changes};
		}
	}
}

/* Locks and finds the device of that partition fd, as fake_part_enter(). */
static int device_enter(int part_fd, unsigned long request, uint32_t number,
			struct fake_dev_device **ret_device)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, request, &part);

	if (ret) {
		return ret;
	}
	if (number >= fake.device_count) {
		return fake_part_leave(-ENOENT);
	}
	*ret_device = &fake.device[number];
	if ((*ret_device)->info.part != (uint32_t)(part - fake.parts)) {
		return fake_part_leave(-EPERM);
	}
	if (request != BULKHEAD_DEVICE_INFO && (*ret_device)->info.state != BH_DEVICE_ASSIGNED) {
		return fake_part_leave(-EOPNOTSUPP);
	}
	return 0;
}

int dev_device_info(int part_fd, uint32_t device, struct bh_device_info *ret_info)
{
	struct fake_dev_device *found;
	int ret = device_enter(part_fd, BULKHEAD_DEVICE_INFO, device, &found);

	if (ret) {
		return ret;
	}
	*ret_info = found->info;
	return fake_part_leave(0);
}

int dev_device_map(int part_fd, uint32_t device, uint32_t bar, uint64_t gpa)
{
	struct fake_dev_device *found;
	int ret = device_enter(part_fd, BULKHEAD_DEVICE_MAP, device, &found);
	uint64_t size;

	if (ret) {
		return ret;
	}
	if (bar >= BH_DEVICE_BAR_MAX) {
		return fake_part_leave(-EINVAL);
	}
	size = found->info.bar_size[bar];
	if (found->info.bar[bar] == 0 || size % BH_PAGE_SIZE) {
		return fake_part_leave(-EOPNOTSUPP);
	}
	if (gpa % BH_PAGE_SIZE || (gpa && (gpa < fake.parts[found->info.part].info.ram_size ||
					   gpa + size > 1ull << 32))) {
		return fake_part_leave(-ERANGE);
	}
	found->bar[bar] = gpa;
	found->changes++;
	return fake_part_leave(0);
}

int dev_device_irq(int part_fd, uint32_t device, uint32_t index, uint64_t msi_addr,
		   uint32_t msi_data, bool masked)
{
	struct fake_dev_device *found;
	int ret = device_enter(part_fd, BULKHEAD_DEVICE_IRQ, device, &found);

	if (ret) {
		return ret;
	}
	if (index >= found->info.msix_count || index >= BH_DEVICE_IRQ_MAX) {
		return fake_part_leave(-EINVAL);
	}
	found->irq[index].masked = true;
	found->changes++;
	if (msi_addr && (msi_addr >> 20 != 0xfee || (msi_data & 0xff) < 16)) {
		return fake_part_leave(-EINVAL);
	}
	found->irq[index].address = msi_addr;
	found->irq[index].data = msi_data;
	found->irq[index].masked = masked || msi_addr == 0;
	return fake_part_leave(0);
}

int dev_device_control(int part_fd, uint32_t device, uint32_t flags)
{
	struct fake_dev_device *found;
	int ret = device_enter(part_fd, BULKHEAD_DEVICE_CONTROL, device, &found);

	if (ret) {
		return ret;
	}
	if (flags &
	    ~(BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX | BULKHEAD_DEVICE_MSIX_MASKED)) {
		return fake_part_leave(-EINVAL);
	}
	found->flags = flags;
	found->changes++;
	return fake_part_leave(0);
}
