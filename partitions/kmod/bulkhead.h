/* SPDX-License-Identifier: Apache-2.0 */
/** What /dev/bulkhead offers to bulkheadd, runners and back ends of the control partition.
 *
 *  /dev/bulkhead        BULKHEAD_VERSION, BULKHEAD_INFO, BULKHEAD_STATS, BULKHEAD_LOG, BULKHEAD_CREATE,
 *                       BULKHEAD_IOMMU, BULKHEAD_FAULT, BULKHEAD_POLICY_INFO, BULKHEAD_POLICY_LOAD.
 *                       poll(): POLLIN when a device was denied an access since the last BULKHEAD_IOMMU.
 *  partition fd         from BULKHEAD_CREATE; the partition lives until its last holder closes it.
 *                       poll(): POLLIN when the state changed since the last BULKHEAD_PART_INFO.
 *                       mmap(): offset BULKHEAD_MMAP_RAM + gpa: RAM; BULKHEAD_MMAP_IOREQ: the ioreq page.
 *  RAM fd               from BULKHEAD_RAM_FD; mmap() of the partition's RAM only (offset = gpa).
 *
 *  All ioctls return 0 or a new fd, else -1 and errno. enum bh_err becomes: INVAL EINVAL, DENIED EPERM,
 *  NOMEM ENOMEM, NOENT ENOENT, STATE EBUSY, RANGE ERANGE, EXISTS EEXIST, NOSYS ENOSYS, NOSUPP EOPNOTSUPP,
 *  CORRUPT EBADMSG.
 */
#ifndef BULKHEAD_UAPI_H
#define BULKHEAD_UAPI_H

#ifdef __KERNEL__
#include <linux/ioctl.h>
#include <linux/types.h>
#else
#include <sys/ioctl.h>
#include <stdint.h>
#endif
#include "abi/types.h"
#include "abi/device.h"
#include "abi/part.h"
#include "abi/ioreq.h"
#include "abi/policy.h"

#define BULKHEAD_MMAP_RAM   0ull
#define BULKHEAD_MMAP_IOREQ (1ull << 40)

struct bulkhead_query { /* the six of /dev/bulkhead that fill a structure */
	uint32_t part;
	uint32_t vcpu;
	uint64_t user; /* struct bh_part_info *, bh_vcpu_stats *, bh_log_read *, ... */
};

/** Root mode's part of a policy table: the first bytes of its file, as many as struct bh_policy.size says. */
struct bulkhead_policy {
	uint64_t user; /* address of the bytes */
	uint32_t size; /* at most BH_POLICY_SIZE_MAX */
	uint32_t reserved;
};

struct bulkhead_vcpu_start {
	uint32_t vcpu;
	uint32_t reserved;
	struct bh_vcpu_start start;
};

/** Rings of queue `queue` on doorbell page `doorbell` add 1 to the eventfd; fd -1 removes it. */
struct bulkhead_doorbell {
	uint32_t doorbell;
	uint32_t queue;
	int32_t eventfd;
	uint32_t reserved;
};

struct bulkhead_doorbell_window {
	uint64_t gpa; /* page aligned, outside RAM; 0 removes the window */
	uint32_t count; /* pages = doorbells */
	uint32_t reserved;
};

/** Each write to the eventfd raises the MSI in the guest. The same eventfd again replaces the message. */
struct bulkhead_irqfd {
	int32_t eventfd;
	uint32_t assign; /* 1 assign or replace, 0 remove */
	uint64_t msi_addr;
	uint32_t msi_data;
	uint32_t reserved;
};

struct bulkhead_msi {
	uint64_t msi_addr;
	uint32_t msi_data;
	uint32_t reserved;
};

/** A real device of the partition, numbered as in the policy table. EPERM: it is another partition's. */
struct bulkhead_device_info {
	uint32_t device; /* in */
	uint32_t reserved;
	struct bh_device_info info; /* out */
};

