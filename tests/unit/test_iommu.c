/* SPDX-License-Identifier: Apache-2.0 */
/** What devices reach, over a unit that walks our tables and keeps what it has cached. */
#include "iommu/iommu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "acpi/acpi.h"
#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "insn_fake.h"
#include "iommu/pci.h"
#include "irq/lapic.h"
#include "machine.h"
#include "mem/frames.h"
#include "mem/hspace.h"
#include "pci_fake.h"
#include "vtd_fake.h"

#define MIB    0x100000ull
#define TOP    (64 * MIB)
#define RAM    (8 * MIB)
#define NIC    0x0018u /* 00:03.0 */
#define DISK   0x001au /* 00:03.2, the control partition's */
#define BEHIND 0x0200u /* 02:00.0, behind a root port */
#define OLD    0x0300u /* 03:00.0, behind a bridge to conventional PCI */
#define REGION 0x7d000000ull
#define GUEST  2u

static uint8_t table[256];
static uint32_t table_size;
static hpa_t ram;

static void put(size_t at, uint64_t value, size_t bytes)
{
	memcpy(table + at, &value, bytes);
}

static void add_unit(uint64_t base, unsigned flags)
{
	put(table_size, 0, 2);
	put(table_size + 2, 16, 2);
	put(table_size + 4, flags, 1);
	put(table_size + 8, base, 8);
	table_size += 16;
	put(4, table_size, 4);
}

/* A reserved region of 00:04.0. */
static void add_region(uint64_t base, uint64_t limit)
{
	static const uint8_t scope[] = {1, 8, 0, 0, 0, 0, 4, 0};

	put(table_size, 1, 2);
	put(table_size + 2, 32, 2);
	put(table_size + 8, base, 8);
	put(table_size + 16, limit, 8);
	memcpy(table + table_size + 24, scope, sizeof(scope));
	table_size += 32;
	put(4, table_size, 4);
}

static void use_table(bool there)
{
	struct acpi_info *acpi = (struct acpi_info *)(uintptr_t)acpi_get();

	acpi->dmar = there ? table : NULL;
	acpi->dmar_size = table_size;
}

static int prepare(void **state)
{
	static struct boot_info info;
	const uint64_t sizes[] = {RAM, 2 * MIB};

	(void)state;
	insn_fake_reset();
	insn_fake.tsc_step = 500;
	insn_fake_set_cpuid(0, 0, 7, 0, 0, 0);
	insn_fake_set_cpuid(7, 0, 0, CPUID_7_EBX_SMEP | CPUID_7_EBX_SMAP, 0, 0);
	insn_fake_set_cpuid(0x80000000, 0, 0x80000008, 0, 0, 0);
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, CPUID_X1_EDX_NX);
	vtd_fake_reset();
	pci_fake_reset();
	pci_fake_add(0x0000, 0x29c08086, 0x060000);
	pci_fake_add(NIC, 0x10d38086, 0x020000)->config[0x0e] = 0x80;
	pci_fake_add(DISK, 0x29228086, 0x010601);
	pci_fake_add(0x0020, 0x01118086, 0x030000);
	pci_fake_add_bridge(0x0028, 2, 4);
	pci_fake_add_bridge(0x0030, 3, 7);
	pci_fake_add_capability(pci_fake_add(BEHIND, 0x10d38086, 0x020000), 0x40, 0x10, "\2", 2);
	pci_fake_add(OLD, 0x100e8086, 0x020000);
	machine_map_ram(MIB, TOP - MIB);
	machine_boot_info(&info, TOP);
	cpu_init(0);
	cpus[0].apic_id = 5;
	strcpy(boot_record()->cmdline, "tsc_khz=1000");
	memset(table, 0, sizeof(table));
	memcpy(table, "DMAR", 4);
	table[36] = 38;
	table_size = 48;
	add_unit(VTD_FAKE_BASE, 1);
	add_region(REGION, REGION + 0xffff);
	use_table(true);
	return tsc_init(0, false) || frames_init(&info) || hspace_init() ||
	       frames_reserve_pool(&info, sizes, 2) || frame_range_take(RAM, GUEST, &ram);
}

