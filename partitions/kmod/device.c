// SPDX-License-Identifier: GPL-2.0-only
/** Real devices of a partition: found by what root mode says, quiet whenever the partition is reset or gone.
 *
 *  All that reaches the hardware from here: the memory and bus master bits of the command register, the two
 *  bits of MSI-X control, and table entries with messages that root mode chose. Who asks holds the partition
 *  and never the device.
 */
#include "kmod.h"

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#define DEVICE_FLAGS (BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX | BULKHEAD_DEVICE_MSIX_MASKED)

/* What root mode knows of a device of this partition. */
static int device_query(const struct part *part, u32 index, struct bh_device_info *ret_info)
{
	struct bh_device_info *info = (void *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!info)
		return -ENOMEM;
	ret = hypercall(BH_HC_DEVICE_INFO, index, virt_to_phys(info), 0);
	if (!ret && info->part != part->id)
		ret = -EPERM;
	if (!ret)
		*ret_info = *info;
	free_page((unsigned long)info);
	return ret;
}

static void device_control(struct part_device *device, u32 flags)
{
	struct pci_dev *pci = device->pci;
	u16 command, msix;

	pci_read_config_word(pci, PCI_COMMAND, &command);
	command &= ~(PCI_COMMAND_MASTER | PCI_COMMAND_IO);
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE;
	if (flags & BULKHEAD_DEVICE_MASTER)
		command |= PCI_COMMAND_MASTER;
	pci_write_config_word(pci, PCI_COMMAND, command);
	if (!device->irq_count)
		return;
	pci_read_config_word(pci, pci->msix_cap + PCI_MSIX_FLAGS, &msix);
	msix &= ~(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	if (flags & BULKHEAD_DEVICE_MSIX)
		msix |= PCI_MSIX_FLAGS_ENABLE;
	if (flags & BULKHEAD_DEVICE_MSIX_MASKED)
		msix |= PCI_MSIX_FLAGS_MASKALL;
	pci_write_config_word(pci, pci->msix_cap + PCI_MSIX_FLAGS, msix);
}

static void device_quiet(struct part_device *device)
{
	u32 i;

	device_control(device, 0);
	for (i = 0; i < device->irq_count; i++)
		writel(PCI_MSIX_ENTRY_CTRL_MASKBIT,
		       device->table + i * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL);
}

/* Root mode looked at the BARs before this kernel ran; it must not have moved them since. */
static int device_check(struct pci_dev *pci, const struct bh_device_info *info)
{
	unsigned int bar;

	if (pci->driver) {
		pci_err(pci, "assigned to a partition, but driver %s has it\n", pci->driver->name);
		return -EBUSY;
	}
	for (bar = 0; bar < BH_DEVICE_BAR_MAX; bar++) {
		if (info->bar[bar] && info->bar[bar] != pci_resource_start(pci, bar)) {
			pci_err(pci, "assigned to a partition, but BAR %u was moved\n", bar);
			return -EBUSY;
		}
	}
	return 0;
}

static int device_take(struct part_device *device, const struct bh_device_info *info)
{
	struct pci_dev *pci = pci_get_domain_bus_and_slot(0, info->source >> 8, info->source & 0xff);
	void __iomem *table = NULL;
	int ret = pci ? device_check(pci, info) : -ENODEV;

	if (!ret && pci->msix_cap && info->msix_count && info->msix_bar < BH_DEVICE_BAR_MAX) {
		table = ioremap(info->bar[info->msix_bar] + info->msix_offset,
				info->msix_count * PCI_MSIX_ENTRY_SIZE);
		if (!table)
			ret = -ENOMEM;
	}
	if (ret) {
		pci_dev_put(pci);
		return ret;
	}
	device->pci = pci;
	device->table = table;
	device->irq_count = table ? info->msix_count : 0;
	pci_set_power_state(pci, PCI_D0);
	device_quiet(device);
	return 0;
}

/* The device, taken at its first use. part->mutex held. */
static int device_get(struct part *part, u32 index, struct part_device **ret_device)
{
	struct part_device *device;
	struct bh_device_info info;
	int ret;

	if (index >= BH_POLICY_DEVICE_MAX)
		return -ENOENT;
	device = &part->device[index];
	if (!device->pci) {
		ret = device_query(part, index, &info);
		if (!ret && info.state != BH_DEVICE_ASSIGNED)
			ret = -EOPNOTSUPP;
		if (!ret)
			ret = device_take(device, &info);
		if (ret)
			return ret;
	}
	*ret_device = device;
	return 0;
}

void device_quiesce(struct part *part)
{
	unsigned int i;

	for (i = 0; i < BH_POLICY_DEVICE_MAX; i++) {
		struct part_device *device = &part->device[i];

		if (!device->pci)
			continue;
		device_quiet(device);
		/* Not every device can be reset; one that cannot is stopped all the same. */
		if (pci_try_reset_function(device->pci))
			pci_dbg(device->pci, "stopped without a reset\n");
	}
}

void device_fini(struct part *part)
{
	unsigned int i;

	for (i = 0; i < BH_POLICY_DEVICE_MAX; i++) {
		struct part_device *device = &part->device[i];

		if (device->table)
			iounmap(device->table);
		pci_dev_put(device->pci);
		*device = (struct part_device){};
	}
}

static long device_copy_info(struct part *part, struct bulkhead_device_info __user *to)
{
	struct bh_device_info info;
	u32 index;
	int ret = get_user(index, &to->device);

	if (!ret)
		ret = device_query(part, index, &info);
	if (!ret && copy_to_user(&to->info, &info, sizeof(info)))
		ret = -EFAULT;
	return ret;
}

static int device_set_irq(struct part_device *device, const struct bulkhead_device_irq *arg)
{
	void __iomem *entry = device->table + arg->index * PCI_MSIX_ENTRY_SIZE;
	struct bh_device_irq *irq;
	int ret;

	if (arg->index >= device->irq_count || arg->masked > 1)
		return -EINVAL;
	irq = (void *)get_zeroed_page(GFP_KERNEL);
	if (!irq)
		return -ENOMEM;
	irq->index = arg->index;
	irq->part_data = arg->part_data;
	irq->part_address = arg->part_address;
	/* An entry that is not masked must not change, and not be one that root mode forgets. */
	writel(PCI_MSIX_ENTRY_CTRL_MASKBIT, entry + PCI_MSIX_ENTRY_VECTOR_CTRL);
	ret = hypercall(BH_HC_DEVICE_IRQ, arg->device, virt_to_phys(irq), 0);
	if (!ret && arg->part_address) {
		writel(lower_32_bits(irq->address), entry + PCI_MSIX_ENTRY_LOWER_ADDR);
		writel(upper_32_bits(irq->address), entry + PCI_MSIX_ENTRY_UPPER_ADDR);
		writel(irq->data, entry + PCI_MSIX_ENTRY_DATA);
		writel(arg->masked, entry + PCI_MSIX_ENTRY_VECTOR_CTRL);
	}
	free_page((unsigned long)irq);
	return ret;
}

long device_ioctl(struct part *part, unsigned int cmd, void __user *arg)
{
	union {
		u32 device; /* first of all */
		struct bulkhead_device_map map;
		struct bulkhead_device_irq irq;
		struct bulkhead_device_control control;
	} in;
	struct part_device *device;
	int ret;

	if (cmd == BULKHEAD_DEVICE_INFO)
		return device_copy_info(part, arg);
	if (cmd != BULKHEAD_DEVICE_MAP && cmd != BULKHEAD_DEVICE_IRQ && cmd != BULKHEAD_DEVICE_CONTROL)
		return -ENOTTY;
	if (copy_from_user(&in, arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	mutex_lock(&part->mutex);
	ret = device_get(part, in.device, &device);
	if (!ret) {
		switch (cmd) {
		case BULKHEAD_DEVICE_MAP:
			ret = hypercall(BH_HC_DEVICE_MAP, in.device, in.map.bar, in.map.gpa);
			break;
		case BULKHEAD_DEVICE_IRQ:
			ret = device_set_irq(device, &in.irq);
			break;
		default:
			ret = in.control.flags & ~DEVICE_FLAGS ? -EINVAL : 0;
			if (!ret)
				device_control(device, in.control.flags);
		}
	}
	mutex_unlock(&part->mutex);
	return ret;
}
