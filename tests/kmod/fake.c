// SPDX-License-Identifier: GPL-2.0-only
/** The hypervisor played inside the kernel that loads the module: one partition, number 1, whose RAM is the
 *  16 MiB at 256 MiB that the command line took away (memmap=16M$256M). Device 0 is its own, an 82574 network
 *  card; device 1 is partition 2's, and device 2 is its own but not assigned.
 *
 *  START asks port 0x3fd; the answer 0xde stops the partition, any other is counted. MSI data DDQQ rings
 *  doorbell DD, queue QQ; with bit 16 a device of the partition was denied an access too.
 */
#include "kmod.h"

#include <linux/io.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <asm/apic.h>

#define FAKE_RAM      0x10000000ull
#define FAKE_RAM_SIZE 0x1000000ull

static struct bh_event_page *page;
static u64 msi_addr;
static u32 msi_data;
static struct bh_part_info info = {
	.name = "fake",
	.ram_size = FAKE_RAM_SIZE,
	.vcpu_count = 1,
	.flags = BH_PART_MAPPED,
};
static struct bh_iommu_info iommu = {.flags = BH_IOMMU_ACTIVE, .unit_count = 2};
static struct bh_policy_info policy = {.part_count = 2};
static struct bh_ioreq *slot;
static struct bh_vcpu_stats stats; /* switches counts destroys, injected answers */

bool hypercall_present(void)
{
	return true;
}

static void fake_raise(void)
{
	if (!xchg(&page->pending, 2) && msi_addr)
		apic->send_IPI(0, msi_data & 0xff);
}

static long fake_zero_ram(void)
{
	void *ram = memremap(FAKE_RAM, FAKE_RAM_SIZE, MEMREMAP_WB);

	if (!ram)
		return -BH_NOMEM;
	memset(ram, 0, FAKE_RAM_SIZE);
	memunmap(ram);
	info.state = BH_PART_CREATED;
	return 0;
}

static void fake_ask(void)
{
	slot->addr = 0x3fd;
	slot->size = 1;
	slot->seq++;
	smp_store_release(&slot->state, BH_IOREQ_PENDING);
	page->ioreq[1] = 1;
	fake_raise();
}

static long fake_answer(void)
{
	if (info.state != BH_PART_RUNNING || slot->state != BH_IOREQ_DONE)
		return -BH_STATE;
	stats.injected++;
	slot->state = BH_IOREQ_FREE;
	if ((u8)slot->data == 0xde) {
		info.state = BH_PART_STOPPED;
		info.stop_reason = BH_STOP_TRIPLE_FAULT;
		page->state = 2;
		fake_raise();
	} else {
		fake_ask();
	}
	return 0;
}

static long fake_log(struct bh_log_read *log)
{
	static const char text[] = "fake hypervisor\n";

	log->cursor = min_t(u64, log->cursor, sizeof(text) - 1);
	log->size = sizeof(text) - 1 - log->cursor;
	memcpy(log->text, text + log->cursor, log->size);
	log->written = sizeof(text) - 1;
	return 0;
}

static long fake_fault(struct bh_iommu_fault *fault)
{
	if (fault->number >= iommu.faults)
		return -BH_NOENT;
	fault->address = 0x1000 * (fault->number + 1);
	fault->part = 1;
	return 0;
}

static long fake_move(u32 from, u32 to)
{
	if (info.state != from)
		return -BH_STATE;
	info.state = to;
	return 0;
}

static long fake_device_info(u64 index, struct bh_device_info *to)
{
	struct pci_dev *pci = pci_get_device(PCI_VENDOR_ID_INTEL, 0x10d3, NULL);
	unsigned int bar;

	if (index > 2 || !pci)
		return -BH_NOENT;
	*to = (struct bh_device_info){
		.role = "nic",
		.state = index == 2 ? BH_DEVICE_CONTROL : BH_DEVICE_ASSIGNED,
		.part = index == 1 ? 2 : 1,
		.source = pci_dev_id(pci),
		.vendor = pci->vendor,
		.device = pci->device,
		.msix_count = pci_msix_vec_count(pci),
		.class_code = pci->class,
		.msix_bar = 3,
	};
	for (bar = 0; bar < BH_DEVICE_BAR_MAX; bar++) {
		if (pci_resource_flags(pci, bar) & IORESOURCE_MEM) {
			to->bar[bar] = pci_resource_start(pci, bar);
			to->bar_size[bar] = pci_resource_len(pci, bar);
		}
	}
	pci_dev_put(pci);
	return 0;
}

