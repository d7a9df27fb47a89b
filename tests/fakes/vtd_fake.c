/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the registers and caches of one remapping unit. VT-d specification, "Register Descriptions".
 */
#include "vtd_fake.h"

#include <stdlib.h>
#include <string.h>

#include "insn_fake.h"

#define TRANSLATE 0x80000000u
#define SET_ROOT  0x40000000u
#define FLUSH	  0x08000000u
#define QUEUE	  0x04000000u
#define REMAP	  0x02000000u
#define SET_IRT	  0x01000000u
#define COMPAT	  0x00800000u

#define FAULT_AT 0x220u
#define IOTLB_AT 0xf0u
#define CACHED	 64u

struct vtd_fake vtd_fake;

static uint64_t root, irt, queue, fault_low, fault_high, irt_value, root_value;
static uint32_t head, status_fault;
static struct {
	uint64_t page, hpa;
	uint16_t source;
	bool write;
} cached[CACHED];
static unsigned cached_count;

static uint64_t *at(uint64_t pa)
{
	return (uint64_t *)(uintptr_t)pa;
}

static void record(uint16_t source, unsigned reason, uint64_t low, bool write)
{
	if (fault_high >> 63) {
		status_fault |= 1; /* overflow */
		return;
	}
	fault_low = low;
	fault_high = 1ull << 63 | (write ? 0 : 1ull << 62) | (uint64_t)reason << 32 | source;
	if (!status_fault) {
		vtd_fake.interrupts++;
	}
	status_fault |= 2;
}

static void forget(void)
{
	cached_count = 0;
	vtd_fake.flushes++;
}

static bool fail(uint16_t source, unsigned reason, uint64_t address, bool write, bool silent)
{
	if (!silent) {
		record(source, reason, address, write);
	}
	return false;
}

static bool walk(uint16_t source, uint64_t address, bool write, uint64_t *ret_hpa)
{
	uint64_t root_low = at(root)[source >> 8 << 1];
	uint64_t *context = at((root_low & ~0xfffull) + (source & 0xffu) * 16);
	unsigned levels, shift;
	uint64_t entry;
	bool silent;

	if (!(root_low & 1)) {
		return fail(source, 1, address, write, false);
	}
	silent = context[0] & 2;
	if (!(context[0] & 1)) {
		return fail(source, 2, address, write, silent);
	}
	levels = (context[1] & 7) + 2;
	if (levels < 2 || !(vtd_fake.cap >> 8 & 1u << (levels - 2)) ||
	    !(context[1] >> 8 & 0xffff)) {
		return fail(source, 3, address, write, silent);
	}
	shift = 12 + 9 * levels;
	if (address >> shift) {
		return fail(source, 4, address, write, silent);
	}
	entry = context[0];
	do {
		shift -= 9;
		entry = at(entry & 0xffffffffff000ull)[address >> shift & 0x1ff];
		if (!(entry & (write ? 2 : 1))) {
			return fail(source, write ? 5 : 6, address, write, silent);
		}
		if (entry & 0x80 &&
		    (shift > 30 || !(vtd_fake.cap >> (shift == 21 ? 34 : 35) & 1))) {
			return fail(source, 12, address, write, silent);
		}
	} while (shift > 12 && !(entry & 0x80));
	*ret_hpa = (entry & 0xffffffffff000ull & ~((1ull << shift) - 1)) |
		   (address & ((1ull << shift) - 1));
	return true;
}

bool vtd_fake_access(uint16_t source, uint64_t address, bool write, uint64_t *ret_hpa)
{
	uint64_t hpa;

	if (!(vtd_fake.status & TRANSLATE)) {
		*ret_hpa = address;
		return true;
	}
	for (unsigned i = 0; i < cached_count; i++) {
		if (cached[i].source == source && cached[i].page == address >> 12 &&
		    cached[i].write == write) {
			*ret_hpa = cached[i].hpa | (address & 0xfff);
			return true;
		}
	}
	if (!walk(source, address, write, &hpa)) {
		return false;
	}
	if (cached_count < CACHED) {
		cached[cached_count].source = source;
		cached[cached_count].page = address >> 12;
		cached[cached_count].write = write;
		cached[cached_count++].hpa = hpa & ~0xfffull;
	}
	*ret_hpa = hpa;
	return true;
}

