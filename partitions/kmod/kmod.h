/* SPDX-License-Identifier: GPL-2.0-only */
/** What the files of the module share. Lock order: part.mutex, then event_lock, then an eventfd's own wait
 *  queue lock, then irqfd.lock. */
#ifndef BULKHEAD_KMOD_H
#define BULKHEAD_KMOD_H

#define pr_fmt(fmt) "bulkhead: " fmt

#include <linux/eventfd.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "bulkhead.h"
#include "abi/event.h"
#include "abi/policy.h"
#include "hypercall.h"

struct pci_dev;

/** A real device that the policy gives to the partition; taken at its first use. Under part.mutex. */
struct part_device {
	struct pci_dev *pci; /* NULL: not taken */
	void __iomem *table; /* MSI-X */
	u32 irq_count;
};

/** A partition that somebody holds: partition fds and RAM fds each count, mappings hold their file. */
struct part {
	u32 id;
	u32 vcpu_count;
	struct kref ref;
	u64 ram_hpa;
	u64 ram_size;
	bool may_map; /* policy: the control partition sees its RAM */
	struct bh_ioreq *slots; /* one page, written by root mode while a vcpu waits */

	struct mutex mutex; /* one lifecycle change at a time; guards irqfds, device */
	struct list_head irqfds;
	struct part_device device[BH_POLICY_DEVICE_MAX];
	struct work_struct irqfd_work; /* takes away irqfds whose eventfd was closed */

	/* Written under mutex or by the interrupt, read by sleepers without a lock. */
	unsigned int epoch; /* counts resets */
	bool stopped;
	bool news; /* state changed since PART_INFO */
	wait_queue_head_t state_wait; /* poll */
	wait_queue_head_t ioreq_wait[BH_VCPU_MAX];

	/* Under event_lock. */
	struct eventfd_ctx *doorbell[BH_DOORBELL_MAX][BH_DOORBELL_QUEUE_MAX];
};

/* event.c */
/** Sets up the event page and its interrupt. Returns 0 or -errno. */
int event_init(void);
void event_fini(void);
/** From now on / no longer the interrupt finds this partition. */
void event_add_part(struct part *part);
void event_remove_part(struct part *part);
bool event_has_part(u32 id);
/** Puts ctx (may be NULL) in the place of a doorbell's eventfd and returns the old one. */
struct eventfd_ctx *event_swap_doorbell(struct part *part, u32 doorbell, u32 queue,
					struct eventfd_ctx *ctx);

/* irqfd.c */
void irqfd_init(struct part *part);
/** Takes away all irqfds; afterwards none raises an interrupt any more. part->mutex held. */
void irqfd_clear(struct part *part);
/** Waits for the work that was started before irqfd_clear(). part->mutex not held. */
void irqfd_fini(struct part *part);
int irqfd_change(struct part *part, const struct bulkhead_irqfd *arg);

/* device.c */
/** Stops and resets the devices that were taken: no access to memory and no interrupt comes from them any
 *  more. part->mutex held. */
void device_quiesce(struct part *part);
/** Gives them back. Nobody else uses the partition any more. */
void device_fini(struct part *part);
/** BULKHEAD_DEVICE_*. */
long device_ioctl(struct part *part, unsigned int cmd, void __user *arg);

/* part.c */
/** Creates the partition in root mode and returns a partition fd, or -errno. */
int part_create(u32 id);

/* main.c */
/** A device was denied an access: wakes who polls /dev/bulkhead. */
void main_fault(void);
/** Runs a hypercall whose last argument is a page that is copied to `to` afterwards. `argc` 0..2 counts
 *  the arguments before it. */
int query_to_user(u64 number, int argc, u64 a, u64 b, void __user *to, size_t size);

#endif