static long fake_device_irq(struct bh_device_irq *irq)
{
	if (irq->part_address && irq->part_address >> 20 != 0xfee)
		return -BH_INVAL;
	irq->address = 0xfee00010;
	irq->data = irq->part_data << 8;
	return 0;
}

/* Takes what says of itself that it is a table and fills the size given. */
static long fake_policy_load(const struct bh_policy *head, u64 size)
{
	if (head->magic != BH_POLICY_MAGIC || head->size != size)
		return -BH_CORRUPT;
	if (head->part_count != policy.part_count)
		return -BH_DENIED;
	memcpy(policy.hash, head->hash, sizeof(policy.hash));
	policy.loads++;
	return 0;
}

long hypercall_raw(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	long ret;

	if (number > BH_HC_EVENT_SETUP && number < BH_HC_LOG_READ && a != 1)
		return -BH_NOENT;
	switch (number) {
	case BH_HC_VERSION:
		return BH_ABI_VERSION;
	case BH_HC_EVENT_SETUP:
		page = a ? phys_to_virt(a) : NULL;
		msi_addr = b;
		msi_data = c;
		pr_info("fake: event page %d, msi %llx %llx\n", !!a, b, c);
		return 0;
	case BH_HC_PART_CREATE:
		if (info.state != BH_PART_EMPTY)
			return -BH_STATE;
		slot = phys_to_virt(b);
		info.ram_hpa = FAKE_RAM;
		return fake_zero_ram();
	case BH_HC_PART_START:
		ret = fake_move(BH_PART_CREATED, BH_PART_RUNNING);
		if (!ret)
			fake_ask();
		return ret;
	case BH_HC_PART_PAUSE:
		return fake_move(BH_PART_RUNNING, BH_PART_PAUSED);
	case BH_HC_PART_RESUME:
		return fake_move(BH_PART_PAUSED, BH_PART_RUNNING);
	case BH_HC_PART_RESET:
		return fake_zero_ram();
	case BH_HC_PART_DESTROY:
		info.state = BH_PART_EMPTY;
		info.ram_hpa = 0;
		stats.switches++;
		return 0;
	case BH_HC_PART_INFO:
		memcpy(phys_to_virt(b), &info, sizeof(info));
		return 0;
	case BH_HC_IOREQ_DONE:
		return fake_answer();
	case BH_HC_IOMMU_INFO:
		memcpy(phys_to_virt(a), &iommu, sizeof(iommu));
		return 0;
	case BH_HC_IOMMU_FAULT:
		return fake_fault(phys_to_virt(a));
	case BH_HC_MSI_POST:
		if (c >> 16) {
			iommu.faults++;
			page->fault = 2;
		}
		page->doorbell_page[1] |= BIT_ULL(c >> 8 & 15);
		page->doorbell[1][c >> 8 & 15] |= BIT_ULL(c & 63);
		fake_raise();
		return 0;
	case BH_HC_VCPU_SET:
	case BH_HC_DOORBELL_SETUP:
		return 0;
	case BH_HC_STATS:
		memcpy(phys_to_virt(c), &stats, sizeof(stats));
		return 0;
	case BH_HC_LOG_READ:
		return fake_log(phys_to_virt(a));
	case BH_HC_DEVICE_INFO:
		return fake_device_info(a, phys_to_virt(b));
	case BH_HC_DEVICE_MAP:
		return b >= BH_DEVICE_BAR_MAX ? -BH_INVAL : c & 0xfff ? -BH_RANGE : 0;
	case BH_HC_DEVICE_IRQ:
		return fake_device_irq(phys_to_virt(b));
	case BH_HC_POLICY_INFO:
		memcpy(phys_to_virt(a), &policy, sizeof(policy));
		return 0;
	case BH_HC_POLICY_LOAD:
		return fake_policy_load(phys_to_virt(a), b);
	}
	return -BH_NOSYS;
}
