// SPDX-License-Identifier: GPL-2.0-only
/** A partition as file descriptors: lifecycle, RAM and ioreq mappings, the runner's wait for ioreqs.
 *
 *  The partition is destroyed in root mode when the last partition fd and RAM fd are released. A mapping
 *  holds its file, so no mapping of RAM outlives the partition.
 */
#include "kmod.h"

#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static DEFINE_MUTEX(create_mutex);

static void part_wake(struct part *part)
{
	unsigned int vcpu;

	for (vcpu = 0; vcpu < BH_VCPU_MAX; vcpu++)
		wake_up_all(&part->ioreq_wait[vcpu]);
	WRITE_ONCE(part->news, true);
	wake_up(&part->state_wait);
}

static void part_clear_doorbells(struct part *part)
{
	unsigned int doorbell, queue;

	for (doorbell = 0; doorbell < BH_DOORBELL_MAX; doorbell++) {
		for (queue = 0; queue < BH_DOORBELL_QUEUE_MAX; queue++) {
			struct eventfd_ctx *ctx = event_swap_doorbell(part, doorbell, queue, NULL);

			if (ctx)
				eventfd_ctx_put(ctx);
		}
	}
}

static void part_destroy(struct kref *ref)
{
	struct part *part = container_of(ref, struct part, ref);
	int ret;

	mutex_lock(&part->mutex);
	irqfd_clear(part);
	device_quiesce(part);
	mutex_unlock(&part->mutex);
	irqfd_fini(part);
	device_fini(part);

	mutex_lock(&create_mutex);
	ret = hypercall(BH_HC_PART_DESTROY, part->id, 0, 0);
	event_remove_part(part);
	mutex_unlock(&create_mutex);
	part_clear_doorbells(part);
	if (ret) /* root mode may still write to the ioreq page: it is never reused */
		pr_err("partition %u was not destroyed: error %d\n", part->id, ret);
	else
		free_page((unsigned long)part->slots);
	kfree(part);
}

static int part_reset(struct part *part)
{
	int ret;

	mutex_lock(&part->mutex);
	device_quiesce(part);
	ret = hypercall(BH_HC_PART_RESET, part->id, 0, 0);
	if (!ret) {
		irqfd_clear(part);
		part_clear_doorbells(part);
		memset(part->slots, 0, PAGE_SIZE);
		WRITE_ONCE(part->stopped, false);
		WRITE_ONCE(part->epoch, part->epoch + 1);
		part_wake(part);
	}
	mutex_unlock(&part->mutex);
	return ret;
}

static int part_change(struct part *part, u64 number)
{
	int ret;

	mutex_lock(&part->mutex);
	ret = hypercall(number, part->id, 0, 0);
	if (!ret)
		part_wake(part);
	mutex_unlock(&part->mutex);
	return ret;
}

static int part_set_vcpu(struct part *part, const struct bulkhead_vcpu_start *arg)
{
	struct bh_vcpu_start *start = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!start)
		return -ENOMEM;
	*start = arg->start;
	ret = hypercall(BH_HC_VCPU_SET, part->id, arg->vcpu, virt_to_phys(start));
	free_page((unsigned long)start);
	return ret;
}

static bool part_has_news(struct part *part, struct bh_ioreq *slot, unsigned int epoch)
{
	return smp_load_acquire(&slot->state) == BH_IOREQ_PENDING || READ_ONCE(part->stopped) ||
	       READ_ONCE(part->epoch) != epoch;
}

/* A guest that talks to a device asks again soon. While no other task wants this CPU, the answer halts right
 * here until it does, or until any interrupt: that saves the interrupt and a round through the idle task. */
static int part_answer(struct part *part, unsigned long vcpu)
{
	int ret;

	local_irq_disable();
	ret = hypercall(BH_HC_IOREQ_DONE, part->id, vcpu,
			single_task_running() && !need_resched() ? BH_IOREQ_WAIT : 0);
	local_irq_enable();
	return ret;
}

