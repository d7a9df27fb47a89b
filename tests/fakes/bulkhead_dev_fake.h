/* SPDX-License-Identifier: Apache-2.0 */
/** The other side of the fake /dev/bulkhead: what a test plays as hypervisor and guest.
 *
 *  Partition fds are eventfds, RAM fds are sealed memory fds, all within one process. Duplicates of
 * a partition fd work; a partition fd of another process does not.
 */
#ifndef BULKHEAD_DEV_FAKE_H
#define BULKHEAD_DEV_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include "bulkhead_dev.h"

/** Forgets everything: partitions, log, history, planned failures. Call in the test's setup. */
void fake_dev_reset(void);
/** Adds a partition to the policy table of the fake. Partition 0 is there from the start. */
void fake_dev_add_part(uint32_t part, const char *name, uint64_t ram_size, uint32_t vcpu_count);
/** What dev_iommu() answers; so many faults, all of partition 1, have records. None at the start. */
void fake_dev_set_iommu(const struct bh_iommu_info *info);
/** What dev_policy_info() answers, also after a load has changed it. All 0 at the start.
 * dev_policy_load() takes any table with the right magic number and compares nothing. */
void fake_dev_set_policy(const struct bh_policy_info *info);
/** The next call of this ioctl (BULKHEAD_START, ...) fails with -error; 0 takes that back. */
void fake_dev_fail_next(unsigned long request, int error);

/** Plays one access of the guest: fills the slot, waits up to timeout_ms for the answer, which is
 * written to *data on a read. 0, -ETIMEDOUT, or -ENODEV when the partition is not RUNNING. */
int fake_dev_access(uint32_t part, uint32_t vcpu, enum bh_ioreq_type type, enum bh_ioreq_dir dir,
		    uint64_t addr, uint32_t size, uint64_t *data, int timeout_ms);
/** Rings as the guest does by a write to gpa; false if there is no eventfd or no window there. */
bool fake_dev_ring(uint32_t part, uint64_t gpa);
/** The partition stops by itself. */
void fake_dev_stop(uint32_t part, enum bh_stop_reason reason, uint64_t detail);
/** Takes the oldest interrupt raised in the guest (irqfd or dev_msi), waiting up to timeout_ms. */
bool fake_dev_take_msi(uint32_t part, uint64_t *ret_addr, uint32_t *ret_data, int timeout_ms);
/** Current state and first vcpu state as last set; the RAM as the guest sees it. */
enum bh_part_state fake_dev_state(uint32_t part);
const struct bh_vcpu_start *fake_dev_vcpu(uint32_t part, uint32_t vcpu);
void *fake_dev_ram(uint32_t part);
void fake_dev_log(const char *text);
/** Adds a real device to the policy table of the fake, with what root mode would tell of it; returns
 * its number. */
uint32_t fake_dev_add_device(const struct bh_device_info *info);
/** What was done to it since its partition was created or reset. */
struct fake_dev_device {
	struct bh_device_info info;
	uint64_t bar[BH_DEVICE_BAR_MAX]; /* where the partition sees it, 0: nowhere */
	struct {
		uint64_t address; /* of the message that the partition gets, 0: none */
		uint32_t data;
		bool masked;
	} irq[BH_DEVICE_IRQ_MAX];
	uint32_t flags;	      /* BULKHEAD_DEVICE_* */
	unsigned int changes; /* calls that changed anything above, since it was added */
};
const struct fake_dev_device *fake_dev_device(uint32_t device);
void fake_dev_set_stats(uint32_t part, uint32_t vcpu, const struct bh_vcpu_stats *stats);

#endif
