// SPDX-License-Identifier: GPL-2.0-only
/** irqfds: a write to an eventfd raises an MSI in the partition, from the writer's own context.
 *
 *  We sit in the eventfd's wait queue. Its callback runs under the queue's lock, so after
 *  eventfd_ctx_remove_wait_queue() it neither runs nor starts any more and the entry can be freed.
 */
#include "kmod.h"

#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>

struct irqfd {
	struct list_head link;
	struct part *part;
	struct eventfd_ctx *ctx;
	wait_queue_entry_t wait;
	poll_table poll;
	spinlock_t lock; /* guards the message */
	u64 msi_addr;
	u32 msi_data;
	bool closed; /* the eventfd's last holder went away */
};

static void irqfd_post(struct irqfd *irqfd)
{
	unsigned long flags;
	u64 addr;
	u32 data;

	spin_lock_irqsave(&irqfd->lock, flags);
	addr = irqfd->msi_addr;
	data = irqfd->msi_data;
	spin_unlock_irqrestore(&irqfd->lock, flags);
	/* A partition that does not run loses the interrupt, as a machine that is off would. */
	hypercall(BH_HC_MSI_POST, irqfd->part->id, addr, data);
}

static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->ctx, &count);
		irqfd_post(irqfd);
	}
	if (events & EPOLLHUP) {
		WRITE_ONCE(irqfd->closed, true);
		schedule_work(&irqfd->part->irqfd_work);
	}
	return 0;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	add_wait_queue(head, &container_of(poll, struct irqfd, poll)->wait);
}

static void irqfd_remove(struct irqfd *irqfd)
{
	u64 count;

	list_del(&irqfd->link);
	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

static void irqfd_work(struct work_struct *work)
{
	struct part *part = container_of(work, struct part, irqfd_work);
	struct irqfd *irqfd, *next;

	mutex_lock(&part->mutex);
	list_for_each_entry_safe(irqfd, next, &part->irqfds, link) {
		if (READ_ONCE(irqfd->closed))
			irqfd_remove(irqfd);
	}
	mutex_unlock(&part->mutex);
}

void irqfd_init(struct part *part)
{
	INIT_LIST_HEAD(&part->irqfds);
	INIT_WORK(&part->irqfd_work, irqfd_work);
}

void irqfd_clear(struct part *part)
{
	struct irqfd *irqfd, *next;

	list_for_each_entry_safe(irqfd, next, &part->irqfds, link)
		irqfd_remove(irqfd);
}

void irqfd_fini(struct part *part)
{
	cancel_work_sync(&part->irqfd_work);
}

static struct irqfd *irqfd_find(struct part *part, struct eventfd_ctx *ctx)
{
	struct irqfd *irqfd;

	list_for_each_entry(irqfd, &part->irqfds, link) {
		if (irqfd->ctx == ctx)
			return irqfd;
	}
	return NULL;
}

static int irqfd_add(struct part *part, struct file *file, struct eventfd_ctx *ctx,
		     const struct bulkhead_irqfd *arg)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);

	if (!irqfd)
		return -ENOMEM;
	irqfd->part = part;
	irqfd->ctx = ctx;
	irqfd->msi_addr = arg->msi_addr;
	irqfd->msi_data = arg->msi_data;
	spin_lock_init(&irqfd->lock);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&irqfd->poll, irqfd_queue);
	list_add_tail(&irqfd->link, &part->irqfds);
	/* Written to before we came? */
	if (vfs_poll(file, &irqfd->poll) & EPOLLIN)
		irqfd_post(irqfd);
	return 0;
}

int irqfd_change(struct part *part, const struct bulkhead_irqfd *arg)
{
	struct fd file = fdget(arg->eventfd);
	struct eventfd_ctx *ctx;
	struct irqfd *irqfd;
	int ret = 0;

	if (!file.file)
		return -EBADF;
	ctx = eventfd_ctx_fileget(file.file);
	if (IS_ERR(ctx)) {
		fdput(file);
		return PTR_ERR(ctx);
	}
	mutex_lock(&part->mutex);
	irqfd = irqfd_find(part, ctx);
	if (!arg->assign) {
		if (irqfd)
			irqfd_remove(irqfd);
		else
			ret = -ENOENT;
	} else if (irqfd) {
		spin_lock_irq(&irqfd->lock);
		irqfd->msi_addr = arg->msi_addr;
		irqfd->msi_data = arg->msi_data;
		spin_unlock_irq(&irqfd->lock);
	} else {
		ret = irqfd_add(part, file.file, ctx, arg);
		if (!ret)
			ctx = NULL; /* the irqfd keeps it */
	}
	mutex_unlock(&part->mutex);
	if (ctx)
		eventfd_ctx_put(ctx);
	fdput(file);
	return ret;
}