static int finish(void **state)
{
	(void)state;
	machine_unmap_ram(MIB, TOP - MIB);
	return 0;
}

static void start(void)
{
	boot_error = "";
	if (iommu_init() || iommu_claim(0, NIC, GUEST) || iommu_start()) {
		fail_msg("did not start: %s", boot_error);
	}
}

static void assert_refused(int err, int wanted, const char *word)
{
	assert_int_equal(err, wanted);
	if (!strstr(boot_error, word)) {
		fail_msg("said: %s", boot_error);
	}
}

static void assert_reaches(uint16_t source, uint64_t address, uint64_t wanted)
{
	uint64_t at = 0;

	assert_true(vtd_fake_access(source, address, true, &at));
	assert_int_equal(at, wanted);
	assert_true(vtd_fake_access(source, address, false, &at));
	assert_int_equal(at, wanted);
}

/* Denied, and the record says who wanted what. */
static void assert_denied(uint16_t source, uint64_t address, unsigned part)
{
	struct bh_iommu_info info;
	struct bh_iommu_fault fault;
	uint64_t at;

	assert_false(vtd_fake_access(source, address, true, &at));
	assert_int_equal(iommu_fault_take(), BIT(part));
	iommu_get_info(&info);
	assert_int_equal(iommu_fault_read(info.faults - 1, &fault), 0);
	assert_int_equal(fault.source, source);
	assert_int_equal(fault.address, ALIGN_DOWN(address, PAGE_SIZE));
	assert_int_equal(fault.part, part);
	assert_int_equal(fault.write, 1);
}

/* A machine without a DMAR table has no IOMMU, and says so. */
static void iommu_init_does_nothing_without_a_table(void **state)
{
	struct bh_iommu_info info;
	hpa_t page;

	(void)state;
	use_table(false);
	assert_int_equal(iommu_init(), 0);
	assert_int_equal(iommu_start(), 0);
	assert_false(iommu_registers(0, &page));
	assert_refused(iommu_claim(0, NIC, GUEST), -BH_NOSUPP, "no IOMMU");
	iommu_get_info(&info);
	assert_int_equal(info.flags, 0);
	assert_true(iommu_check_isolation());
}

/* Devices of the control partition reach its memory and reserved regions, at the same address. */
static void iommu_start_confines_the_control_partition(void **state)
{
	struct bh_iommu_info info;

	(void)state;
	start();
	assert_reaches(DISK, 0x20000, 0x20000);
	assert_reaches(DISK, TOP / 2 + 0x1234, TOP / 2 + 0x1234);
	assert_reaches(BEHIND, REGION + 0xfff8, REGION + 0xfff8);
	assert_denied(DISK, MIB, 0);	       /* root mode */
	assert_denied(DISK, ram.v, 0);	       /* a partition */
	assert_denied(DISK, TOP - 2 * MIB, 0); /* the pool */
	assert_denied(DISK, REGION + 0x10000, 0);
	assert_denied(DISK, VTD_FAKE_BASE, 0);
	assert_denied(0xff00, MIB, 0); /* a bus that may come later */
	assert_true(iommu_check_isolation());
	iommu_get_info(&info);
	assert_int_equal(info.flags, BH_IOMMU_ACTIVE | BH_IOMMU_INTREMAP);
	assert_int_equal(info.unit_count, 1);
	assert_int_equal(info.width, 39);
}

/* A device of a guest reaches its partition's memory at gpa, while it is attached, and nothing
 * else. */