unsigned vtd_fake_message(uint16_t source, uint64_t address, uint32_t data)
{
	uint64_t index = (address >> 5 & 0x7fff) | (address << 13 & 0x8000);
	const uint64_t *entry;

	if (!(vtd_fake.status & REMAP) || !(address & 0x10)) {
		return data & 0xff;
	}
	entry = at(irt + index * 16);
	if (index >= 256 || !(entry[0] & 1)) {
		record(source, index >= 256 ? 0x21 : 0x22, index << 48, true);
		return 0;
	}
	if ((entry[1] >> 18 & 3) == 1 && (uint16_t)entry[1] != source) {
		record(source, 0x26, index << 48, true);
		return 0;
	}
	return entry[0] >> 16 & 0xff;
}

static void work_off(uint32_t tail)
{
	while (head != tail && !vtd_fake.queue_stuck) {
		const uint64_t *d = at(queue + head);

		switch (d[0] & 0xf) {
		case 1:
		case 2:
		case 4:
			forget();
			break;
		case 5:
			*(uint32_t *)at(d[1]) = (uint32_t)(d[0] >> 32);
			break;
		default:
			abort();
		}
		head = (head + 16) % 4096;
	}
}

static void command(uint32_t value)
{
	uint32_t lasting = TRANSLATE | QUEUE | REMAP | COMPAT;
	uint32_t was = vtd_fake.status;

	vtd_fake.status = (was & (SET_ROOT | SET_IRT)) | (value & lasting & ~vtd_fake.deaf) |
			  (was & lasting & vtd_fake.deaf);
	if (value & SET_ROOT & ~vtd_fake.deaf) {
		root = root_value;
		vtd_fake.status |= SET_ROOT;
	}
	if (value & SET_IRT & ~vtd_fake.deaf) {
		irt = irt_value & ~0xfffull;
		vtd_fake.status |= SET_IRT;
	}
	if (value & FLUSH) {
		vtd_fake.write_flushes++;
	}
	if (!(was & QUEUE) && value & QUEUE) {
		head = 0;
	}
	if (!(was & TRANSLATE) && vtd_fake.status & TRANSLATE && vtd_fake.fault_at_on) {
		uint64_t hpa;

		(void)vtd_fake_access(vtd_fake.fault_at_on, vtd_fake.fault_address, false, &hpa);
	}
}

static uint64_t in(uint64_t address, unsigned size)
{
	uint64_t value = 0;

	(void)size;
	switch (address - VTD_FAKE_BASE) {
	case 0x00:
		value = vtd_fake.version;
		break;
	case 0x08:
		value = vtd_fake.cap;
		break;
	case 0x10:
		value = vtd_fake.ecap;
		break;
	case 0x1c:
		value = vtd_fake.status;
		break;
	case 0x34:
		value = status_fault;
		break;
	case 0x64:
		value = vtd_fake.protect;
		break;
	case FAULT_AT:
		value = fault_low;
		break;
	case FAULT_AT + 8:
		value = fault_high;
		break;
	default:
		break;
	}
	return value;
}

static void out(uint64_t address, unsigned size, uint64_t value)
{
	(void)size;
	switch (address - VTD_FAKE_BASE) {
	case 0x18:
		command((uint32_t)value);
		break;
	case 0x20:
		root_value = value;
		break;
	case 0x28:
		forget();
		break;
	case IOTLB_AT + 8:
		forget();
		break;
	case 0x34:
		status_fault &= (uint32_t)~value;
		status_fault |= fault_high >> 63 << 1;
		break;
	case 0x3c:
		vtd_fake.event_data = (uint32_t)value;
		break;
	case 0x40:
		vtd_fake.event_address = value;
		break;
	case 0x64:
		vtd_fake.protect = value & 0x80000000 ? 1 : 0;
		break;
	case 0x88:
		work_off((uint32_t)value);
		break;
	case 0x90:
		queue = value & ~0xfffull;
		break;
	case 0xb8:
		irt_value = value;
		break;
	case FAULT_AT + 12:
		if (value >> 31) {
			fault_high = 0;
			status_fault &= ~2u;
		}
		break;
	default:
		break;
	}
}

void vtd_fake_reset(void)
{
	vtd_fake = (struct vtd_fake){.version = 0x10,
				     .cap = 0xd2008c22260206,
				     .ecap = 0xf00f4a | (uint64_t)(IOTLB_AT / 16) << 8};
	cached_count = 0;
	fault_high = 0;
	status_fault = head = 0;
	insn_fake.mmio_in = in;
	insn_fake.mmio_out = out;
}
