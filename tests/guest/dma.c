/* SPDX-License-Identifier: Apache-2.0 */
/** Devices reach the memory of their own partition and no other: one that belongs to this guest, one that
 *  belongs to the control partition. What they are denied is recorded and changes nothing.
 *  machine: qemu
 *  memory: 8
 *  device: edu = pci 1234:11e8
 *  qemu: -device intel-iommu,intremap=on -device edu -device edu
 *  expect: exit 1 */
#include "guest.h"

#define EDU_ID     0x010000edu
#define EDU_BUFFER 0x40000u
#define TO_DEVICE  1u
#define TO_MEMORY  3u
#define BLOCK      64u

static volatile uint32_t *const edu = (volatile uint32_t *)GUEST_EDU_BAR;
static uint64_t from[512] __attribute__((aligned(4096)));
static uint64_t to[512] __attribute__((aligned(4096)));

static void transfer(uint64_t source, uint64_t target, uint32_t how)
{
	edu[0x80 / 4] = (uint32_t)source;
	edu[0x84 / 4] = (uint32_t)(source >> 32);
	edu[0x88 / 4] = (uint32_t)target;
	edu[0x8c / 4] = (uint32_t)(target >> 32);
	edu[0x90 / 4] = BLOCK;
	edu[0x98 / 4] = how;
	while (edu[0x98 / 4] & 1) {
	}
}

static uint32_t faults(void)
{
	return cpu_in32(GUEST_PORT_FAULTS);
}

/* One more fault than before, of a device of this partition. */
static void expect_fault(uint32_t before, uint32_t part, const char *what)
{
	uint64_t end = cpu_rdtsc() + guest_tsc_hz();
	uint32_t now;

	do {
		now = faults();
	} while (now >> 8 == before >> 8 && cpu_rdtsc() < end);
	tap_equal(now >> 8, (before >> 8) + 1, what);
	tap_equal(now & 0xff, part, "its record names the partition");
}

static void check_inside(void)
{
	uint32_t before = faults();

	memset(from, 0x3c, sizeof(from));
	transfer((uint64_t)from, EDU_BUFFER, TO_DEVICE);
	transfer(EDU_BUFFER, (uint64_t)to + 128, TO_MEMORY);
	tap_ok(memcmp(from, (uint8_t *)to + 128, BLOCK) == 0, "a copy inside arrives");
	tap_equal(to[15], 0, "and nothing before it");
	tap_equal(to[16 + BLOCK / 8], 0, "nor behind it");
	tap_equal(faults(), before, "without a fault");
}

static void check_outside(void)
{
	uint32_t canary = cpu_in32(GUEST_PORT_CANARY), before = faults();

	tap_ok(canary >= guest_ram_size(), "a page of the control partition above our memory");
	transfer(EDU_BUFFER, canary, TO_MEMORY);
	expect_fault(before, 1, "a write there is a fault");
	tap_equal(cpu_in32(GUEST_PORT_CANARY), canary, "and the page is as it was");
	before = faults();
	memset(to, 0, sizeof(to));
	transfer(canary, EDU_BUFFER, TO_DEVICE);
	expect_fault(before, 1, "a read there is a fault");
	before = faults();
	transfer(EDU_BUFFER, guest_ram_size(), TO_MEMORY);
	expect_fault(before, 1, "so is the first byte behind our memory");
}

/* The device of the control partition writes 0x77 where it is told. */
static void check_control(void)
{
	uint32_t before = faults();

	cpu_out32(GUEST_PORT_DMA, GUEST_DMA_OWN);
	tap_equal(cpu_in32(GUEST_PORT_DMA), 1, "the control partition's device writes its memory");
	tap_equal(faults(), before, "without a fault");
	memset(to, 0x11, sizeof(to));
	cpu_out32(GUEST_PORT_DMA, (uint32_t)(uint64_t)to);
	expect_fault(before, 0, "but not ours");
	tap_equal(to[0], 0x1111111111111111, "which is as it was");
	before = faults();
	cpu_out32(GUEST_PORT_DMA, GUEST_DMA_ROOT);
	expect_fault(before, 0, "nor root mode's");
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("no hypervisor below");
	}
	tap_equal(edu[0], EDU_ID, "our device is there");
	if (edu[0] == EDU_ID) {
		check_inside();
		check_outside();
		check_control();
	}
	return tap_done();
}
