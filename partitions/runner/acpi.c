/* SPDX-License-Identifier: Apache-2.0 */
/** Tables are put one behind the other, each 16-byte aligned, from the leaves up so that every
 * pointer is known when it is written. The DSDT is dsdt.asl, compiled at build time. */
#include "acpi.h"

#include <stdbool.h>
#include <string.h>
#include "power.h"

#include "dsdt.hex" /* dsdt_aml_code[], made by iasl */

#define HEADER_SIZE 36u
#define RSDP_SIZE   36u
#define FADT_SIZE   276u
#define MADT_SIZE   44u /* without its entries */
#define LAPIC_SIZE  8u
#define XSDT_COUNT  2u
#define ALIGN	    16u

/* Fixed feature flags of the FADT. */
#define FADT_WBINVD	     (1u << 0)
#define FADT_NO_POWER_BUTTON (1u << 4)
#define FADT_NO_SLEEP_BUTTON (1u << 5)
#define FADT_RESET_REGISTER  (1u << 10)
#define FADT_APIC_PHYSICAL                                                                         \
	(1u << 19) /* no logical destinations: an MSI message has no room for x2APIC's */
#define FADT_HW_REDUCED	 (1u << 20)
#define FADT_BOOT_NO_VGA (1u << 2)

struct builder {
	uint8_t *buffer;
	size_t size, used;
	uint64_t gpa;
	bool full;
};

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

/* Room for a table of that length, zeroed; NULL when there is none. */
static uint8_t *reserve(struct builder *b, size_t length, uint64_t *ret_gpa)
{
	size_t start = (b->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);

	if (start > b->size || length > b->size - start) {
		b->full = true;
		return NULL;
	}
	b->used = start + length;
	memset(b->buffer + start, 0, length);
	*ret_gpa = b->gpa + start;
	return b->buffer + start;
}

static uint8_t checksum(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	return (uint8_t)-sum;
}

static void finish_table(uint8_t *table, const char *signature, size_t length, uint8_t revision)
{
	memcpy(table, signature, 4);
	put(table + 4, length, 4);
	table[8] = revision;
	memcpy(table + 10, "BULKHDRUNNER  ", 14);
	put(table + 24, 1, 4);
	memcpy(table + 28, "BLKH", 4);
	put(table + 32, 1, 4);
	table[9] = 0;
	table[9] = checksum(table, length);
}

/* Generic address structure: an 8-bit system I/O port. */
static void put_port(uint8_t *at, uint16_t port)
{
	at[0] = 1; /* system I/O */
	at[1] = 8; /* bits */
	at[2] = 0;
	at[3] = 1; /* byte access */
	put(at + 4, port, 8);
}

static uint64_t build_dsdt(struct builder *b)
{
	uint64_t gpa = 0;
	uint8_t *table = reserve(b, sizeof(dsdt_aml_code), &gpa);

	if (table != NULL) {
		memcpy(table, dsdt_aml_code, sizeof(dsdt_aml_code));
	}
	return gpa;
}

static uint64_t build_fadt(struct builder *b, uint64_t dsdt)
{
	uint64_t gpa = 0;
	uint8_t *table = reserve(b, FADT_SIZE, &gpa);

	if (table == NULL) {
		return 0;
	}
	put(table + 109, FADT_BOOT_NO_VGA, 2);
	put(table + 112,
	    FADT_WBINVD | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_RESET_REGISTER |
		    FADT_APIC_PHYSICAL | FADT_HW_REDUCED,
	    4);
	put_port(table + 116, POWER_RESET_PORT);
	table[128] = POWER_RESET_VALUE;
	table[131] = 4; /* minor version: ACPI 6.4 */
	put(table + 40, dsdt, 4);
	put(table + 140, dsdt, 8);
	table[108] = 0x32; /* century cell of the clock */
	put_port(table + 244, POWER_SLEEP_PORT);
	put_port(table + 256, POWER_SLEEP_PORT + 1);
	memcpy(table + 268, "BulkHyp", 8);
	finish_table(table, "FACP", FADT_SIZE, 6);
	return gpa;
}

static uint64_t build_madt(struct builder *b, unsigned vcpu_count)
{
	size_t length = MADT_SIZE + LAPIC_SIZE * vcpu_count;
	uint64_t gpa = 0;
	uint8_t *table = reserve(b, length, &gpa);

	if (table == NULL) {
		return 0;
	}
	put(table + 36, 0xfee00000u, 4);
	put(table + 40, 0, 4); /* no 8259 pair */
	for (unsigned i = 0; i < vcpu_count; i++) {
		uint8_t *entry = table + MADT_SIZE + LAPIC_SIZE * i;

		entry[0] = 0; /* processor local APIC: ids below 255, in x2APIC mode too */
		entry[1] = LAPIC_SIZE;
		entry[2] = (uint8_t)i;
		entry[3] = (uint8_t)i;
		put(entry + 4, 1, 4); /* enabled */
	}
	finish_table(table, "APIC", length, 5);
	return gpa;
}

static uint64_t build_xsdt(struct builder *b, const uint64_t tables[XSDT_COUNT])
{
	size_t length = HEADER_SIZE + 8 * XSDT_COUNT;
	uint64_t gpa = 0;
	uint8_t *table = reserve(b, length, &gpa);

	if (table == NULL) {
		return 0;
	}
	for (unsigned i = 0; i < XSDT_COUNT; i++) {
		put(table + HEADER_SIZE + 8 * i, tables[i], 8);
	}
	finish_table(table, "XSDT", length, 1);
	return gpa;
}

static void finish_rsdp(uint8_t *rsdp, uint64_t xsdt)
{
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "BULKHD", 6);
	rsdp[15] = 2;
	put(rsdp + 20, RSDP_SIZE, 4);
	put(rsdp + 24, xsdt, 8);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, RSDP_SIZE);
}

size_t acpi_build(uint8_t *buffer, size_t size, uint64_t gpa, unsigned vcpu_count)
{
	struct builder b = {.buffer = buffer, .size = size, .gpa = gpa};
	uint64_t rsdp_gpa, tables[XSDT_COUNT];
	uint8_t *rsdp = reserve(&b, RSDP_SIZE, &rsdp_gpa);

	if (rsdp == NULL) {
		return 0;
	}
	tables[0] = build_fadt(&b, build_dsdt(&b));
	tables[1] = build_madt(&b, vcpu_count);
	finish_rsdp(rsdp, build_xsdt(&b, tables));
	return b.full ? 0 : b.used;
}