static int part_next_ioreq(struct part *part, unsigned long vcpu)
{
	unsigned int epoch = READ_ONCE(part->epoch);
	struct bh_ioreq *slot;
	int ret;

	if (vcpu >= part->vcpu_count)
		return -EINVAL;
	slot = &part->slots[vcpu];
	if (smp_load_acquire(&slot->state) == BH_IOREQ_DONE) {
		ret = part_answer(part, vcpu);
		/* A partition that stopped or was reset meanwhile wants no answer; the wait says so. */
		if (ret && ret != -EBUSY)
			return ret;
	}
	ret = wait_event_interruptible(part->ioreq_wait[vcpu], part_has_news(part, slot, epoch));
	if (ret)
		return -EINTR;
	return READ_ONCE(part->stopped) || READ_ONCE(part->epoch) != epoch ? -ENODEV : 0;
}

static int part_set_doorbell(struct part *part, const struct bulkhead_doorbell *arg)
{
	struct eventfd_ctx *ctx = NULL;

	if (arg->doorbell >= BH_DOORBELL_MAX || arg->queue >= BH_DOORBELL_QUEUE_MAX)
		return -EINVAL;
	if (arg->eventfd >= 0) {
		ctx = eventfd_ctx_fdget(arg->eventfd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	ctx = event_swap_doorbell(part, arg->doorbell, arg->queue, ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

static int ram_fd(struct part *part);

static long part_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct part *part = file->private_data;
	void __user *from = (void __user *)arg;
	union {
		struct bulkhead_vcpu_start vcpu_start;
		struct bulkhead_doorbell doorbell;
		struct bulkhead_doorbell_window window;
		struct bulkhead_irqfd irqfd;
		struct bulkhead_msi msi;
	} in;

	if (_IOC_NR(cmd) >= _IOC_NR(BULKHEAD_DEVICE_INFO))
		return device_ioctl(part, cmd, from);
	if (_IOC_DIR(cmd) == _IOC_WRITE) {
		if (_IOC_SIZE(cmd) > sizeof(in))
			return -ENOTTY;
		if (copy_from_user(&in, from, _IOC_SIZE(cmd)))
			return -EFAULT;
	}
	switch (cmd) {
	case BULKHEAD_PART_INFO:
		WRITE_ONCE(part->news, false);
		return query_to_user(BH_HC_PART_INFO, 1, part->id, 0, from,
				     sizeof(struct bh_part_info));
	case BULKHEAD_START:
		return part_change(part, BH_HC_PART_START);
	case BULKHEAD_PAUSE:
		return part_change(part, BH_HC_PART_PAUSE);
	case BULKHEAD_RESUME:
		return part_change(part, BH_HC_PART_RESUME);
	case BULKHEAD_RESET:
		return part_reset(part);
	case BULKHEAD_RAM_FD:
		return ram_fd(part);
	case BULKHEAD_IOREQ_NEXT:
		return part_next_ioreq(part, arg);
	case BULKHEAD_VCPU_SET:
		return part_set_vcpu(part, &in.vcpu_start);
	case BULKHEAD_DOORBELL:
		return part_set_doorbell(part, &in.doorbell);
	case BULKHEAD_DOORBELL_WINDOW:
		return hypercall(BH_HC_DOORBELL_SETUP, part->id, in.window.gpa, in.window.count);
	case BULKHEAD_IRQFD:
		return irqfd_change(part, &in.irqfd);
	case BULKHEAD_MSI:
		return hypercall(BH_HC_MSI_POST, part->id, in.msi.msi_addr, in.msi.msi_data);
	default:
		return -ENOTTY;
	}
}

static __poll_t part_poll(struct file *file, poll_table *table)
{
	struct part *part = file->private_data;

	poll_wait(file, &part->state_wait, table);
	return READ_ONCE(part->news) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int part_release(struct inode *inode, struct file *file)
{
	struct part *part = file->private_data;

	kref_put(&part->ref, part_destroy);
	return 0;
}

/* RAM belongs to no struct page of this kernel: a PFN mapping, write-back, never executable. */
static int ram_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct part *part = file->private_data;
	u64 size = vma->vm_end - vma->vm_start;
	u64 gpa = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (!part->may_map)
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	if (vma->vm_pgoff > part->ram_size >> PAGE_SHIFT || size > part->ram_size - gpa)
		return -EINVAL;
	vma->vm_flags &= ~VM_MAYEXEC;
	return remap_pfn_range(vma, vma->vm_start, (part->ram_hpa + gpa) >> PAGE_SHIFT, size,
			       vma->vm_page_prot);
}

static int part_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct part *part = file->private_data;

	if (vma->vm_pgoff != BULKHEAD_MMAP_IOREQ >> PAGE_SHIFT)
		return ram_mmap(file, vma);
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	vma->vm_flags &= ~VM_MAYEXEC;
	vma->vm_flags |= VM_DONTEXPAND | VM_DONTDUMP;
	return vm_insert_page(vma, vma->vm_start, virt_to_page(part->slots));
}

static const struct file_operations part_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = part_ioctl,
	.poll = part_poll,
	.mmap = part_mmap,
	.release = part_release,
	.llseek = noop_llseek,
};

static const struct file_operations ram_fops = {
	.owner = THIS_MODULE,
	.mmap = ram_mmap,
	.release = part_release,
	.llseek = noop_llseek,
};

static int ram_fd(struct part *part)
{
	int fd;

	kref_get(&part->ref);
	fd = anon_inode_getfd("bulkhead-ram", &ram_fops, part, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		kref_put(&part->ref, part_destroy);
	return fd;
}

static struct part *part_alloc(u32 id)
{
	struct part *part = kzalloc(sizeof(*part), GFP_KERNEL);
	unsigned int vcpu;

	if (!part)
		return NULL;
	part->slots = (void *)get_zeroed_page(GFP_KERNEL);
	if (!part->slots) {
		kfree(part);
		return NULL;
	}
	part->id = id;
	kref_init(&part->ref);
	mutex_init(&part->mutex);
	irqfd_init(part);
	init_waitqueue_head(&part->state_wait);
	for (vcpu = 0; vcpu < BH_VCPU_MAX; vcpu++)
		init_waitqueue_head(&part->ioreq_wait[vcpu]);
	return part;
}

/* Creates in root mode and learns what the policy gave it. create_mutex held. */
static int part_create_root(struct part *part)
{
	struct bh_part_info *info = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!info)
		return -ENOMEM;
	ret = hypercall(BH_HC_PART_CREATE, part->id, virt_to_phys(part->slots), 0);
	if (!ret) {
		ret = hypercall(BH_HC_PART_INFO, part->id, virt_to_phys(info), 0);
		if (ret)
			hypercall(BH_HC_PART_DESTROY, part->id, 0, 0);
	}
	if (!ret) {
		part->ram_hpa = info->ram_hpa;
		part->ram_size = info->ram_size;
		part->vcpu_count = min(info->vcpu_count, BH_VCPU_MAX);
		part->may_map = info->flags & BH_PART_MAPPED;
		event_add_part(part);
	}
	free_page((unsigned long)info);
	return ret;
}

int part_create(u32 id)
{
	struct part *part = part_alloc(id);
	int ret;

	if (!part)
		return -ENOMEM;
	mutex_lock(&create_mutex);
	ret = event_has_part(id) ? -EBUSY : part_create_root(part);
	mutex_unlock(&create_mutex);
	if (ret) {
		free_page((unsigned long)part->slots);
		kfree(part);
		return ret;
	}
	ret = anon_inode_getfd("bulkhead-part", &part_fops, part, O_RDWR | O_CLOEXEC);
	if (ret < 0)
		kref_put(&part->ref, part_destroy);
	return ret;
}