struct bulkhead_device_map {
	uint32_t device;
	uint32_t bar;
	uint64_t gpa; /* page aligned, outside RAM; 0: not mapped any more */
};

/** The module asks root mode for a message that becomes this one and writes it into the device's table. */
struct bulkhead_device_irq {
	uint32_t device;
	uint32_t index; /* of the entry */
	uint64_t part_address; /* message that the partition gets; address 0: none any more */
	uint32_t part_data;
	uint32_t masked; /* 1: the device holds it back */
};

#define BULKHEAD_DEVICE_MASTER      0x1u /* may reach memory and send interrupts */
#define BULKHEAD_DEVICE_MSIX        0x2u /* MSI-X on */
#define BULKHEAD_DEVICE_MSIX_MASKED 0x4u /* all entries held back */

struct bulkhead_device_control {
	uint32_t device;
	uint32_t flags; /* BULKHEAD_DEVICE_*; a reset of the partition clears them */
};

#define BULKHEAD_VERSION         _IO('B', 0x00)                         /* -> BH_ABI_VERSION */
#define BULKHEAD_INFO            _IOW('B', 0x01, struct bulkhead_query)
#define BULKHEAD_STATS           _IOW('B', 0x02, struct bulkhead_query)
#define BULKHEAD_LOG             _IOW('B', 0x03, struct bulkhead_query)
#define BULKHEAD_CREATE          _IO('B', 0x04)                         /* (part id) -> partition fd */
#define BULKHEAD_IOMMU           _IOW('B', 0x05, struct bulkhead_query)
#define BULKHEAD_FAULT           _IOW('B', 0x06, struct bulkhead_query) /* ENOENT: no such one yet */
#define BULKHEAD_POLICY_INFO     _IOW('B', 0x07, struct bulkhead_query)
/** EBADMSG: not a table. EPERM: it allows what the table of this boot does not. */
#define BULKHEAD_POLICY_LOAD     _IOW('B', 0x08, struct bulkhead_policy)
#define BULKHEAD_PART_INFO       _IOR('B', 0x10, struct bh_part_info)
#define BULKHEAD_START           _IO('B', 0x11)
#define BULKHEAD_PAUSE           _IO('B', 0x12)
#define BULKHEAD_RESUME          _IO('B', 0x13)
#define BULKHEAD_RESET           _IO('B', 0x14)
#define BULKHEAD_VCPU_SET        _IOW('B', 0x15, struct bulkhead_vcpu_start)
#define BULKHEAD_RAM_FD          _IO('B', 0x16)                         /* -> RAM fd */
/** (vcpu): hands in the answer of a slot in state DONE, if there is one, then waits for the next PENDING.
 *  0: slot is PENDING. EINTR: signal. ENODEV: the partition was reset or stopped; see PART_INFO. */
#define BULKHEAD_IOREQ_NEXT      _IO('B', 0x17)
#define BULKHEAD_DOORBELL        _IOW('B', 0x18, struct bulkhead_doorbell)
#define BULKHEAD_DOORBELL_WINDOW _IOW('B', 0x19, struct bulkhead_doorbell_window)
#define BULKHEAD_IRQFD           _IOW('B', 0x1a, struct bulkhead_irqfd)
#define BULKHEAD_MSI             _IOW('B', 0x1b, struct bulkhead_msi)
#define BULKHEAD_DEVICE_INFO     _IOWR('B', 0x1c, struct bulkhead_device_info)
/** These three: ENODEV: this kernel does not see the device. EBUSY: one of its drivers has it, or its BARs
 *  were moved since root mode looked. EOPNOTSUPP: not assigned. */
#define BULKHEAD_DEVICE_MAP      _IOW('B', 0x1d, struct bulkhead_device_map)
#define BULKHEAD_DEVICE_IRQ      _IOW('B', 0x1e, struct bulkhead_device_irq)
#define BULKHEAD_DEVICE_CONTROL  _IOW('B', 0x1f, struct bulkhead_device_control)

#endif