static void iommu_attach_gives_the_partition_alone(void **state)
{
	uint64_t used;

	(void)state;
	start();
	used = frames_hv_used();
	assert_denied(NIC, 0x1000, GUEST);
	assert_int_equal(iommu_attach(0, ram, RAM), 0);
	assert_reaches(NIC, 0x1008, ram.v + 0x1008);
	assert_reaches(NIC, RAM - 8, ram.v + RAM - 8);
	assert_denied(NIC, RAM, GUEST);
	assert_denied(NIC, ram.v, GUEST);
	assert_denied(NIC, MIB * MIB, GUEST);
	assert_reaches(DISK, 0x20000, 0x20000); /* another function of the same card */
	assert_true(iommu_check_isolation());
	iommu_detach(0);
	assert_denied(NIC, 0x1008, GUEST);
	assert_int_equal(frames_hv_used(), used);
}

/* Devices of one partition share its domain; it goes with the last. */
static void iommu_detach_keeps_the_domain_for_others(void **state)
{
	uint64_t used;

	(void)state;
	assert_int_equal(iommu_init(), 0);
	assert_int_equal(iommu_claim(0, NIC, GUEST), 0);
	assert_int_equal(iommu_claim(1, BEHIND, GUEST), 0);
	assert_int_equal(iommu_start(), 0);
	used = frames_hv_used();
	assert_int_equal(iommu_attach(0, ram, RAM), 0);
	assert_int_equal(iommu_attach(1, ram, RAM), 0);
	iommu_detach(0);
	assert_reaches(BEHIND, 0x1000, ram.v + 0x1000);
	assert_denied(NIC, 0x1000, GUEST);
	iommu_detach(1);
	assert_int_equal(frames_hv_used(), used);
}

/* A domain whose frames have gone to another owner is found. */
static void iommu_check_isolation_sees_a_wrong_domain(void **state)
{
	(void)state;
	start();
	assert_int_equal(iommu_attach(0, ram, RAM), 0);
	frame_range_release(ram, RAM);
	assert_false(iommu_check_isolation());
}

/* Without superpages, queue or snooping, and with a write buffer, all works by registers. */
static void iommu_works_on_a_poor_unit(void **state)
{
	(void)state;
	vtd_fake.cap = (vtd_fake.cap & ~(BIT(34) | BIT(35) | 0x1full << 8)) | BIT(4) | BIT(10);
	vtd_fake.ecap = 0xf << 8;
	table[36] = 45;
	vtd_fake.cap = (vtd_fake.cap & ~(0x3full << 16)) | 47ull << 16;
	assert_int_equal(iommu_init(), 0);
	assert_refused(iommu_claim(0, NIC, GUEST), -BH_NOSUPP, "does not remap interrupts");
	assert_int_equal(iommu_start(), 0);
	assert_reaches(DISK, TOP / 2, TOP / 2);
	assert_denied(DISK, MIB, 0);
	assert_true(vtd_fake.flushes >= 2 && vtd_fake.write_flushes >= 1);
}

/* What the firmware left on is taken over, and memory it had closed to devices is opened. */
static void iommu_start_takes_over_from_the_firmware(void **state)
{
	(void)state;
	vtd_fake.status = 0x86000000;
	vtd_fake.protect = 1;
	vtd_fake.cap |= BIT(5) | BIT(6);
	start();
	assert_int_equal(vtd_fake.protect, 0);
	assert_reaches(DISK, 0x20000, 0x20000);
}

/* Messages of an assigned device come out as its vector, from nobody else, and only while allowed.
 */
static void iommu_set_irq_checks_the_sender(void **state)
{
	struct bh_iommu_fault fault;
	struct bh_iommu_info info;
	const uint32_t data = 0;
	uint64_t address;

	(void)state;
	start();
	address = iommu_set_irq(3, 0, 0xf3);
	assert_int_equal(vtd_fake_message(NIC, address, data), 0xf3);
	assert_int_equal(vtd_fake_message(DISK, address, data), 0);
	assert_int_equal(iommu_fault_take(), BIT(0));
	iommu_get_info(&info);
	assert_int_equal(iommu_fault_read(info.faults - 1, &fault), 0);
	assert_int_equal(fault.address, 3);
	assert_int_equal(fault.reason, 0x26);
	assert_int_equal(vtd_fake_message(DISK, 0xfee00000, 0x31),
			 0x31); /* as all others send them */
	(void)iommu_set_irq(3, 0, 0);
	assert_int_equal(vtd_fake_message(NIC, address, data), 0);
}

