/* SPDX-License-Identifier: Apache-2.0 */
/** RAM is zero up to its end but for what the loader put there; behind its end there is nothing.
 *  expect: exit 1 */
#include "guest.h"

#define HOLE_START 0xa0000ull
#define ACPI_START 0xe0000ull
#define ACPI_END   0xf0000ull
#define LOAD_START 0x100000ull
#define DATA_START 0x6000ull
#define DATA_END   0x10000ull
#define IO_START   0xc0000000ull

extern uint8_t guest_end[];

/* Address of the first byte that is not zero, or end. Both multiples of 8. */
static uint64_t first_nonzero(uint64_t start, uint64_t end)
{
	const uint64_t *at = (const uint64_t *)start;
	uint64_t count = (end - start) / 8;
	bool all;

	__asm__ volatile("repe scasq" : "+D"(at), "+c"(count), "=@ccz"(all) : "a"(0) : "memory");
	return all ? end : (uint64_t)(at - 1);
}

static void check_zero(uint64_t start, uint64_t end, const char *what)
{
	/* Address 0 too: tell the compiler nothing about it. */
	__asm__ volatile("" : "+r"(start));
	uint64_t at = first_nonzero(start, end);

	tap_ok(at == end, "%s is zero", what);
	if (at != end) {
		guest_printf("# 0x%lx at 0x%lx\n", *(volatile uint64_t *)at, at);
	}
}

int guest_main(void)
{
	uint64_t size = guest_ram_size();
	volatile uint64_t *last = (volatile uint64_t *)(size - 8);
	volatile uint64_t *behind = (volatile uint64_t *)size;

	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	guest_printf("# %lu KiB\n", size >> 10);
	tap_ok(size >= 2ull << 20 && size < IO_START && size % (2ull << 20) == 0,
	       "size is whole 2 MiB and below 3 GiB");
	check_zero(0, DATA_START, "RAM before the boot structures");
	check_zero(DATA_END, HOLE_START, "RAM behind the boot structures");
	check_zero(HOLE_START, ACPI_START, "the hole below the ACPI tables");
	check_zero(ACPI_END, LOAD_START, "the hole behind the ACPI tables");
	check_zero(((uint64_t)guest_end + 15) & ~7ull, size, "RAM behind the image");
	*last = 0x1122334455667788ull;
	tap_equal(*last, 0x1122334455667788ull, "the last 8 bytes hold");
	tap_equal(*behind, UINT64_MAX, "behind the end: ones");
	*behind = 0;
	tap_equal(*behind, UINT64_MAX, "writes there are ignored");
	tap_equal(*(volatile uint32_t *)(IO_START - 4), 0xffffffff, "below the PCI hole: ones");
	tap_equal(*(volatile uint8_t *)IO_START, 0xff, "in the PCI hole: ones");
	return tap_done();
}
