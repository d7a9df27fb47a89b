/* SPDX-License-Identifier: Apache-2.0 */
/** Thin client of /dev/bulkhead: one function per ioctl and mmap, nothing kept between calls.
 *
 *  Linked from bulkhead_dev.c (the real device) or tests/fakes/bulkhead_dev_fake.c (memory and
 * threads). All functions return 0, or a new close-on-exec fd where said, else -errno; see
 * ../bulkhead.h for what each errno means. Outputs are untouched on failure. Any thread may call
 * any of them.
 */
#ifndef BULKHEAD_DEV_H
#define BULKHEAD_DEV_H

#include <stdbool.h>
#include "kmod/bulkhead.h"
#include "abi/hypercall.h"

#define DEV_MUST_CHECK __attribute__((warn_unused_result))

/** Opens /dev/bulkhead and checks that its ABI major version is ours (-EPROTO). Returns the fd. */
DEV_MUST_CHECK int dev_open(void);

/** State of any partition of the policy table; -ENOENT behind the last. Does not take the poll
 * flag. */
DEV_MUST_CHECK int dev_info(int dev, uint32_t part, struct bh_part_info *ret_info);
/** Counters of one vcpu. */
DEV_MUST_CHECK int dev_stats(int dev, uint32_t part, uint32_t vcpu,
			     struct bh_vcpu_stats *ret_stats);
/** Text of the hypervisor log from log->cursor on. The next call goes on at log->cursor +
 * log->size. */
DEV_MUST_CHECK int dev_log(int dev, struct bh_log_read *log);
/** What holds devices back from memory; ends POLLIN of dev until a device is denied an access again. */
DEV_MUST_CHECK int dev_iommu(int dev, struct bh_iommu_info *ret_info);
/** The access with the number fault->number, or the oldest kept after it; -ENOENT: none yet. */
DEV_MUST_CHECK int dev_fault(int dev, struct bh_iommu_fault *fault);
/** Which policy tables root mode goes by. */
DEV_MUST_CHECK int dev_policy_info(int dev, struct bh_policy_info *ret_info);
/** Makes root mode go by another table; `table` is its file, of which the first `struct bh_policy.size` bytes
 * are handed over. -EBADMSG: not a table. -EPERM: it allows what the table of this boot does not. What
 * a partition was created with (memory, vcpus, that it may be mapped) it keeps until it is destroyed. */
DEV_MUST_CHECK int dev_policy_load(int dev, const void *table, uint32_t size);
/** Creates the partition: RAM zeroed, state CREATED. Returns the partition fd; the partition is
 * destroyed when its last holder (partition fd, RAM fd or mapping, in any process) is gone. */
DEV_MUST_CHECK int dev_create(int dev, uint32_t part);

/** The calls below take the partition fd. */

/** Own state; ends POLLIN of the partition fd until the state changes again. */
DEV_MUST_CHECK int dev_part_info(int part_fd, struct bh_part_info *ret_info);
DEV_MUST_CHECK int dev_part_start(int part_fd);
DEV_MUST_CHECK int dev_part_pause(int part_fd);
DEV_MUST_CHECK int dev_part_resume(int part_fd);
/** State CREATED again, RAM zeroed; doorbells, doorbell window and irqfds are gone; whoever waits
 * in dev_ioreq_next() gets -ENODEV. Mappings stay valid. */
DEV_MUST_CHECK int dev_part_reset(int part_fd);
DEV_MUST_CHECK int dev_vcpu_set(int part_fd, uint32_t vcpu, const struct bh_vcpu_start *start);

/** Returns a RAM fd: mmap() at offset = gpa, and nothing else. Hand it to back ends. */
DEV_MUST_CHECK int dev_ram_fd(int part_fd);
/** Maps [gpa, gpa + size) of the partition's RAM, readable and writable, from its partition or RAM
 * fd. Both multiples of 4096, size > 0. A PFN mapping: read() and write() into it fail with EFAULT.
 */
DEV_MUST_CHECK int dev_map_ram(int fd, uint64_t gpa, uint64_t size, void **ret_ram);
/** Maps the ioreq page: BH_VCPU_MAX slots. */
DEV_MUST_CHECK int dev_map_ioreq(int part_fd, struct bh_ioreq **ret_slots);
/** Unmaps what dev_map_ram() or dev_map_ioreq() (size BH_PAGE_SIZE) returned. */
void dev_unmap(void *addr, uint64_t size);

/** Hands in the answer of slot `vcpu` if its state is BH_IOREQ_DONE, then waits until it is
 * PENDING. -EINTR on a signal; -ENODEV when the partition stopped, was reset or is being destroyed.
 */
DEV_MUST_CHECK int dev_ioreq_next(int part_fd, uint32_t vcpu);
/** Rings of (doorbell, queue) add 1 to the eventfd; -1 removes it. */
DEV_MUST_CHECK int dev_doorbell(int part_fd, uint32_t doorbell, uint32_t queue, int eventfd);
/** Places `count` doorbell pages at gpa (page aligned, outside RAM); gpa 0 removes the window. */
DEV_MUST_CHECK int dev_doorbell_window(int part_fd, uint64_t gpa, uint32_t count);
/** Writes to the eventfd raise this MSI in the guest; a second call replaces the message. */
DEV_MUST_CHECK int dev_irqfd(int part_fd, int eventfd, uint64_t msi_addr, uint32_t msi_data);
/** -ENOENT when the eventfd was not assigned. */
DEV_MUST_CHECK int dev_irqfd_remove(int part_fd, int eventfd);
/** Raises one MSI in the guest now. */
DEV_MUST_CHECK int dev_msi(int part_fd, uint64_t msi_addr, uint32_t msi_data);

/** Real devices of the partition, numbered as in the policy table. A reset of the partition stops them
 * and takes back what the calls below gave. */

/** -ENOENT behind the last device of the table, -EPERM for one of another partition. */
DEV_MUST_CHECK int dev_device_info(int part_fd, uint32_t device, struct bh_device_info *ret_info);
/** Shows a BAR to the partition at gpa (page aligned, outside RAM) but for the pages with the MSI-X
 * table; gpa 0 takes it away. */
DEV_MUST_CHECK int dev_device_map(int part_fd, uint32_t device, uint32_t bar, uint64_t gpa);
/** Makes entry `index` of the device's MSI-X table raise this MSI in the partition; msi_addr 0: none
 * any more. A masked entry holds its interrupt back. */
DEV_MUST_CHECK int dev_device_irq(int part_fd, uint32_t device, uint32_t index, uint64_t msi_addr,
				  uint32_t msi_data, bool masked);
/** Sets BULKHEAD_DEVICE_* and clears what is not named. */
DEV_MUST_CHECK int dev_device_control(int part_fd, uint32_t device, uint32_t flags);

#endif