/* Faults interrupt the first CPU; a record is told once; old ones make room. */
static void iommu_fault_take_keeps_the_last(void **state)
{
	struct bh_iommu_fault fault;
	struct bh_iommu_info info;
	uint64_t first, at;

	(void)state;
	start();
	assert_int_equal(vtd_fake.event_address, 0xfee05000);
	assert_int_equal(vtd_fake.event_data, IRQ_VECTOR_IOMMU);
	iommu_get_info(&info);
	first = info.faults;
	for (unsigned i = 0; i < BH_IOMMU_FAULT_MAX + 4; i++) {
		assert_false(vtd_fake_access(DISK, MIB + i * PAGE_SIZE, false, &at));
		assert_int_equal(vtd_fake.interrupts, i + 1);
		insn_fake.tsc += 200 * tsc_khz();
		assert_int_equal(iommu_fault_take(), BIT(0));
		assert_int_equal(iommu_fault_take(), 0);
	}
	assert_int_equal(iommu_fault_read(first, &fault), 0);
	assert_int_equal(fault.number, first + 4);
	assert_int_equal(fault.address, MIB + 4 * PAGE_SIZE);
	assert_int_equal(fault.write, 0);
	assert_int_equal(iommu_fault_read(first + BH_IOMMU_FAULT_MAX + 4, &fault), -BH_NOENT);
}

/* A device that faults without end is heard a few times a second, and interrupts no more often. */
static void iommu_fault_take_limits_a_noisy_device(void **state)
{
	unsigned heard = 0, interrupts;
	uint64_t at;

	(void)state;
	start();
	insn_fake.tsc_step = 1;
	assert_int_equal(iommu_attach(0, ram, RAM), 0);
	interrupts = vtd_fake.interrupts;
	for (unsigned i = 0; i < 1000; i++) {
		assert_false(vtd_fake_access(NIC, RAM, true, &at));
		heard += iommu_fault_take() != 0;
	}
	assert_in_range(heard, 1, 16);
	assert_in_range(vtd_fake.interrupts - interrupts, 1, 17);
	insn_fake.tsc += 2000 * tsc_khz();
	assert_int_equal(iommu_fault_take(), BIT(GUEST)); /* what was left */
	assert_denied(NIC, RAM, GUEST);
}

/* Devices that cannot be held apart stay with the control partition, and it is said why. */
static void iommu_claim_refuses_what_it_cannot_hold(void **state)
{
	(void)state;
	assert_int_equal(iommu_init(), 0);
	assert_refused(iommu_claim(0, 0x0020, GUEST), -BH_NOSUPP, "reserves memory");
	assert_refused(iommu_claim(0, OLD, GUEST), -BH_NOSUPP, "conventional PCI");
	assert_int_equal(iommu_claim(1, BEHIND, GUEST), 0);
}

