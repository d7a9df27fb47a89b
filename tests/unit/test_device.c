/* SPDX-License-Identifier: Apache-2.0 */
/** Assigned devices, driven through the hypercalls of the control partition. */
#include "part/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "acpi/acpi.h"
#include "cpu/cpuid.h"
#include "cpu/trap.h"
#include "insn_fake.h"
#include "iommu/iommu.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/crc32c.h"
#include "machine.h"
#include "mem/frames.h"
#include "mem/hspace.h"
#include "part/backend.h"
#include "part/control.h"
#include "part/event.h"
#include "part/hypercall.h"
#include "part/policy.h"
#include "pci_fake.h"
#include "root_mode.h"
#include "vmx_fake.h"
#include "vtd_fake.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)
#define EVENT_PAGE (VMX_FAKE_ARGS + 2 * PAGE_SIZE)
#define POLICY_AT  (VMX_FAKE_ARGS + 3 * PAGE_SIZE)

#define NIC	0x0018u
#define DESKTOP 1u
#define BAR0	0xfeb80000ull
#define BAR3	0xfebd0000ull
#define GPA	0xd0000000ull

static struct {
	struct bh_policy head;
	struct bh_policy_part part[4];
	struct bh_policy_device device[3];
} table;

static struct boot_info info;
static uint8_t dmar[64];

static void make_policy(void)
{
	memset(&info, 0, sizeof(info));
	memset(&table, 0, sizeof(table));
	table.head = (struct bh_policy){.magic = BH_POLICY_MAGIC,
					.version = BH_POLICY_VERSION,
					.size = sizeof(table),
					.file_size = sizeof(table),
					.part_count = 4,
					.device_count = 3};
	for (uint32_t i = 0; i < 4; i++) {
		table.part[i] = *policy_part(i);
	}
	for (unsigned i = 0; i < 3; i++) {
		table.device[i] =
			(struct bh_policy_device){.role = "nic",
						  .class_code = i == 1 ? 0x0c0300 : 0x020000,
						  .class_mask = 0xffff00,
						  .vendor = BH_POLICY_DEVICE_ANY,
						  .device = BH_POLICY_DEVICE_ANY,
						  .part = DESKTOP};
	}
}

static void add_functions(void)
{
	static const uint32_t bars[] = {BAR0, 0xfeba0800, 0xc001, BAR3, 0x0000000c, 0x8};
	static const uint8_t msix[] = {4, 0, 3, 0, 0, 0, 3, 0x20, 0, 0};
	struct pci_fake *nic;

	pci_fake_reset();
	pci_fake_add(0x0000, 0x29c08086, 0x060000);
	nic = pci_fake_add(NIC, 0x10d38086, 0x020000);
	memcpy(nic->config + 0x10, bars, sizeof(bars));
	memcpy(nic->bar_size, (const uint32_t[]){0x20000, 0x800, 32, 0x4000, 0x8000, 1}, 24);
	nic->config[4] = 6; /* the firmware used it */
	pci_fake_add_capability(nic, 0xa0, 0x11, msix, sizeof(msix));
}

static void start(bool with_iommu, int wanted)
{
	struct acpi_info *acpi = (struct acpi_info *)(uintptr_t)acpi_get();

	memset(dmar, 0, sizeof(dmar));
	memcpy(dmar, "DMAR", 4);
	dmar[4] = sizeof(dmar);
	dmar[36] = 38;
	dmar[50] = 16;
	dmar[52] = 1;
	memcpy(dmar + 56, &(uint64_t){VTD_FAKE_BASE}, 8);
	acpi->dmar = with_iommu ? dmar : NULL;
	acpi->dmar_size = sizeof(dmar);
	table.head.crc32c = 0;
	table.head.crc32c = crc32c(0, &table, sizeof(table));
	memcpy((void *)POLICY_AT, &table, sizeof(table));
	machine_add_module(&info, "policy", "", POLICY_AT, sizeof(table));
	assert_int_equal(policy_init(&info), 0);
	assert_int_equal(iommu_init(), 0);
	assert_int_equal(device_init(), wanted);
	assert_int_equal(control_init(&info, gpa(0x8000), gpa(0x10000)), 0);
	assert_int_equal(iommu_start(), 0);
}

