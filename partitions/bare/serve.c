/* SPDX-License-Identifier: Apache-2.0 */
/** Devices of the guest: UART, debug exit, power off, and small ones for tests and measurements. All else
 *  reads as ones and ignores writes. Every request is checked here again: size and address come from the
 *  guest. */
#include "bare.h"
#include "power.h"

#define PORT_COM1        0x3f8u
#define PORT_COM1_END    0x3ffu
#define PORT_KEYBOARD    0x64u
#define PORT_TIMER_COUNT 0x42u
#define PORT_CLOCK_INDEX 0x70u
#define PORT_CLOCK_DATA  0x71u
#define PORT_ACPI_QEMU   0x604u
#define PORT_ACPI_BOCHS  0xb004u

#define KEYBOARD_RESET  0xfeu
#define RESET_CPU       0x04u
#define ACPI_SLEEP      0x2000u /* PM1 control, as on PCs with that register */
#define SLEEP_ENABLE    0x20u   /* sleep control register, which our FADT names */
#define MMIO_TEST_SIZE  4096u

struct bare_doorbells bare_doorbells;
struct bare_end bare_end;

static uint8_t mmio_bytes[MMIO_TEST_SIZE];
static uint32_t echo_value;
static uint32_t echo_size;
static uint8_t clock_index;
static uint32_t dma_arrived;

static uint64_t ones(uint32_t size)
{
	return size >= 8 ? UINT64_MAX : (1ull << size * 8) - 1;
}

static bool size_valid(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void end_with(uint32_t status)
{
	bare_end.ended = true;
	bare_end.status = status & 0xff;
}

static void msi_post(uint8_t vector)
{
	(void)guest_hypercall(BH_HC_MSI_POST, BARE_PART, 0xfee00000, vector);
}

/* Leaves junk in registers that root mode must keep apart. */
static void fpu_dirty(void)
{
	static const uint64_t junk[2] = { 0xdeadbeefdeadbeefull, 0xdeadbeefdeadbeefull };

	__asm__ volatile("fninit\n\tfld1\n\tfldpi\n\t"
			 "movups %0, %%xmm0\n\tmovups %0, %%xmm1\n\tmovups %0, %%xmm2\n\t"
			 "movups %0, %%xmm3\n\tmovups %0, %%xmm4\n\tmovups %0, %%xmm5\n\t"
			 "movups %0, %%xmm6\n\tmovups %0, %%xmm7\n\tmovups %0, %%xmm8\n\t"
			 "movups %0, %%xmm9\n\tmovups %0, %%xmm10\n\tmovups %0, %%xmm11\n\t"
			 "movups %0, %%xmm12\n\tmovups %0, %%xmm13\n\tmovups %0, %%xmm14\n\t"
			 "movups %0, %%xmm15"
			 :
			 : "m"(junk));
}

/* Clock of a PC at 1 January 2000, 0:00, standing still: Linux waits for one that is not there.
 * Source: MC146818A data sheet, "Address Map". */
static uint8_t clock_read(void)
{
	switch (clock_index) {
	case 0x06: /* day of the week, of the month, month */
	case 0x07:
	case 0x08:
		return 1;
	case 0x0b:
		return 0x02; /* 24 hours, BCD */
	case 0x0d:
		return 0x80; /* valid */
	case 0x32:
		return 0x20; /* century */
	default:
		return 0;
	}
}

static uint64_t pio_read(uint32_t port, uint32_t size)
{
	if (port >= PORT_COM1 && port <= PORT_COM1_END) {
		return size == 1 ? uart_read(port - PORT_COM1) : ones(size);
	}
	switch (port) {
	case GUEST_PORT_COUNT:
		return bare_doorbells.count;
	case GUEST_PORT_QUEUES: {
		uint32_t queues = bare_doorbells.queues;

		bare_doorbells.queues = 0;
		return queues;
	}
	case GUEST_PORT_LAST:
		return echo_size;
	case GUEST_PORT_POLICY:
		return policy_result();
	case GUEST_PORT_CANARY:
		return dma_canary();
	case GUEST_PORT_FAULTS:
		return dma_faults();
	case GUEST_PORT_DMA:
		return dma_arrived;
	case PORT_CLOCK_DATA:
		return clock_read();
	case PORT_TIMER_COUNT:
		return 0; /* Linux on an AMD CPU would wait 100,000 reads for ones to change */
	default:
		break;
	}
	if (port >= GUEST_PORT_ECHO && port + size <= GUEST_PORT_ECHO + 4) {
		return echo_value >> (port - GUEST_PORT_ECHO) * 8;
	}
	return ones(size);
}

static void pio_write(uint32_t port, uint32_t size, uint32_t value)
{
	if (port >= GUEST_PORT_ECHO && port + size <= GUEST_PORT_ECHO + 4) {
		uint32_t shift = (port - GUEST_PORT_ECHO) * 8;
		uint32_t mask = (uint32_t)ones(size) << shift;

		echo_value = (echo_value & ~mask) | (value << shift & mask);
		echo_size = size;
		return;
	}
	if (port >= PORT_COM1 && port <= PORT_COM1_END) {
		if (size == 1) {
			uart_write(port - PORT_COM1, (uint8_t)value);
		}
		return;
	}
	switch (port) {
	case GUEST_PORT_DMA:
		dma_arrived = dma_write(value, bare_ram_hpa);
		break;
	case POWER_DEBUG_EXIT_PORT: /* as QEMU's isa-debug-exit */
		end_with(value << 1 | 1);
		break;
	case PORT_ACPI_QEMU:
	case PORT_ACPI_BOCHS:
		if ((value & ACPI_SLEEP) != 0) {
			end_with(0);
		}
		break;
	case POWER_SLEEP_PORT:
		if (value == (POWER_S5_TYPE << 2 | SLEEP_ENABLE)) {
			end_with(0);
		}
		break;
	case PORT_CLOCK_INDEX:
		clock_index = value & 0x7f;
		break;
	case PORT_KEYBOARD:
		if ((uint8_t)value == KEYBOARD_RESET) {
			end_with(0);
		}
		break;
	case POWER_RESET_PORT:
		if ((value & RESET_CPU) != 0) {
			end_with(0);
		}
		break;
	case GUEST_PORT_DIRTY:
		fpu_dirty();
		break;
	case GUEST_PORT_POLICY:
		policy_try(value);
		break;
	case GUEST_PORT_MSI:
		msi_post((uint8_t)value);
		break;
	default:
		break;
	}
}

uint64_t serve_access(const struct bh_ioreq *rq)
{
	const bool write = rq->dir == BH_IOREQ_WRITE;
	uint64_t data = 0;

	if (!size_valid(rq->size)) {
		return 0;
	}
	if (rq->type == BH_IOREQ_PIO) {
		if (rq->addr > 0xffff || rq->size > 4) {
			return ones(rq->size);
		}
		if (write) {
			pio_write((uint32_t)rq->addr, rq->size, (uint32_t)(rq->data & ones(rq->size)));
			return 0;
		}
		return pio_read((uint32_t)rq->addr, rq->size) & ones(rq->size);
	}
	if (rq->addr < GUEST_MMIO_TEST || rq->addr - GUEST_MMIO_TEST > MMIO_TEST_SIZE - rq->size) {
		return ones(rq->size);
	}
	uint8_t *at = mmio_bytes + (rq->addr - GUEST_MMIO_TEST);

	if (write) {
		memcpy(at, &rq->data, rq->size);
	} else {
		memcpy(&data, at, rq->size);
	}
	return data;
}