/* Registers and reserved regions inside memory are refused before anything is mapped. */
static void iommu_init_refuses_impossible_places(void **state)
{
	static const struct {
		uint64_t base, limit;
		const char *word;
	} bad[] = {
		{MIB, 2 * MIB - 1, "a reserved memory region where none can be"},
		{TOP - PAGE_SIZE, TOP + 0xfff, "a reserved memory region where none can be"},
		{VTD_FAKE_BASE - 0x1000, VTD_FAKE_BASE + 0xfff, "a reserved memory region where none can be"},
		{0xfedff000, 0xfee00fff, "a reserved memory region where none can be"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		add_region(bad[i].base, bad[i].limit);
		use_table(true);
		assert_refused(iommu_init(), -BH_CORRUPT, bad[i].word);
		finish(state);
		prepare(state);
	}
	put(48 + 8, 0xfee00000, 8);
	assert_refused(iommu_init(), -BH_CORRUPT, "inside memory");
	put(48 + 8, 2 * MIB, 8);
	assert_refused(iommu_init(), -BH_CORRUPT, "inside memory");
	table[36] = 47;
	put(48 + 8, BIT(40), 8);
	assert_refused(iommu_init(), -BH_CORRUPT, "inside memory");
}

/* A unit that is not there, or that our tables do not suit, is named. */
static void iommu_init_refuses_unfit_units(void **state)
{
	(void)state;
	vtd_fake.version = 0xffffffff;
	assert_refused(iommu_init(), -BH_NOSUPP,
		       "fed90000 is in the DMAR table but does not answer");
	vtd_fake.version = 0;
	assert_refused(iommu_init(), -BH_NOSUPP, "does not answer");
	vtd_fake_reset();
	vtd_fake.cap |= 0x3ffull << 24;
	assert_refused(iommu_init(), -BH_NOSUPP, "outside its page");
	vtd_fake_reset();
	vtd_fake.cap &= ~(0x1full << 8);
	assert_refused(iommu_init(), -BH_NOSUPP, "no depth of page tables");
	vtd_fake_reset();
	vtd_fake.cap &= ~(0x3full << 16);
	assert_refused(iommu_init(), -BH_NOSUPP, "do not reach all memory");
}

/* Every wait has an end and a name. */
static void iommu_start_names_a_unit_that_hangs(void **state)
{
	static const struct {
		uint32_t deaf;
		const char *word;
	} bad[] = {{0x80000000, "does not start translating"},
		   {0x40000000, "root table"},
		   {0x04000000, "start its invalidation queue"},
		   {0x02000000, "start remapping"},
		   {0x01000000, "interrupt table"}};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		vtd_fake.deaf = bad[i].deaf;
		assert_int_equal(iommu_init(), 0);
		assert_refused(iommu_start(), -BH_NOSUPP, bad[i].word);
		finish(state);
		prepare(state);
	}
	vtd_fake.queue_stuck = true;
	assert_int_equal(iommu_init(), 0);
	assert_refused(iommu_start(), -BH_NOSUPP, "work off its invalidation queue");
	vtd_fake_reset();
	vtd_fake.status = 0x80000000;
	vtd_fake.deaf = 0x80000000;
	assert_refused(iommu_init(), -BH_NOSUPP, "what the firmware started");
}

/* A device that the firmware left running stops the start, by name. */
static void iommu_start_refuses_faults_at_once(void **state)
{
	(void)state;
	vtd_fake.fault_at_on = DISK;
	vtd_fake.fault_address = MIB + 0x1000;
	assert_int_equal(iommu_init(), 0);
	assert_refused(iommu_start(), -BH_DENIED, "left device 00:03.2 running, it reads 101000");
}

#define T(name) cmocka_unit_test_setup_teardown(name, prepare, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(iommu_init_does_nothing_without_a_table),
		T(iommu_start_confines_the_control_partition),
		T(iommu_attach_gives_the_partition_alone),
		T(iommu_detach_keeps_the_domain_for_others),
		T(iommu_check_isolation_sees_a_wrong_domain),
		T(iommu_works_on_a_poor_unit),
		T(iommu_start_takes_over_from_the_firmware),
		T(iommu_set_irq_checks_the_sender),
		T(iommu_fault_take_keeps_the_last),
		T(iommu_fault_take_limits_a_noisy_device),
		T(iommu_claim_refuses_what_it_cannot_hold),
		T(iommu_init_refuses_impossible_places),
		T(iommu_init_refuses_unfit_units),
		T(iommu_start_names_a_unit_that_hangs),
		T(iommu_start_refuses_faults_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
