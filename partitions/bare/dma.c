/* SPDX-License-Identifier: Apache-2.0 */
/** The edu device of QEMU as the test of what a device may reach: one belongs to the guest by policy, one
 *  stays here. Does nothing on a machine without.
 *
 *  Source: QEMU, docs/specs/edu.rst.
 */
#include "abi/device.h"
#include "bare.h"

#define CONFIG_ADDRESS 0xcf8u
#define CONFIG_DATA    0xcfcu
#define EDU_ID         0x11e81234u
#define REG_COMMAND    0x04u
#define REG_BAR0       0x10u
#define COMMAND_ON     6u /* memory, bus master */

#define EDU_FROM   (0x80 / 4)
#define EDU_TO     (0x88 / 4)
#define EDU_COUNT  (0x90 / 4)
#define EDU_START  (0x98 / 4)
#define EDU_BUFFER 0x40000u
#define TO_DEVICE  1u
#define TO_MEMORY  3u

#define PATTERN    0x5aa5c33c0ff0a55aull
#define ROOT_MODE  0x100000u

static uint64_t canary[BH_PAGE_SIZE / 8] __attribute__((aligned(4096)));
static uint64_t source_page[BH_PAGE_SIZE / 8] __attribute__((aligned(4096)));
static union {
	struct bh_device_info info;
	struct bh_iommu_info iommu;
	struct bh_iommu_fault fault;
} answer __attribute__((aligned(256)));
static volatile uint32_t *edu; /* the one that is not the guest's */

static uint32_t config_read(uint16_t source, uint32_t reg)
{
	cpu_out32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)source << 8 | reg);
	return cpu_in32(CONFIG_DATA);
}

static void config_on(uint16_t source)
{
	cpu_out32(CONFIG_ADDRESS, 0x80000000u | (uint32_t)source << 8 | REG_COMMAND);
	cpu_out32(CONFIG_DATA, COMMAND_ON);
}

int64_t dma_init(void)
{
	uint32_t guests = UINT32_MAX;

	for (unsigned int i = 0; i < sizeof(canary) / sizeof(*canary); i++) {
		canary[i] = PATTERN;
	}
	if (guest_hypercall(BH_HC_DEVICE_INFO, 0, (uint64_t)&answer, 0) == 0 &&
	    answer.info.state == BH_DEVICE_ASSIGNED) {
		int64_t err = guest_hypercall(BH_HC_DEVICE_MAP, 0, 0, GUEST_EDU_BAR);

		if (err < 0) {
			return err;
		}
		guests = answer.info.source;
		config_on(answer.info.source);
	}
	for (uint16_t source = 0; source < 0x100; source += 8) {
		if (source != guests && config_read(source, 0) == EDU_ID) {
			edu = (volatile uint32_t *)(uint64_t)(config_read(source, REG_BAR0) & ~0xfu);
			config_on(source);
		}
	}
	return 0;
}

uint32_t dma_canary(void)
{
	for (unsigned int i = 0; i < sizeof(canary) / sizeof(*canary); i++) {
		if (((volatile uint64_t *)canary)[i] != PATTERN) {
			return 0;
		}
	}
	return (uint32_t)(uint64_t)canary;
}

uint32_t dma_faults(void)
{
	uint64_t count;

	if (guest_hypercall(BH_HC_IOMMU_INFO, (uint64_t)&answer, 0, 0) != 0) {
		return 0;
	}
	count = answer.iommu.faults;
	answer.fault.number = count - 1;
	if (count == 0 || guest_hypercall(BH_HC_IOMMU_FAULT, (uint64_t)&answer, 0, 0) != 0) {
		return 0;
	}
	return (uint32_t)count << 8 | (answer.fault.part & 0xff);
}

static void transfer(uint32_t from, uint32_t to, uint32_t how)
{
	edu[EDU_FROM] = from;
	edu[EDU_TO] = to;
	edu[EDU_COUNT] = 64;
	edu[EDU_START] = how;
	while (edu[EDU_START] & 1) {
	}
}

uint32_t dma_write(uint32_t gpa, uint64_t ram_hpa)
{
	uint32_t to = (uint32_t)(ram_hpa + gpa);

	if (edu == NULL) {
		return 0;
	}
	memset(source_page, 0x77, sizeof(source_page));
	if (gpa == GUEST_DMA_OWN) {
		to = (uint32_t)(uint64_t)source_page + 64;
		source_page[8] = 0;
	} else if (gpa == GUEST_DMA_ROOT) {
		to = ROOT_MODE;
	}
	transfer((uint32_t)(uint64_t)source_page, EDU_BUFFER, TO_DEVICE);
	transfer(EDU_BUFFER, to, TO_MEMORY);
	return ((volatile uint64_t *)source_page)[8] == 0x7777777777777777ull;
}