static int setup(void **state)
{
	(void)state;
	root_mode_start();
	insn_fake.tsc_step = 5000;
	insn_fake_set_cpuid(0, 0, 7, 0, 0, 0);
	insn_fake_set_cpuid(0x80000000, 0, 0x80000008, 0, 0, 0);
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, CPUID_X1_EDX_NX);
	if (hspace_init()) {
		return -1;
	}
	add_functions();
	vtd_fake_reset();
	make_policy();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	root_mode_stop();
	return 0;
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	return root_mode_call(parts[0].vcpu[0], number, a, b, c);
}

static const struct bh_device_info *device_info(uint64_t id)
{
	assert_int_equal(call(BH_HC_DEVICE_INFO, id, VMX_FAKE_ARGS, 0), 0);
	return (const void *)VMX_FAKE_ARGS;
}

/* Where the partition's own tables lead; ~0: nowhere. */
static uint64_t sees(unsigned part, uint64_t gpa)
{
	const struct ptab *space = &parts[part].space;
	uint64_t entry;
	unsigned level;

	if (!machine_lookup(space, gpa, &entry, &level)) {
		return ~0ull;
	}
	return ptab_addr(entry, level) + (gpa & (ptab_level_size(level) - 1));
}

static void assert_not_seen(unsigned part, uint64_t gpa)
{
	assert_true(sees(part, gpa) == ~0ull);
}

static void start_desktop(void)
{
	start(true, 0);
	assert_int_equal(call(BH_HC_PART_CREATE, DESKTOP, IOREQ_PAGE, 0), 0);
	assert_int_equal(call(BH_HC_PART_START, DESKTOP, 0, 0), 0);
}

/* The n-th function that fits is found, with what it has; it stops being a bus master. */
static void device_init_finds_what_the_policy_names(void **state)
{
	const struct bh_device_info *nic;

	(void)state;
	start(true, 0);
	nic = device_info(0);
	assert_int_equal(nic->state, BH_DEVICE_ASSIGNED);
	assert_int_equal(nic->part, DESKTOP);
	assert_int_equal(nic->source, NIC);
	assert_int_equal(nic->vendor, 0x8086);
	assert_int_equal(nic->device, 0x10d3);
	assert_int_equal(nic->class_code, 0x020000);
	assert_int_equal(nic->bar[0], BAR0);
	assert_int_equal(nic->bar_size[0], 0x20000);
	assert_int_equal(nic->bar[2], 0); /* ports */
	assert_int_equal(nic->bar_size[3], 0x4000);
	assert_true(nic->bar[4] == 0x800000000ull);
	assert_int_equal(nic->bar_size[4], 0x8000);
	assert_int_equal(nic->msix_count, 5);
	assert_int_equal(nic->msix_bar, 3);
	assert_int_equal(device_info(1)->state, BH_DEVICE_ABSENT);
	assert_int_equal(device_info(2)->state, BH_DEVICE_ABSENT); /* one function, one owner */
	assert_int_equal(call(BH_HC_DEVICE_INFO, 3, VMX_FAKE_ARGS, 0), -BH_NOENT);
	insn_fake.out(0xcf8, 4, 0x80000000 | NIC << 8 | 4);
	assert_int_equal(insn_fake.in(0xcfc, 4) & 6, 2);
}

/* The control partition does not see the registers of the units. */
static void control_does_not_see_the_units(void **state)
{
	(void)state;
	start(true, 0);
	assert_not_seen(0, VTD_FAKE_BASE);
	assert_true(sees(0, VTD_FAKE_BASE + PAGE_SIZE) == VTD_FAKE_BASE + PAGE_SIZE);
}

/* The policy decides whether a machine without an IOMMU runs; its devices then stay where they are.
 */
static void device_init_asks_the_policy_without_an_iommu(void **state)
{
	const struct bh_iommu_info *iommu = (const void *)VMX_FAKE_ARGS;

	(void)state;
	start(false, 0);
	assert_int_equal(device_info(0)->state, BH_DEVICE_CONTROL);
	assert_int_equal(call(BH_HC_IOMMU_INFO, VMX_FAKE_ARGS, 0, 0), 0);
	assert_int_equal(iommu->flags, 0);
	assert_int_equal(iommu->device_count, 3);
	assert_int_equal(call(BH_HC_PART_CREATE, DESKTOP, IOREQ_PAGE, 0), 0);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, GPA), -BH_NOSUPP);
	teardown(state);
	setup(state);
	table.head.flags = BH_POLICY_IOMMU_REQUIRED;
	start(false, -BH_NOSUPP);
}

