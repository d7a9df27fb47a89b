// SPDX-License-Identifier: GPL-2.0-only
/** The event page and its interrupt: doorbells become eventfds, ioreqs and state changes wake sleepers.
 *
 *  The interrupt is a message-signalled one of a platform device below the CPU vector domain. The MSI core
 *  composes the message and hands it to event_write_msg(), at start and whenever the affinity moves the
 *  vector; root mode then raises exactly that message.
 */
#include "kmod.h"

#include <linux/bitops.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/msi.h>
#include <linux/platform_device.h>
#include <asm/irqdomain.h>

static struct bh_event_page *event_page;
static DEFINE_SPINLOCK(event_lock);
static struct part *parts[BH_PART_MAX];
static struct platform_device *event_device;
static struct fwnode_handle *event_fwnode;
static struct irq_domain *event_domain;
static unsigned int event_irq;
static int event_error; /* of the last event_write_msg(), which cannot return one */

void event_add_part(struct part *part)
{
	unsigned long flags;

	spin_lock_irqsave(&event_lock, flags);
	parts[part->id] = part;
	spin_unlock_irqrestore(&event_lock, flags);
}

void event_remove_part(struct part *part)
{
	unsigned long flags;

	spin_lock_irqsave(&event_lock, flags);
	parts[part->id] = NULL;
	spin_unlock_irqrestore(&event_lock, flags);
}

bool event_has_part(u32 id)
{
	return READ_ONCE(parts[id]);
}

struct eventfd_ctx *event_swap_doorbell(struct part *part, u32 doorbell, u32 queue,
					struct eventfd_ctx *ctx)
{
	unsigned long flags;

	spin_lock_irqsave(&event_lock, flags);
	swap(part->doorbell[doorbell][queue], ctx);
	spin_unlock_irqrestore(&event_lock, flags);
	return ctx;
}

static void event_take_doorbells(u32 id, struct part *part)
{
	unsigned long pages = xchg(&event_page->doorbell_page[id], 0);
	unsigned int page, queue;

	for_each_set_bit(page, &pages, BH_DOORBELL_MAX) {
		unsigned long queues = xchg(&event_page->doorbell[id][page], 0);

		for_each_set_bit(queue, &queues, BH_DOORBELL_QUEUE_MAX) {
			if (part && part->doorbell[page][queue])
				eventfd_signal(part->doorbell[page][queue], 1);
		}
	}
}

static void event_take_ioreqs(u32 id, struct part *part)
{
	unsigned long vcpus = xchg(&event_page->ioreq[id], 0);
	unsigned int vcpu;

	for_each_set_bit(vcpu, &vcpus, BH_VCPU_MAX) {
		if (part)
			wake_up(&part->ioreq_wait[vcpu]);
	}
}

/* A partition changes its state by itself in one way only: it stops. */
static void event_part_stopped(struct part *part)
{
	unsigned int vcpu;

	WRITE_ONCE(part->stopped, true);
	WRITE_ONCE(part->news, true);
	wake_up(&part->state_wait);
	for (vcpu = 0; vcpu < BH_VCPU_MAX; vcpu++)
		wake_up_all(&part->ioreq_wait[vcpu]);
}

/* `pending` is taken first: a bit that root mode sets behind our back raises the interrupt again. */
static irqreturn_t event_interrupt(int irq, void *data)
{
	unsigned long pending, stopped;
	unsigned int id;

	spin_lock(&event_lock);
	pending = xchg(&event_page->pending, 0);
	stopped = xchg(&event_page->state, 0);
	if (xchg(&event_page->fault, 0))
		main_fault();
	for_each_set_bit(id, &pending, BH_PART_MAX) {
		event_take_ioreqs(id, parts[id]);
		event_take_doorbells(id, parts[id]);
	}
	for_each_set_bit(id, &stopped, BH_PART_MAX) {
		if (parts[id])
			event_part_stopped(parts[id]);
	}
	spin_unlock(&event_lock);
	return IRQ_HANDLED;
}

/* An all-zero message says that the vector is gone; root mode then gets no page either. */
static void event_write_msg(struct msi_desc *desc, struct msi_msg *msg)
{
	u64 address = (u64)msg->address_hi << 32 | msg->address_lo;

	event_error = hypercall(BH_HC_EVENT_SETUP, address ? virt_to_phys(event_page) : 0, address,
				msg->data);
}

/* Nothing to mask: root mode raises the interrupt once until `pending` was taken. */
static void event_mask(struct irq_data *data)
{
}

static struct irq_chip event_chip = {
	.name = "bulkhead",
	.irq_mask = event_mask,
	.irq_unmask = event_mask,
	.irq_ack = irq_chip_ack_parent,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static struct msi_domain_ops event_domain_ops;

static struct msi_domain_info event_domain_info = {
	.flags = MSI_FLAG_USE_DEF_DOM_OPS | MSI_FLAG_USE_DEF_CHIP_OPS,
	.ops = &event_domain_ops,
	.chip = &event_chip,
	.handler = handle_edge_irq,
	.handler_name = "edge",
};

/* A page that root mode may still write to is never reused. */
static void event_free_page(void)
{
	if (!event_error)
		free_page((unsigned long)event_page);
}

int event_init(void)
{
	int ret = -ENOMEM;

	BUILD_BUG_ON(sizeof(*event_page) > PAGE_SIZE);
	event_page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!event_page)
		return -ENOMEM;
	event_device = platform_device_register_simple("bulkhead", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(event_device)) {
		ret = PTR_ERR(event_device);
		goto free_page;
	}
	event_fwnode = irq_domain_alloc_named_fwnode("bulkhead");
	if (!event_fwnode)
		goto unregister_device;
	event_domain = platform_msi_create_irq_domain(event_fwnode, &event_domain_info,
						      x86_vector_domain);
	if (!event_domain)
		goto free_fwnode;
	dev_set_msi_domain(&event_device->dev, event_domain);
	ret = platform_msi_domain_alloc_irqs(&event_device->dev, 1, event_write_msg);
	if (ret)
		goto remove_domain;
	event_irq = msi_get_virq(&event_device->dev, 0);
	ret = request_irq(event_irq, event_interrupt, IRQF_NO_THREAD, "bulkhead", NULL);
	if (ret)
		goto free_irqs;
	ret = event_error;
	if (ret)
		goto free_irq;
	return 0;

free_irq:
	free_irq(event_irq, NULL);
free_irqs:
	platform_msi_domain_free_irqs(&event_device->dev);
remove_domain:
	irq_domain_remove(event_domain);
free_fwnode:
	irq_domain_free_fwnode(event_fwnode);
unregister_device:
	platform_device_unregister(event_device);
free_page:
	event_free_page();
	return ret;
}

void event_fini(void)
{
	free_irq(event_irq, NULL);
	platform_msi_domain_free_irqs(&event_device->dev);
	irq_domain_remove(event_domain);
	irq_domain_free_fwnode(event_fwnode);
	platform_device_unregister(event_device);
	event_free_page();
}
