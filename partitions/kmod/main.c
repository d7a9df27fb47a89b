// SPDX-License-Identifier: GPL-2.0-only
/** The module: finds the hypervisor, owns /dev/bulkhead. Partitions are part.c, interrupts event.c. */
#include "kmod.h"

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

static long query_page(u64 number, int argc, u64 a, u64 b, void *page)
{
	u64 gpa = virt_to_phys(page);

	switch (argc) {
	case 0:
		return hypercall(number, gpa, 0, 0);
	case 1:
		return hypercall(number, a, gpa, 0);
	default:
		return hypercall(number, a, b, gpa);
	}
}

int query_to_user(u64 number, int argc, u64 a, u64 b, void __user *to, size_t size)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = query_page(number, argc, a, b, page);
	if (!ret && copy_to_user(to, page, size))
		ret = -EFAULT;
	free_page((unsigned long)page);
	return ret;
}

/* A structure that begins with the number of what the caller wants to see next. */
static long query_next(u64 number, void __user *to, size_t size)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = copy_from_user(page, to, sizeof(u64)) ? -EFAULT : query_page(number, 0, 0, 0, page);
	if (!ret && copy_to_user(to, page, size))
		ret = -EFAULT;
	free_page((unsigned long)page);
	return ret;
}

static long policy_load(const void __user *from)
{
	struct bulkhead_policy arg;
	void *page;
	long ret;

	if (copy_from_user(&arg, from, sizeof(arg)))
		return -EFAULT;
	if (arg.size > BH_POLICY_SIZE_MAX || arg.reserved)
		return -EINVAL;
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	ret = copy_from_user(page, u64_to_user_ptr(arg.user), arg.size)
		      ? -EFAULT
		      : hypercall(BH_HC_POLICY_LOAD, virt_to_phys(page), arg.size, 0);
	free_page((unsigned long)page);
	return ret;
}

static DECLARE_WAIT_QUEUE_HEAD(fault_wait);
static bool fault_news;

void main_fault(void)
{
	WRITE_ONCE(fault_news, true);
	wake_up(&fault_wait);
}

static __poll_t main_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &fault_wait, wait);
	return READ_ONCE(fault_news) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long main_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bulkhead_query query;
	void __user *to;

	switch (cmd) {
	case BULKHEAD_VERSION:
		return hypercall_raw(BH_HC_VERSION, 0, 0, 0, 0);
	case BULKHEAD_CREATE:
		return arg < BH_PART_MAX ? part_create(arg) : -ENOENT;
	case BULKHEAD_POLICY_LOAD:
		return policy_load((const void __user *)arg);
	case BULKHEAD_INFO:
	case BULKHEAD_STATS:
	case BULKHEAD_LOG:
	case BULKHEAD_IOMMU:
	case BULKHEAD_FAULT:
	case BULKHEAD_POLICY_INFO:
		break;
	default:
		return -ENOTTY;
	}
	if (copy_from_user(&query, (void __user *)arg, sizeof(query)))
		return -EFAULT;
	to = u64_to_user_ptr(query.user);
	switch (cmd) {
	case BULKHEAD_INFO:
		return query_to_user(BH_HC_PART_INFO, 1, query.part, 0, to,
				     sizeof(struct bh_part_info));
	case BULKHEAD_STATS:
		return query_to_user(BH_HC_STATS, 2, query.part, query.vcpu, to,
				     sizeof(struct bh_vcpu_stats));
	case BULKHEAD_IOMMU:
		WRITE_ONCE(fault_news, false);
		return query_to_user(BH_HC_IOMMU_INFO, 0, 0, 0, to, sizeof(struct bh_iommu_info));
	case BULKHEAD_POLICY_INFO:
		return query_to_user(BH_HC_POLICY_INFO, 0, 0, 0, to, sizeof(struct bh_policy_info));
	case BULKHEAD_FAULT:
		return query_next(BH_HC_IOMMU_FAULT, to, sizeof(struct bh_iommu_fault));
	default:
		return query_next(BH_HC_LOG_READ, to, sizeof(struct bh_log_read));
	}
}

static const struct file_operations main_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = main_ioctl,
	.poll = main_poll,
	.llseek = noop_llseek,
};

static struct miscdevice main_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bulkhead",
	.fops = &main_fops,
	.mode = 0600,
};

static int __init main_init(void)
{
	long version;
	int ret;

	if (!hypercall_present()) {
		pr_info("not running under the Bulkhead hypervisor\n");
		return -ENODEV;
	}
	version = hypercall_raw(BH_HC_VERSION, 0, 0, 0, 0);
	if (version < 0 || version >> 16 != BH_ABI_VERSION >> 16) {
		pr_err("hypervisor has ABI %#lx, this module needs %#x\n", version, BH_ABI_VERSION);
		return -ENODEV;
	}
	ret = event_init();
	if (ret) {
		pr_err("no event interrupt: error %d\n", ret);
		return ret;
	}
	ret = misc_register(&main_device);
	if (ret)
		event_fini();
	return ret;
}
module_init(main_init);

/* Open fds hold the module, so no partition is left here. */
static void __exit main_exit(void)
{
	misc_deregister(&main_device);
	event_fini();
}
module_exit(main_exit);

MODULE_DESCRIPTION("Partitions of the Bulkhead hypervisor as file descriptors");
MODULE_LICENSE("GPL");