/* A BAR moves to the partition and back, without the pages of its MSI-X table. */
static void device_map_moves_a_bar(void **state)
{
	(void)state;
	start_desktop();
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, GPA), 0);
	assert_true(sees(DESKTOP, GPA + 0x1ff000) == ~0ull);
	assert_int_equal(sees(DESKTOP, GPA + 0x1f004), BAR0 + 0x1f004);
	assert_not_seen(0, BAR0);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 3, GPA + 0x20000), 0);
	assert_not_seen(DESKTOP, GPA + 0x20000);
	assert_int_equal(sees(0, BAR3), BAR3);
	assert_int_equal(sees(DESKTOP, GPA + 0x21000), BAR3 + 0x1000);
	assert_not_seen(0, BAR3 + 0x1000);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, GPA + 0x100000), 0);
	assert_not_seen(DESKTOP, GPA);
	assert_int_equal(sees(DESKTOP, GPA + 0x100000), BAR0);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, 0), 0);
	assert_int_equal(sees(0, BAR0), BAR0);
	assert_not_seen(DESKTOP, GPA + 0x100000);
	assert_int_equal(call(BH_HC_PART_RESET, DESKTOP, 0, 0), 0);
	assert_int_equal(sees(0, BAR3 + 0x1000), BAR3 + 0x1000);
	assert_not_seen(DESKTOP, GPA + 0x21000);
}

/* Places and BARs that cannot be are refused, and nothing changes. */
static void device_map_refuses_what_cannot_be(void **state)
{
	static const uint64_t bad[] = {0x1000,	   GPA + 1,	0xfee00000, 0xfedf0000,
				       0xfffff000, 0x100000000, ~0xfffull};

	(void)state;
	start(true, 0);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, GPA), -BH_STATE);
	assert_int_equal(call(BH_HC_PART_CREATE, DESKTOP, IOREQ_PAGE, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, bad[i]), -BH_RANGE);
	}
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 1, GPA), -BH_NOSUPP); /* half a page */
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 2, GPA), -BH_NOSUPP); /* ports */
	assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 6, GPA), -BH_INVAL);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 1, 0, GPA), -BH_NOSUPP);
	assert_int_equal(call(BH_HC_DEVICE_MAP, 9, 0, GPA), -BH_NOENT);
	assert_int_equal(sees(0, BAR0), BAR0);
}

/* A BAR that firmware put over memory or a unit is never moved. */
static void device_map_refuses_a_bar_over_memory(void **state)
{
	static const uint32_t bad[] = {0x02000000, 0xfed80000, 0xfee00000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pci_fake *nic;

		teardown(state);
		setup(state);
		pci_fake_reset();
		nic = pci_fake_add(NIC, 0x10d38086, 0x020000);
		memcpy(nic->config + 0x10, &bad[i], 4);
		nic->bar_size[0] = 0x20000;
		start_desktop();
		assert_int_equal(device_info(0)->bar[0], bad[i]);
		assert_int_equal(call(BH_HC_DEVICE_MAP, 0, 0, GPA), -BH_NOSUPP);
	}
}

/* The device reaches the partition's RAM from its start to its reset or end. */
static void device_reaches_memory_while_its_partition_runs(void **state)
{
	uint64_t at = 0;

	(void)state;
	start(true, 0);
	assert_int_equal(call(BH_HC_PART_CREATE, DESKTOP, IOREQ_PAGE, 0), 0);
	assert_false(vtd_fake_access(NIC, 0x1000, true, &at));
	assert_int_equal(call(BH_HC_PART_START, DESKTOP, 0, 0), 0);
	assert_true(vtd_fake_access(NIC, 0x1000, true, &at));
	assert_int_equal(at, parts[DESKTOP].ram.v + 0x1000);
	assert_int_equal(call(BH_HC_PART_RESET, DESKTOP, 0, 0), 0);
	assert_false(vtd_fake_access(NIC, 0x1000, true, &at));
	assert_int_equal(call(BH_HC_PART_START, DESKTOP, 0, 0), 0);
	assert_true(vtd_fake_access(NIC, 0x1000, true, &at));
	assert_int_equal(call(BH_HC_PART_DESTROY, DESKTOP, 0, 0), 0);
	assert_false(vtd_fake_access(NIC, 0x1000, true, &at));
}

static int64_t set_irq(uint32_t index, uint64_t address, uint32_t data)
{
	*(struct bh_device_irq *)VMX_FAKE_ARGS =
		(struct bh_device_irq){.index = index, .part_address = address, .part_data = data};
	return call(BH_HC_DEVICE_IRQ, 0, VMX_FAKE_ARGS, 0);
}

/* A message of the device becomes one of its partition, until that ends. */
static void device_irq_goes_to_the_partition(void **state)
{
	const struct bh_device_irq *irq = (const void *)VMX_FAKE_ARGS;
	struct vlapic *lapic;
	unsigned vector;

	(void)state;
	start_desktop();
	lapic = &parts[DESKTOP].vcpu[0]->lapic;
	lapic->svr |= 0x100;
	assert_int_equal(set_irq(2, 0xfee00000, 0x45), 0);
	vector = vtd_fake_message(NIC, irq->address, irq->data);
	assert_int_equal(vector, IRQ_VECTOR_DEVICE);
	irq_handle(vector);
	assert_true(lapic->irr[1] & BIT(0x45 - 64));
	assert_int_equal(set_irq(2, 0xfee00000, 0x51), 0); /* the same entry, another vector */
	assert_int_equal(vtd_fake_message(NIC, irq->address, irq->data), vector);
	irq_handle(vector);
	assert_true(lapic->irr[1] & BIT(0x51 - 64));
	assert_int_equal(call(BH_HC_PART_RESET, DESKTOP, 0, 0), 0);
	assert_int_equal(vtd_fake_message(NIC, 0xfee00010, 0), 0);
}

/* There are so many interrupts and no more; given back, they can be had again. */
static void device_irq_has_a_limit(void **state)
{
	(void)state;
	start_desktop();
	assert_int_equal(set_irq(5, 0xfee00000, 0x45), -BH_INVAL);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(set_irq(i, 0xfee00000, 0x45 + i), 0);
	}
	assert_int_equal(set_irq(0, 0, 0), 0);
	assert_int_equal(set_irq(0, 0, 0), 0);
	assert_int_equal(set_irq(0, 0xfee00000, 0x45), 0);
}

/* A fault is an event of the partition whose device it was, and can be read. */
static void fault_reaches_the_control_partition(void **state)
{
	const struct bh_event_page *page = (const void *)EVENT_PAGE;
	struct bh_iommu_fault *fault = (void *)VMX_FAKE_ARGS;
	const struct bh_iommu_info *iommu = (const void *)VMX_FAKE_ARGS;
	uint64_t at, seen;

	(void)state;
	start_desktop();
	memset((void *)EVENT_PAGE, 0, PAGE_SIZE);
	assert_int_equal(call(BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee00000, 0x40), 0);
	assert_int_equal(call(BH_HC_IOMMU_INFO, VMX_FAKE_ARGS, 0, 0), 0);
	seen = iommu->faults;
	assert_false(vtd_fake_access(NIC, 0x7000000, true, &at));
	irq_handle(vtd_fake.event_data & 0xff);
	assert_int_equal(page->fault, BIT(DESKTOP));
	assert_int_equal(page->pending, BIT(DESKTOP));
	fault->number = seen;
	assert_int_equal(call(BH_HC_IOMMU_FAULT, VMX_FAKE_ARGS, 0, 0), 0);
	assert_int_equal(fault->part, DESKTOP);
	assert_int_equal(fault->address, 0x7000000);
	fault->number = seen + 1;
	assert_int_equal(call(BH_HC_IOMMU_FAULT, VMX_FAKE_ARGS, 0, 0), -BH_NOENT);
}

/* Guests may not ask. */
static void device_calls_are_the_control_partitions(void **state)
{
	struct vcpu *vcpu;

	(void)state;
	start_desktop();
	vcpu = parts[DESKTOP].vcpu[0];
	for (uint64_t number = BH_HC_IOMMU_INFO; number <= BH_HC_DEVICE_IRQ; number++) {
		vcpu->regs[REG_RAX] = number;
		hypercall_handle(vcpu);
		assert_int_equal((int64_t)vcpu->regs[REG_RAX], -BH_DENIED);
	}
	assert_int_equal(call(BH_HC_POLICY_LOAD + 1, 0, 0, 0), -BH_NOSYS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(device_init_finds_what_the_policy_names),
		T(control_does_not_see_the_units),
		T(device_init_asks_the_policy_without_an_iommu),
		T(device_map_moves_a_bar),
		T(device_map_refuses_what_cannot_be),
		T(device_map_refuses_a_bar_over_memory),
		T(device_reaches_memory_while_its_partition_runs),
		T(device_irq_goes_to_the_partition),
		T(device_irq_has_a_limit),
		T(fault_reaches_the_control_partition),
		T(device_calls_are_the_control_partitions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
